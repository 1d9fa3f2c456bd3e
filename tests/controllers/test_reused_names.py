"""An AppCredential that is created again under its name for another application."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any, Final

from appcredential.domain.marker import Attempt
from appcredential.domain.spec.model import KeyId
from appcredential.kube.custom_resources import APP_CREDENTIALS
from tests.support.builders import MINUTE, OWNER, credential
from tests.support.world import RESOURCE, TARGET, World

CRD: Final = (
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/appcredentials.appcredential.io"
)
OBJECT: Final = "appcredential.io/application-object-id"
CLUSTER: Final = "appcredential.io/cluster"


def _value(world: World) -> str:
    raw: str = world.api.objects[TARGET]["data"]["AZURE_CLIENT_SECRET"]
    return base64.b64decode(raw).decode()


def _annotations(world: World) -> dict[str, str]:
    found: dict[str, str] = world.api.objects[TARGET]["metadata"]["annotations"]
    return found


async def _left(**annotations: str) -> World:
    """Return a world with the Secret of a deleted resource of the name, for another application."""
    world = World()
    world.api.put(CRD, {})
    await world.publish()
    await _delete(world)
    await world.look()
    await _forget_revocation(world)
    _rewrite(world, **{OBJECT: "another-object", **annotations})
    world.entra.credentials.clear()
    return world


async def _delete(world: World) -> None:
    found = world.api.objects[RESOURCE]
    metadata = {**found["metadata"], "deletionTimestamp": world.clock.now().isoformat()}
    world.api.put(RESOURCE, {**found, "metadata": metadata})
    world.states.of(OWNER).resource.drop()
    world.clock.advance(MINUTE)
    await world.until(lambda: not world.api.objects[RESOURCE]["metadata"].get("finalizers"))
    world.sync.on_event(APP_CREDENTIALS, "DELETED", world.api.objects.pop(RESOURCE))


async def _forget_revocation(world: World) -> None:
    """It is one of the other application, so that it is none of this world's resource."""
    for path in [path for path in world.api.objects if "/configmaps/" in path]:
        del world.api.objects[path]
    await world.open_revocations.refresh()


def _rewrite(world: World, **annotations: str) -> None:
    secret = world.api.objects[TARGET]
    changed = {**secret["metadata"], "annotations": {**_annotations(world), **annotations}}
    world.api.put(TARGET, {**secret, "metadata": changed})


def _apply(world: World, created: timedelta = MINUTE, **status: Any) -> None:
    """Create the resource again; the world has its application now."""
    world.put_resource(OWNER)
    found, at = world.api.objects[RESOURCE], world.clock.now() + created
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {**found, "metadata": {**found["metadata"], "creationTimestamp": stamp}}
    world.sync.on_event(
        APP_CREDENTIALS, "MODIFIED", world.api.put(RESOURCE, {**body, "status": status})
    )
    world.clock.advance(2 * MINUTE)


async def test_the_former_credential_stays_until_the_publish_replaces_it() -> None:
    world = await _left()
    before = world.api.objects[TARGET]
    _apply(world)
    await world.look()
    assert world.ready["reason"] == "Progressing"
    assert "Stalled" not in world.conditions
    assert world.api.objects[TARGET] == before
    await world.until(lambda: world.ready["status"] == "True")
    after = world.api.objects[TARGET]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["data"] != before["data"]
    assert OBJECT in _annotations(world)
    assert _annotations(world)[OBJECT] != "another-object"
    assert "appcredential.io/taken-over-from" not in _annotations(world)
    notes = [e["note"] for e in world.events if e["reason"] == "Published"]
    assert "replaces that of a deleted AppCredential of this name" in notes[-1]


async def test_behind_a_closed_gate_it_makes_this_one_not_ready() -> None:
    world = await _left()
    before = world.api.objects[TARGET]
    world.put_grant("shop-apps", client_ids=())
    _apply(world)
    await world.look()
    assert (world.ready["status"], world.ready["reason"]) == ("False", "NotGranted")
    assert "what an earlier AppCredential of this name published" in world.ready["message"]
    assert world.api.objects[TARGET] == before
    world.put_grant("shop-apps")
    await world.until(lambda: world.ready["status"] == "True")
    assert world.api.objects[TARGET]["data"] != before["data"]


async def _stays(world: World) -> None:
    before = world.api.objects[TARGET]
    for _ in range(5):
        await world.look()
        world.clock.advance(MINUTE)
    assert world.conditions["Stalled"]["reason"] == "ApplicationChanged"
    assert world.api.objects[TARGET] == before


async def test_one_that_was_published_in_this_life_is_left_to_a_person() -> None:
    """The application was replaced in Entra, or somebody edited the record."""
    world = await _left()
    _apply(world, created=-timedelta(hours=2))
    await _stays(world)


async def test_one_whose_application_status_names_is_left_to_a_person() -> None:
    world = await _left()
    _apply(world, application={"objectId": "another-object"})
    await _stays(world)


async def test_one_that_another_cluster_wrote_is_left_to_a_person() -> None:
    world = await _left(**{CLUSTER: "elsewhere"})
    _apply(world)
    await _stays(world)


async def test_a_credential_of_this_application_is_not_replaced_for_an_edited_record() -> None:
    world = await _left()
    listed = KeyId(_annotations(world)["appcredential.io/key-id"])
    attempt = Attempt(_annotations(world)["appcredential.io/attempt"])
    _apply(world)
    world.entra.credentials[listed] = credential(listed, attempt=attempt)
    await _stays(world)


async def test_deleted_before_its_publish_it_says_nothing_of_the_former_ones_secret() -> None:
    """That Secret goes, or stays, by the former one's own revocation."""
    world = await _left()
    before = _annotations(world)
    assert "appcredential.io/revocation-time" in before
    _apply(world)
    await world.look()
    await _delete(world)
    ((_, revocation),) = world.open_revocations.items()
    assert not revocation.secret_uid
    notes = [e["note"] for e in world.events if e["reason"] == "RevocationScheduled"]
    assert "its credentials are removed at" in notes[-1]
    assert _annotations(world) == before
