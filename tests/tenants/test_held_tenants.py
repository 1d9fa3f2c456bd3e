"""An EntraTenant that is deleted while resources use it says who holds it."""

from __future__ import annotations

from typing import Any

import pytest

from appcredential.domain.marker import Owner
from appcredential.domain.status.cluster_kinds import in_use
from appcredential.errors import IdentityRejectedError
from appcredential.kube.custom_resources import APP_CREDENTIALS, TENANTS, path_of
from tests.support.builders import NOW, OWNER, SECOND
from tests.support.world import World

PATH = path_of(TENANTS, "", "default")


def _delete_tenant(world: World) -> None:
    found = world.api.objects[PATH]
    world.api.put(
        PATH, {**found, "metadata": {**found["metadata"], "deletionTimestamp": NOW.isoformat()}}
    )


def _told(world: World) -> list[dict[str, Any]]:
    return [event for event in world.events if event["reason"] == "InUse"]


async def test_who_uses_it_is_told_once_and_it_serves_them_on() -> None:
    world = World()
    await world.publish()
    _delete_tenant(world)
    for number in range(7):
        world.put_resource(Owner("shop", f"more-{number}"))
        await world.look_at_tenant()
    condition = world.tenant_conditions["Reconciling"]
    assert condition["reason"] == "InUse"
    names = "shop/more-0, shop/more-1, shop/more-2, shop/more-3, shop/more-4 and 3 more (8 in all)"
    assert names in condition["message"]
    assert len(_told(world)) == 1
    assert world.tenant_conditions["Ready"]["status"] == "True"
    await world.look()
    assert world.ready["status"] == "True"


async def test_it_goes_with_the_last_of_them() -> None:
    world = World()
    await world.publish()
    _delete_tenant(world)
    await world.look_at_tenant()
    path = path_of(APP_CREDENTIALS, OWNER.namespace, OWNER.name)
    world.sync.on_event(APP_CREDENTIALS, "DELETED", world.api.objects.pop(path))
    world.clock.advance(30 * SECOND)
    await world.look_at_tenant()
    left = world.api.objects.get(PATH, {"metadata": {}})
    assert not left["metadata"].get("finalizers")


async def test_it_is_told_beside_what_else_is_wrong() -> None:
    world = World()
    await world.publish()
    world.entra.error = IdentityRejectedError("token: refused", code=7000222)
    world.tenants.request_probe("default", 0 * SECOND)
    world.clock.advance(SECOND)
    world.tenants.request_probe("default", 0 * SECOND)
    _delete_tenant(world)
    await world.look_at_tenant()
    condition = world.tenant_conditions["Stalled"]
    assert condition["reason"] == "IdentityRejected"
    assert "shop/orders (1 in all)" in condition["message"]
    assert "Reconciling" not in world.tenant_conditions


@pytest.mark.parametrize(("count", "words"), [(1, "u0 (1 in all)"), (5, "u4 (5 in all)")])
def test_few_are_all_named(count: int, words: str) -> None:
    assert f"{words}." in in_use([f"u{n}" for n in range(count)]).message
