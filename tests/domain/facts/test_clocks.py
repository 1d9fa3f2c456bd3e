"""Whose clock is wrong, and by how much, is told in words that do not move with each second."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.clocks import by_this_clock, clock_problem, entra_difference
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.operation import Operation
from tests.support.builders import HOUR, MINUTE, NOW, SECOND, observation, problem, resource

QUARTER = 15 * MINUTE
NONE = timedelta(0)


@pytest.mark.parametrize(
    ("entra", "api", "told"),
    [
        (None, None, ""),
        (5 * MINUTE, -5 * MINUTE, ""),
        (QUARTER, NONE, "Entra's clock is 15 min ahead of the operator's, which agrees with the"),
        (-QUARTER, NONE, "Entra's clock is 15 min behind the operator's, which agrees with the"),
        (QUARTER, None, "Entra's clock is 15 min ahead of the operator's. Compare it"),
        (QUARTER, QUARTER + MINUTE, "The operator's clock is 15 min behind those of Entra and of"),
        (-3 * HOUR, -3 * HOUR, "The operator's clock is 3 h ahead of those of Entra and of"),
        (QUARTER, -QUARTER, "and the API server's is 15 min behind it. Set the clocks"),
        (NONE, QUARTER, "The API server's clock is 15 min ahead of the operator's, which agrees"),
        (None, -QUARTER, "The API server's clock is 15 min behind the operator's. Set the wrong"),
    ],
)
def test_it_is_told_whose_clock_is_wrong(
    entra: timedelta | None, api: timedelta | None, told: str
) -> None:
    found = clock_problem(observation(directory_skew=entra, cluster_skew=api))
    assert (found is None) is (not told)
    if found is not None:
        assert found.reason is Reason.CLOCK_SKEW
        assert told in found.message
        assert found.message.endswith("Until then nothing is issued or removed.")


def test_a_second_more_or_less_is_not_told_anew() -> None:
    """Half a minute would be rounded up and down with each answer."""
    skew = QUARTER + 30 * SECOND
    said = ""
    for second in (2, -2, 1, -1, 3, -3):
        conditions = [{"type": "Stalled", "status": "True", "message": said}] if said else []
        seen = observation(
            resource=resource(status={"conditions": conditions}),
            directory_skew=skew + second * SECOND,
        )
        found = clock_problem(seen)
        assert found is not None
        assert not said or found.message == said
        said = found.message


def test_what_was_said_stays_no_longer_than_it_is_true() -> None:
    before = clock_problem(observation(directory_skew=QUARTER))
    assert before is not None
    stalled = {"type": "Stalled", "status": "True", "message": before.message}
    told = resource(status={"conditions": [stalled]})
    later = clock_problem(observation(resource=told, directory_skew=QUARTER + 5 * MINUTE))
    assert later is not None
    assert "20 min" in later.message
    assert clock_problem(observation(resource=told, directory_skew=4 * MINUTE)) is None


REFUSED = problem(Reason.CREDENTIAL_REFUSED)


def refused(found: Problem, skew: timedelta | None) -> Memory:
    return Memory().failed(Operation.MINT, found, NOW + HOUR, skew)


@pytest.mark.parametrize(
    ("then", "now", "is_kept"),
    [
        (NONE, QUARTER, False),
        (QUARTER, NONE, False),
        (QUARTER, None, False),
        (None, QUARTER, False),
        (None, None, True),
        (NONE, MINUTE, True),
        (NONE, -MINUTE - SECOND, False),
    ],
)
def test_what_a_wrong_clock_was_refused_is_forgotten(
    then: timedelta | None, now: timedelta | None, is_kept: bool
) -> None:
    found = by_this_clock(refused(REFUSED, then), now)
    assert (found.directory_problem is not None) is is_kept
    assert (found.retry_time is not None) is is_kept


def test_what_no_clock_explains_is_kept() -> None:
    held = refused(problem(Reason.PERMISSION_DENIED), NONE)
    assert by_this_clock(held, QUARTER) == held
    assert by_this_clock(Memory(), QUARTER) == Memory()


@pytest.mark.parametrize(
    ("skew", "told"),
    [
        (None, ""),
        (59 * SECOND, ""),
        (-4 * MINUTE, " Entra's clock is 4 min behind the operator's."),
        (4 * MINUTE, " Entra's clock is 4 min ahead of the operator's."),
    ],
)
def test_a_difference_is_told_from_a_minute_on(skew: timedelta | None, told: str) -> None:
    assert entra_difference(skew) == told


def test_a_resource_without_status_is_told_as_well() -> None:
    seen = replace(observation(directory_skew=QUARTER), resource=resource(status={}))
    assert clock_problem(seen) is not None
