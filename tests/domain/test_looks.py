"""How often the cluster's objects are looked at, by how many there are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appcredential.domain.looks import FLOOR, LookBudget
from tests.support.builders import MINUTE, SECOND

BUDGET = LookBudget(per_second=20, ceiling=10 * MINUTE)
QUICK = LookBudget(per_second=20, ceiling=5 * SECOND)


@pytest.mark.parametrize(
    ("objects", "seconds"),
    [(0, 20), (1, 20), (300, 20), (400, 20), (600, 30), (10_000, 500), (12_000, 600)],
)
def test_a_round_is_as_long_as_the_budget_makes_it(objects: int, seconds: int) -> None:
    assert BUDGET.period(objects) == seconds * SECOND


def test_three_hundred_are_looked_at_twice_a_minute() -> None:
    assert BUDGET.period(300) <= 30 * SECOND


def test_more_than_the_ceiling_allows_cost_more_than_the_budget() -> None:
    assert BUDGET.period(100_000) == 10 * MINUTE
    assert QUICK.period(1) == 5 * SECOND < FLOOR


@pytest.mark.parametrize("objects", [1, 300, 5_000, 12_000])
def test_the_budget_is_never_exceeded(objects: int) -> None:
    assert 0 < BUDGET.earned(objects, SECOND) <= BUDGET.per_second


def test_a_round_is_spread_evenly_and_a_delay_is_not_made_up_for() -> None:
    half = BUDGET.earned(10_000, SECOND / 2)
    assert BUDGET.earned(10_000, SECOND) == pytest.approx(2 * half)
    assert BUDGET.earned(10_000, timedelta(hours=1)) == pytest.approx(4 * half)
