"""An overlap is as long as it should be, whatever the operator's clock says meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from appcredential.domain import actions as act
from appcredential.domain.facts import believed, retirement
from tests.domain.worlds.driver import World
from tests.domain.worlds.loop import BrokenPromiseError
from tests.domain.worlds.test_scenarios import FIRST, SPEC, issued
from tests.support.breaking import in_rules
from tests.support.builders import DAY, HOUR, MINUTE, SECOND


def rotate(*, before: timedelta, after: timedelta, put_takes: timedelta = timedelta(0)) -> World:
    """Rotate once; the clock is set before the publish and once more after it."""
    world = issued()
    world.put_takes = put_takes
    world.set_clock(before)
    world.step_until(act.Publish)
    world.step()
    world.set_clock(after)
    world.run(4 * HOUR)
    assert FIRST not in world.entra
    return world


STEPS = [
    (timedelta(0), timedelta(0), 20 * SECOND),
    (timedelta(0), 4 * MINUTE, timedelta(0)),
    (-5 * MINUTE, 10 * MINUTE, 20 * SECOND),
    (5 * MINUTE, -10 * MINUTE, timedelta(0)),
]


@pytest.mark.parametrize(
    ("before", "after", "put_takes"),
    STEPS,
    ids=["a slow write", "a clock that is set", "replicas apart", "the other way round"],
)
def test_no_clock_and_no_slow_write_shortens_an_overlap(
    before: timedelta, after: timedelta, put_takes: timedelta
) -> None:
    rotate(before=before, after=after, put_takes=put_takes)


def test_an_overlap_by_our_own_clock_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    of = retirement.retire_time
    in_rules(monkeypatch, "retire_time", lambda f, r: of(f, r) + (f.entra_now - f.now))
    with pytest.raises(BrokenPromiseError, match="overlap"):
        rotate(before=-5 * MINUTE, after=10 * MINUTE)


def test_an_overlap_that_begins_before_the_write_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    of = retirement.retire_time
    in_rules(monkeypatch, "retire_time", lambda f, r: of(f, r) - f.settings.settle)
    with pytest.raises(BrokenPromiseError, match="overlap"):
        rotate(before=timedelta(0), after=timedelta(0), put_takes=20 * SECOND)


# --- recorded times that lie ahead ------------------------------------------------------------

AHEAD = 400 * DAY


def test_an_intent_of_a_clock_that_was_ahead_is_given_up() -> None:
    world = World(spec=SPEC, mint_answers=["crash"])
    world.step_until(act.Fence)
    assert world.pending is not None
    ahead = world.now + AHEAD
    world.pending = replace(world.pending, holder="operator-1/2", intent_time=ahead)
    world.run(59 * SECOND)
    assert world.count(act.Fence) == 0
    world.run(10 * MINUTE)
    assert world.count(act.Fence) == 1
    assert world.condition("Ready") == ("True", "Published")


def publish_ahead() -> World:
    world = issued()
    assert world.target is not None
    world.target = replace(world.target, published_time=world.now + AHEAD)
    return world


def test_a_publish_of_a_clock_that_was_ahead_holds_up_no_rotation() -> None:
    world = publish_ahead()
    world.run(MINUTE)
    assert world.target is not None
    assert world.target.published_time is not None
    assert world.target.published_time <= world.now
    asked = replace(world.current_spec.rotation, rotate_issued_before=world.now)
    world.change(replace(world.current_spec, rotation=asked))
    world.run(15 * MINUTE)
    assert world.count(act.Publish) == 2


def test_an_entry_of_a_clock_that_was_ahead_goes_after_its_overlap() -> None:
    world = issued()
    world.step_until(act.DeletePending)
    world.run(MINUTE)
    world.step_until(act.Publish)
    world.step()
    assert world.target is not None
    (entry,) = world.target.retiring
    removed = replace(entry, since=entry.since + AHEAD)
    world.target = replace(world.target, retiring=(removed,))
    world.run(80 * MINUTE)
    assert FIRST not in world.entra


def test_a_deletion_of_a_clock_that_was_ahead_is_scheduled() -> None:
    world = issued()
    world.resource = replace(world.resource, deletion_time=world.now + AHEAD)
    world.run(MINUTE)
    assert world.released
    assert world.revocation_uid is not None


def test_taking_a_time_that_lies_ahead_at_its_word_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(believed, "settled", lambda observation: observation)
    world = publish_ahead()
    world.run(HOUR)
    asked = replace(world.current_spec.rotation, rotate_issued_before=world.now)
    world.change(replace(world.current_spec, rotation=asked))
    world.run(HOUR)
    assert world.count(act.Publish) == 1
