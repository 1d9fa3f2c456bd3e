"""A successor that waits for a window costs nothing meanwhile, and an emergency does not wait."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.facts import windows as window_facts
from appcredential.domain.proof import SignInClass, SignInResult
from appcredential.domain.rules import issuing
from appcredential.domain.spec.model import KeyId
from appcredential.domain.times import format_time
from tests.support.builders import HOUR, MINUTE, NOW, OWNER
from tests.support.world import SECRETS, TARGET, World

NOT_YET = SignInResult(SignInClass.NOT_YET, Reason.SIGN_IN_REJECTED, 7000215)
NIGHT = {"from": "22:00", "to": "04:00"}
OPENS = datetime.fromisoformat("2026-11-22T22:00:00+00:00")


def ask(world: World, **rotation: Any) -> None:
    """Apply a rotation with the window."""
    world.put_resource(OWNER, rotation={"windows": [NIGHT], **rotation})


async def waiting() -> World:
    """Return a world in which a person asked for a renewal, whose successor waits."""
    world = World()
    await world.publish()
    world.clock.advance(11 * MINUTE)
    ask(world, rotateIssuedBefore=format_time(world.clock.now()))
    await world.until(lambda: "publishTime" in world.status.get("pending", {}))
    await world.until(lambda: world.again is not None and world.again.when >= NOW + HOUR)
    return world


def key(world: World) -> str:
    found: str = world.api.objects[TARGET]["metadata"]["annotations"]["appcredential.io/key-id"]
    return found


def value(world: World) -> bytes:
    return base64.b64decode(world.api.objects[TARGET]["data"]["AZURE_CLIENT_SECRET"])


def told(world: World, reason: str) -> list[str]:
    return [e["note"] for e in world.events if e["reason"] == reason]


async def to_the_opening(world: World) -> None:
    """Look whenever it is due, until the window opens."""
    while world.clock.now() < OPENS:
        waits = await world.look()
        assert waits is not None
        world.clock.advance(min(waits, OPENS - world.clock.now()))


async def test_it_is_published_when_the_window_opens() -> None:
    world = await waiting()
    first, old = key(world), value(world)
    assert world.status["pending"]["publishTime"] == format_time(OPENS)
    await to_the_opening(world)
    assert (key(world), value(world)) == (first, old)
    await world.until(lambda: key(world) != first)
    assert value(world) != old
    await world.until(lambda: "pending" not in world.status)
    assert world.status["credential"]["publishedTime"] == format_time(OPENS)
    assert len(told(world, "Published")) == 2
    assert told(world, "WindowOverridden") == []


async def test_meanwhile_it_costs_next_to_nothing() -> None:
    """Neither sign-ins nor writes; it is looked at as seldom as what is well."""
    world = await waiting()
    world.entra.calls.clear()
    world.api.requests.clear()
    await to_the_opening(world)
    assert world.entra.calls.count("sign-in") == 0
    assert world.api.count("PUT PATCH POST DELETE", "/") == 0
    assert len(world.api.requests) < 60


async def test_its_value_is_not_kept_in_memory_meanwhile() -> None:
    world = await waiting()
    held = world.states.of(OWNER).pending.value
    assert held is not None
    assert held.value is None


async def test_another_process_waits_as_well() -> None:
    world = await waiting()
    first = key(world)
    world.states.forget(OWNER)
    await world.look()
    await to_the_opening(world)
    assert key(world) == first
    await world.until(lambda: key(world) != first)


async def test_a_revocation_does_not_wait() -> None:
    world = await waiting()
    first = key(world)
    ask(world, revokeIssuedBefore=world.status["pending"]["startTime"])
    await world.until(lambda: first not in world.entra.credentials)
    assert world.clock.now() < OPENS - 10 * HOUR
    (note,) = told(world, "WindowOverridden")
    assert note.endswith("because spec.rotation.revokeIssuedBefore asks for it.")


async def test_workloads_without_a_sign_in_do_not_wait() -> None:
    world = await waiting()
    first = key(world)
    del world.entra.credentials[KeyId(first)]
    world.states.of(OWNER).application = None
    world.clock.advance(MINUTE)
    await world.until(lambda: key(world) != first)
    assert world.clock.now() < OPENS - 10 * HOUR
    (note,) = told(world, "WindowOverridden")
    assert "does not list it" in note


async def test_a_secret_that_is_deleted_does_not_wait() -> None:
    world = await waiting()
    del world.api.objects[TARGET]
    world.states.of(OWNER).drop()
    await world.until(lambda: TARGET in world.api.objects)
    assert world.clock.now() < OPENS - 10 * HOUR


async def test_a_pending_secret_that_is_deleted_meanwhile_is_made_anew() -> None:
    world = await waiting()
    first = key(world)
    for path in [p for p in world.api.objects if p.startswith(f"{SECRETS}/appcredential-pending")]:
        del world.api.objects[path]
    world.states.of(OWNER).drop()
    await to_the_opening(world)
    assert key(world) == first
    await world.until(lambda: key(world) != first)


async def test_a_zone_that_does_not_exist_is_told_and_loses_nothing() -> None:
    world = World()
    await world.publish()
    held = value(world)
    world.put_resource(OWNER, rotation={"windows": [{**NIGHT, "timeZone": "Europe/Osl"}]})
    await world.look()
    stalled = world.conditions["Stalled"]
    assert stalled["reason"] == "InvalidSpec"
    assert "spec.rotation.windows[0].timeZone" in stalled["message"]
    assert "IANA" in stalled["message"]
    assert value(world) == held
    ask(world)
    await world.look()
    assert "Stalled" not in world.conditions
    assert world.ready["status"] == "True"


async def test_a_window_that_is_ignored_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "awaited_opening", lambda _: None)
    monkeypatch.setattr(issuing, "is_only_waiting", lambda _: False)
    with pytest.raises((AssertionError, KeyError)):
        await test_it_is_published_when_the_window_opens()


async def test_an_emergency_that_waits_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_facts, "_emergency", lambda _facts, _opening: None)
    for story in (test_a_revocation_does_not_wait, test_workloads_without_a_sign_in_do_not_wait):
        with pytest.raises(AssertionError):
            await story()
