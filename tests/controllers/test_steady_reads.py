"""What a resource costs the API server while nothing is due."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import ModuleType
from typing import Any

from appcredential.domain.secret.records import pending_name
from appcredential.kube.client import JSON, METADATA_ONLY
from tests.support.builders import HOUR, MINUTE, OWNER
from tests.support.world import SECRETS, TARGET, World

PENDING = f"{SECRETS}/{pending_name(OWNER.hash)}"


async def _settled() -> World:
    """Return a world in which nothing is due for now."""
    world = World()
    await world.publish()
    await _pass(world, HOUR)
    world.api.requests.clear()
    return world


async def _pass(world: World, length: timedelta) -> int:
    """Let time pass and do what is due; return how often the resource was looked at."""
    end, looks = world.clock.now() + length, 0
    while True:
        wait = await world.look() or timedelta(0)
        looks += 1
        if world.clock.now() + wait > end:
            return looks
        world.clock.advance(wait)


async def test_a_full_check_reads_each_object_once() -> None:
    world = await _settled()
    looks = await _pass(world, 5 * HOUR)
    assert looks >= 5
    assert 1 <= world.api.count("GET", TARGET, JSON) <= looks
    assert world.api.count("GET", TARGET, METADATA_ONLY) <= 1
    assert world.api.count("GET", PENDING) <= looks  # an application is read with all else anew
    assert world.api.count("POST PUT PATCH DELETE", "") == 0


async def test_an_edited_secret_is_read_whole_and_repaired() -> None:
    world = await _settled()
    found = world.api.objects[TARGET]
    lost = {k: v for k, v in found["data"].items() if k != "AZURE_TENANT_ID"}
    edited = {**found["metadata"], "labels": {}}
    world.api.put(TARGET, {**found, "metadata": edited, "data": lost})
    assert await world.look_around(MINUTE)
    await _pass(world, MINUTE)
    assert world.api.objects[TARGET]["data"] == found["data"]
    assert world.api.objects[TARGET]["metadata"]["labels"] == found["metadata"]["labels"]


async def test_a_deleted_secret_is_noticed_and_issued_anew() -> None:
    world = await _settled()
    world.clock.advance(10 * MINUTE)
    del world.api.objects[TARGET]
    await world.until(lambda: TARGET in world.api.objects)
    value = base64.b64decode(world.api.objects[TARGET]["data"]["AZURE_CLIENT_SECRET"])
    assert value == b"canary-key-2"


async def test_a_pending_secret_that_appears_is_read_before_anything_is_done() -> None:
    world = World()
    await world.look_at_tenant()
    await world.until(lambda: PENDING in world.api.objects and "sign-in" in world.entra.calls)
    copy = world.api.objects[PENDING]
    await world.publish()
    await _pass(world, 10 * MINUTE)
    assert PENDING not in world.api.objects
    copy["metadata"].pop("uid")
    world.api.put(PENDING, copy)  # restored by a backup, with another uid
    adds = world.entra.calls.count("add")
    await _pass(world, 7 * HOUR)
    assert PENDING not in world.api.objects
    assert world.entra.calls.count("add") == adds


async def test_another_secret_name_is_never_answered_with_what_is_held() -> None:
    world = await _settled()
    world.put_resource(OWNER, secret={"name": "orders-other"})
    world.clock.advance(MINUTE)
    await world.look()
    assert world.api.count("GET", f"{SECRETS}/orders-other", JSON) >= 1


def holds(root: object, canary: str) -> bool:
    """Return whether a text is in what can be reached from an object of ours."""
    seen: set[int] = set()
    waiting: list[Any] = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | Callable):
            continue
        seen.add(id(one))
        if isinstance(one, str | bytes):
            text = one if isinstance(one, str) else one.decode(errors="replace")
            if canary in text:
                return True
        elif isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            waiting += one
        else:
            slots = (name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ()))
            waiting += [getattr(one, name, None) for name in (*slots, "__dict__")]
    return False


async def test_no_value_stays_in_memory_while_all_is_well() -> None:
    world = World()
    await world.publish()
    value = base64.b64decode(world.api.objects[TARGET]["data"]["AZURE_CLIENT_SECRET"]).decode()
    assert holds(world.states, value)
    await _pass(world, HOUR)
    assert not holds(world.states, value)
    assert await world.look_around(10 * MINUTE) == []  # an outline is enough for the looks
