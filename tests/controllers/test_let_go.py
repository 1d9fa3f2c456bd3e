"""What is held of a resource that nobody granted: whoever may create one decides its size."""

from __future__ import annotations

import pickle

from appcredential.domain.conditions import Problem
from tests.support.builders import MINUTE, OWNER
from tests.support.world import TARGET, World

LARGE = {f"k{i}": {"value": "canary-of-the-manifest" * 100} for i in range(16)}


def put_large(world: World) -> None:
    world.put_resource(OWNER, secret={"name": "orders-entra", "data": LARGE})


async def test_nothing_of_a_manifest_is_held_while_no_grant_allows_it() -> None:
    world = World()
    put_large(world)
    world.put_grant("shop-apps", namespaces=("elsewhere",))
    await world.look_at_tenant()
    for _ in range(5):
        await world.look()
        world.clock.advance(MINUTE)
    assert world.conditions["Stalled"]["reason"] == "NotGranted"
    held = world.states.of(OWNER)
    assert held.resource.value is not None
    assert isinstance(held.resource.value.spec, Problem)
    assert held.resource.value.status == {}
    assert b"canary-of-the-manifest" not in pickle.dumps(held.resource.value)


async def test_a_grant_that_comes_later_finds_the_whole_manifest() -> None:
    world = World()
    put_large(world)
    world.put_grant("shop-apps", namespaces=("elsewhere",))
    await world.look_at_tenant()
    await world.look()
    world.put_grant("shop-apps")
    await world.until(lambda: TARGET in world.api.objects)
    assert LARGE.keys() <= world.api.objects[TARGET]["data"].keys()
