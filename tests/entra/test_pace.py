"""What a scrape shows of Graph's quotas and pauses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appcredential.entra.pacing import Pacing
from appcredential.entra.rate_limit import RateLimiter
from appcredential.errors import ThrottledError
from tests.support.clock import HandClock

PACING = Pacing(units_per_second=1.0, unit_burst=10.0, writes_per_second=1.0, write_burst=4.0)


def limiter(clock: HandClock) -> RateLimiter:
    return RateLimiter(PACING, clock, clock.sleep)


def test_the_share_in_use_grows_with_requests_and_falls_with_time() -> None:
    clock = HandClock()
    gate = limiter(clock)
    assert gate.pace().units == 0
    for _ in range(8):
        gate.pass_read()
    assert gate.pace().units == pytest.approx(0.8)
    clock.advance(timedelta(seconds=5))
    assert gate.pace().units == pytest.approx(0.3)
    clock.advance(timedelta(hours=1))
    assert gate.pace().units == 0


async def test_writes_have_a_quota_of_their_own() -> None:
    clock = HandClock()
    gate = limiter(clock)
    async with gate.write("application"):  # type: ignore[arg-type] # any name will do
        pass
    assert gate.pace().writes == pytest.approx(0.25)
    assert gate.pace().units == pytest.approx(0.1)


def test_to_look_changes_nothing() -> None:
    clock = HandClock()
    gate = limiter(clock)
    for _ in range(10):
        gate.pass_read()
    before = gate.pace()
    assert gate.pace() == before
    with pytest.raises(ThrottledError):
        gate.pass_read()


def test_a_pause_is_counted_and_its_rest_is_shown() -> None:
    clock = HandClock()
    gate = limiter(clock)
    with pytest.raises(ThrottledError), gate.noting_pauses():
        raise ThrottledError("slow down", retry_after=timedelta(seconds=30))
    clock.advance(timedelta(seconds=10))
    pace = gate.pace()
    assert pace.pause == pytest.approx(20)
    assert pace.pauses == 1
    clock.advance(timedelta(minutes=1))
    assert gate.pace().pause == 0
