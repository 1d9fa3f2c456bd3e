"""The target Secret follows each change of the spec, however many come in a row."""

from __future__ import annotations

import base64
from datetime import timedelta

from tests.support.builders import HOUR, OWNER
from tests.support.world import RESOURCE, TARGET, World


def team(world: World) -> str:
    found = world.api.objects[TARGET]["data"].get("TEAM", "")
    return base64.b64decode(found).decode()


async def test_the_secret_follows_edit_after_edit() -> None:
    """The pauses between repairs are for those who alter the Secret, not for people."""
    world = World()
    await world.publish()
    for number in range(12):
        data = {"TEAM": {"value": f"v{number}"}}
        world.put_resource(OWNER, secret={"name": "orders-entra", "data": data})
        await world.look()
        world.clock.advance(timedelta(seconds=5))
        assert team(world) == f"v{number}"
        observed = world.ready["observedGeneration"]
        assert observed == world.api.objects[RESOURCE]["metadata"]["generation"]


async def test_who_alters_the_secret_again_and_again_is_answered_more_and_more_seldom() -> None:
    world = World()
    await world.publish()
    data = {"TEAM": {"value": "ours"}}
    world.put_resource(OWNER, secret={"name": "orders-entra", "data": data})
    await world.look()
    written, end = 0, world.clock.now() + HOUR
    while world.clock.now() < end:
        if team(world) == "ours":
            written += 1
            found = world.api.objects[TARGET]
            altered = {**found["data"], "TEAM": base64.b64encode(b"theirs").decode()}
            world.api.put(TARGET, {**found, "data": altered})
            world.states.of(OWNER).target.drop()
        await world.look()
        world.clock.advance(timedelta(seconds=20))
    assert 3 <= written <= 8
