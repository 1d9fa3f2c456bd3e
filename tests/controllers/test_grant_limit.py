"""Of more resources than the grants allow, the oldest are served."""

from __future__ import annotations

from appcredential.domain.marker import Owner
from appcredential.kube.custom_resources import APP_CREDENTIALS, GRANTS, path_of
from tests.support.builders import CLIENT_ID, OWNER
from tests.support.world import World


def _allow(world: World, count: int) -> None:
    spec = {
        "applications": {"clientIds": [CLIENT_ID]},
        "namespaces": {"names": [OWNER.namespace]},
        "maxCredentials": count,
    }
    found = world.api.put(path_of(GRANTS, "", "shop-apps"), {"spec": spec})
    world.sync.on_event(GRANTS, "MODIFIED", found)


async def test_a_place_that_becomes_free_is_given_away() -> None:
    world = World()
    other = Owner(OWNER.namespace, "a-older")
    world.put_resource(other, secret={"name": "other"})
    path = path_of(APP_CREDENTIALS, other.namespace, other.name)
    served = {**world.api.objects[path], "status": {"application": {"clientId": CLIENT_ID}}}
    world.sync.on_event(APP_CREDENTIALS, "MODIFIED", world.api.put(path, served))
    _allow(world, 1)
    await world.look_at_tenant()
    await world.until(lambda: world.ready["reason"] == "GrantLimit")
    assert world.conditions["Stalled"]["reason"] == "GrantLimit"
    assert world.entra.directory.calls == []
    world.taken(APP_CREDENTIALS)
    world.sync.on_event(APP_CREDENTIALS, "DELETED", world.api.objects.pop(path))
    assert OWNER.name in {key.name for key in world.taken(APP_CREDENTIALS)}
    await world.publish()


async def test_a_lowered_bound_takes_nothing_away() -> None:
    world = World()
    await world.publish()
    published = world.status["credential"]
    other = Owner(OWNER.namespace, "another")
    world.put_resource(other, secret={"name": "other"})
    path = path_of(APP_CREDENTIALS, other.namespace, other.name)
    served = {**world.api.objects[path], "status": {"application": {"clientId": CLIENT_ID}}}
    world.sync.on_event(APP_CREDENTIALS, "MODIFIED", world.api.put(path, served))
    _allow(world, 1)
    await world.look()
    assert world.ready["status"] == "True"
    assert "Stalled" not in world.conditions
    assert world.status["credential"] == published
