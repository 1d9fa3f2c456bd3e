"""An overlap is as long as it should be, whatever the operator's clock says meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appcredential.domain import actions as act
from appcredential.domain.facts import retirement
from tests.domain.worlds.driver import World
from tests.domain.worlds.loop import BrokenPromiseError
from tests.domain.worlds.test_scenarios import FIRST, issued
from tests.support.breaking import in_rules
from tests.support.builders import HOUR, MINUTE, SECOND


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
