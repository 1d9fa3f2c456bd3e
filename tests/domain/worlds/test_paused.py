"""Suspended, only observed, or no longer granted: nothing is written, and status stays true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from appcredential.domain import actions as act
from appcredential.domain import lifecycle
from appcredential.domain.spec.model import Mode
from tests.domain.worlds.driver import World
from tests.domain.worlds.test_scenarios import FIRST, SPEC, issued
from tests.support.builders import DAY, HOUR, MINUTE, foreign_target, problem

READS = {act.ReadApplication, act.SignInPublished, act.ApplyStatus}


def suspend(world: World) -> None:
    world.change(replace(world.current_spec, suspend=True))


def observe(world: World) -> None:
    world.change(replace(world.current_spec, mode=Mode.OBSERVE))


def withdraw(world: World) -> None:
    world.grant = problem()


PAUSES = (suspend, observe, withdraw)


@pytest.mark.parametrize("pause", PAUSES)
def test_what_is_removed_in_the_portal_meanwhile_is_told(pause: Callable[[World], None]) -> None:
    world = issued()
    pause(world)
    world.run(MINUTE)
    ready = world.condition("Ready")
    assert ready is not None
    assert ready[0] == "True"
    before = len(world.log)
    del world.entra[FIRST]
    world.run(2 * HOUR)
    assert world.condition("Ready") == ("False", "SignInRejected")
    assert {type(a) for _, a in world.log[before:]} == READS
    assert world.count(act.SignInPublished) <= 6


@pytest.mark.parametrize("pause", PAUSES)
def test_a_day_costs_as_many_reads_as_any(pause: Callable[[World], None]) -> None:
    world = issued()
    pause(world)
    world.run(MINUTE)
    before = len(world.log)
    world.run(4 * HOUR - 10 * MINUTE)
    assert [type(a) for _, a in world.log[before:]] == [act.ReadApplication] * 3


def test_not_looking_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "LOOKS", ())
    world = issued()
    suspend(world)
    del world.entra[FIRST]
    world.run(2 * HOUR)
    assert world.condition("Ready") == ("True", "Suspended")


@pytest.mark.parametrize("pause", [suspend, observe])
def test_without_any_grant_nothing_is_asked(pause: Callable[[World], None]) -> None:
    world = World(spec=SPEC, grant=problem())
    pause(world)
    world.run(DAY)
    assert world.count(act.ReadApplication) == 0


def test_a_suspended_one_says_of_nothing_else_that_is_in_the_way() -> None:
    world = World(spec=replace(SPEC, suspend=True), target=foreign_target())
    world.run(HOUR)
    assert world.condition("Ready") == ("False", "Suspended")
    assert world.condition("Stalled") is None
