"""Faults at random while a Secret changes hands: what workloads read signs in all the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.domain import actions as act
from tests.domain.worlds import faults
from tests.domain.worlds.driver import World
from tests.domain.worlds.neighbours import NEW, OLD, Neighbours
from tests.domain.worlds.test_takeover_story import begun, heir
from tests.support.builders import HOUR, MINUTE

pytestmark = pytest.mark.walk

Fault = Callable[[Neighbours, World, Random], None]


def to_one(fault: faults.Fault) -> Fault:
    """Return a fault of one world as one of the pair."""
    return lambda _pair, world, dice: fault(world, dice)


def delete_and_apply_again(pair: Neighbours, world: World, dice: Random) -> None:
    if world in pair.present():
        pair.delete(world)
        pair.run(timedelta(minutes=dice.choice([0, 1, 5])))
        pair.apply_again(world)


def touch(pair: Neighbours, world: World, _: Random) -> None:
    pair.change(world, world.current_spec)


def revoke(pair: Neighbours, world: World, _: Random) -> None:
    now = world.current_spec
    asked = replace(now.rotation, revoke_issued_before=pair.now)
    pair.change(world, replace(now, rotation=asked))


FAULTS: Final[tuple[Fault, ...]] = (
    to_one(faults.restart),
    to_one(faults.lose_the_answer),
    to_one(faults.refuse),
    to_one(faults.let_reads_fail),
    to_one(faults.delete_the_pending),
    delete_and_apply_again,
    touch,
    revoke,
    to_one(faults.do_nothing),
)


def walk(seed: int) -> Neighbours:
    """Let faults come to both, one after another, and then quiet."""
    dice = Random(seed)  # noqa: S311 - chooses faults
    pair = begun()
    for _ in range(6):
        world = dice.choice((pair.old, pair.new))
        dice.choice(FAULTS)(pair, world, dice)
        pair.run(timedelta(minutes=dice.choice([0, 1, 3, 20])))
        for each in (pair.old, pair.new):
            each.calm_down()
        pair.run(timedelta(minutes=dice.choice([0, 1, 30])))
    pair.run(2 * HOUR)
    return pair


@settings(derandomize=True, max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_happens_no_workload_loses_its_sign_in(seed: int) -> None:
    pair = walk(seed)
    assert pair.owner == str(NEW)
    assert pair.new.condition("Ready") == ("True", "Published")
    assert pair.new.condition("Stalled") is None
    assert pair.old.condition("Stalled") == ("True", "SecretTakenOver")
    before, changes = pair.old.count(act.Mint), len(pair.seen)
    pair.run(6 * HOUR)
    assert pair.old.count(act.Mint) == before
    assert len(pair.seen) == changes


@settings(derandomize=True, max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_two_that_name_each_other_hand_it_round_only_when_somebody_edits(seed: int) -> None:
    dice = Random(seed)  # noqa: S311 - chooses whom
    pair = begun(heir(NEW.name), heir(OLD.name))
    edits = 0
    for _ in range(4):
        world = dice.choice((pair.old, pair.new))
        pair.change(world, heir(NEW.name if world is pair.old else OLD.name))
        edits += 1
        pair.run(MINUTE * dice.choice([1, 10, 40]))
    pair.run(HOUR)
    assert len(pair.seen) <= 2 + edits
    settled = len(pair.seen)
    pair.run(2 * HOUR)
    assert len(pair.seen) == settled
