"""The machine's clock is set far ahead for a while, and back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appcredential.domain.clock_skew import Skew
from appcredential.gather.clock_watch import ClockWatch
from tests.support.builders import CLIENT_ID, DAY, HOUR, MINUTE, NOW
from tests.support.clock import HandClock
from tests.support.world import World

AHEAD = 400 * DAY


async def told_by_entra(*, knows: bool = True) -> World:
    """Return a world at rest whose Entra tells its own time, which nobody sets.

    Args:
        knows: the session has had answers, and so knows that time.
    """
    world = World()
    begin = world.clock.seconds
    world.entra.date = lambda: NOW + timedelta(seconds=world.clock.seconds - begin)
    await world.publish()
    world.clock.advance(HOUR)
    await world.look()
    if not knows:
        world.entra.open_anew()
    return world


async def look_for(world: World, length: timedelta) -> None:
    """Look at the resource whenever it is due, or each minute, for so long."""
    until = world.clock.seconds + length.total_seconds()
    while world.clock.seconds < until:
        again = await world.look()
        world.clock.advance(min(again or MINUTE, MINUTE))


async def be_ahead(world: World, length: timedelta) -> None:
    world.clock.set_wall(AHEAD)
    await look_for(world, length)
    world.clock.set_wall(-AHEAD)


@pytest.mark.parametrize("length", [MINUTE, 10 * MINUTE, HOUR], ids=str)
@pytest.mark.parametrize("knows", [True, False])
async def test_nothing_is_issued_or_removed_meanwhile(length: timedelta, *, knows: bool) -> None:
    world = await told_by_entra(knows=knows)
    before = dict(world.entra.credentials)
    await be_ahead(world, length)
    assert world.entra.credentials == before
    assert world.entra.removed == []


async def test_status_says_so_and_recovers() -> None:
    world = await told_by_entra()
    world.clock.set_wall(AHEAD)
    await look_for(world, 2 * MINUTE)
    assert world.conditions["Stalled"]["reason"] == "ClockSkew"
    world.clock.set_wall(-AHEAD)
    await world.look()
    assert world.ready["status"] == "True"
    await world.entra.application(CLIENT_ID, timedelta(0))  # as the probe of the tenant does
    await look_for(world, 2 * MINUTE)
    assert "Stalled" not in world.conditions
    assert world.ready["status"] == "True"


@pytest.mark.parametrize("knows", [True, False])
async def test_looks_go_on_afterwards(*, knows: bool) -> None:
    world = await told_by_entra(knows=knows)
    await be_ahead(world, 10 * MINUTE)
    await look_for(world, 5 * MINUTE)
    reads = len(world.entra.reads)
    await look_for(world, 3 * HOUR)
    assert len(world.entra.reads) - reads >= 2


async def test_a_clock_that_nobody_watches_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClockWatch, "was_set", lambda _self, _clock: False)
    world = await told_by_entra(knows=False)
    await be_ahead(world, 10 * MINUTE)
    await look_for(world, 5 * MINUTE)
    reads = len(world.entra.reads)
    await look_for(world, 3 * HOUR)
    assert len(world.entra.reads) == reads


async def test_a_difference_that_one_answer_shows_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Skew, "is_doubted", property(lambda _: False))
    world = await told_by_entra(knows=False)
    before = dict(world.entra.credentials)
    await be_ahead(world, MINUTE)
    assert world.entra.credentials != before


def test_a_clock_that_runs_is_not_set() -> None:
    clock, watch = HandClock(), ClockWatch()
    assert not watch.was_set(clock)
    clock.advance(DAY)
    assert not watch.was_set(clock)
    for by in (MINUTE, -MINUTE, AHEAD):
        clock.set_wall(by)
        assert watch.was_set(clock)
        assert not watch.was_set(clock)
