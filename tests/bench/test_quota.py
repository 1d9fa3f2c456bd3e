"""The formula of what the quotas carry agrees with the schedule and with simulated time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from appcredential.domain.rotation import schedule
from appcredential.domain.spec.model import RotationSpec
from bench.quota import APP, DAY, HOUR, at_once, capacity, period, simulate

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("lifetime", [HOUR, DAY, 90 * DAY])
def test_the_period_is_the_mean_of_the_schedule(lifetime: float) -> None:
    length = timedelta(seconds=lifetime)
    found = [
        schedule(RotationSpec(), length, NOW, NOW + length, str(seed)).renewal_time
        for seed in range(500)
    ]
    mean = sum((at - NOW).total_seconds() for at in found) / len(found)
    assert mean == pytest.approx(period(lifetime), rel=0.002)


@pytest.mark.parametrize(("credentials", "lifetime"), [(50, HOUR), (400, DAY), (1000, 7 * DAY)])
def test_the_formula_is_what_a_simulated_time_costs(credentials: int, lifetime: float) -> None:
    length = 60 * lifetime
    found = simulate(credentials, lifetime, length)
    assert found.writes == pytest.approx(APP * length * credentials / capacity(lifetime), rel=0.03)
    assert (found.expired, found.late < 60) == (0, True)


def test_what_the_quota_carries_it_carries_and_no_more() -> None:
    pace = 1.0
    carried = capacity(HOUR, pace)
    below = simulate(int(0.9 * carried), HOUR, 50 * HOUR, pace=pace)
    above = simulate(int(1.2 * carried), HOUR, 50 * HOUR, pace=pace)
    beyond = simulate(int(1.7 * carried), HOUR, 50 * HOUR, pace=pace)
    assert below.late < 60 < above.late, "above it, renewals are late"
    assert (below.expired, above.expired, beyond.expired > 0) == (0, 0, True)


def test_all_that_are_due_at_once_are_renewed_before_they_end() -> None:
    assert at_once(HOUR, 19.0) / 19.0 == pytest.approx(HOUR / 3)


def test_a_simulation_can_be_repeated() -> None:
    assert simulate(100, DAY, 30 * DAY) == simulate(100, DAY, 30 * DAY)
