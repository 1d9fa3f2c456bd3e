"""How far another clock is off: one wrong answer changes nothing, two that agree do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.domain.clock_skew import Skew, http_date
from tests.support.builders import HOUR, MINUTE, NOW, SECOND

LIMIT = 5 * MINUTE
ONE_AND_A_HALF_HOURS = 5400.0


def after(*found: timedelta) -> timedelta | None:
    """Return what is believed after these answers, a second apart."""
    skew, now = Skew(), NOW
    for at, one in enumerate(found):
        now = NOW + at * SECOND
        skew = skew.seen(now + one, now, float(at), LIMIT)
    return skew.ahead(now, float(max(len(found) - 1, 0)))


@pytest.mark.parametrize(
    ("answers", "believed"),
    [
        ([], None),
        ([SECOND], SECOND),
        ([-LIMIT], -LIMIT),
        ([SECOND, MINUTE], MINUTE),
        ([6 * MINUTE], None),
        ([SECOND, 6 * MINUTE], SECOND),
        ([6 * MINUTE, 6 * MINUTE + 30 * SECOND], 6 * MINUTE + 30 * SECOND),
        ([6 * MINUTE, 6 * MINUTE + 31 * SECOND], None),
        ([6 * MINUTE, -6 * MINUTE], None),
        ([6 * MINUTE, 6 * MINUTE, HOUR], 6 * MINUTE),
        ([6 * MINUTE, 6 * MINUTE, SECOND], SECOND),
    ],
    ids=[
        "no answer",
        "a small one",
        "the limit itself is small",
        "the last small one counts",
        "a large one alone",
        "a large one after a small one",
        "two large ones that agree",
        "two that nearly do",
        "two that contradict each other",
        "a third one alone",
        "back to small",
    ],
)
def test_what_is_believed(answers: list[timedelta], believed: timedelta | None) -> None:
    assert after(*answers) == believed


def test_it_is_forgotten_after_an_hour_and_a_half() -> None:
    skew = Skew().seen(NOW + SECOND, NOW, 0.0, LIMIT)
    later = NOW + ONE_AND_A_HALF_HOURS * SECOND
    assert skew.ahead(later, ONE_AND_A_HALF_HOURS) == SECOND
    assert skew.ahead(later, ONE_AND_A_HALF_HOURS + 1) is None


@pytest.mark.parametrize("step", [2 * MINUTE, -2 * MINUTE, timedelta(days=400)])
def test_it_stays_right_though_our_clock_is_set(step: timedelta) -> None:
    skew = Skew().seen(NOW + SECOND, NOW, 10.0, LIMIT)
    assert skew.ahead(NOW + MINUTE + step, 70.0) == SECOND - step
    again = skew.seen(NOW + MINUTE + SECOND, NOW + MINUTE + step, 70.0, LIMIT)
    assert again.ahead(NOW + MINUTE + step, 70.0) == SECOND - step, "one answer confirms it"


@pytest.mark.parametrize("year", [1, 9999])
def test_what_no_clock_shows_is_no_answer(year: int) -> None:
    date = datetime(year, 1, 1, tzinfo=UTC)
    assert Skew().seen(date, NOW, 10.0, LIMIT) == Skew()


@settings(derandomize=True, max_examples=100)
@given(good=st.lists(st.integers(-300, 300), min_size=1, max_size=5), bad=st.integers(400, 10**6))
def test_a_single_wrong_answer_stops_nothing(good: list[int], bad: int) -> None:
    answers = [n * SECOND for n in good]
    assert after(*answers, bad * SECOND) == answers[-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sun, 22 Nov 2026 10:00:00 GMT", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("Sun, 22 Nov 2026 11:00:00 +0100", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("Sun, 22 Nov 2026 10:00:00 -0000", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("", None),
        ("yesterday", None),
        ("Sun, 99 Nov 2026 10:00:00 GMT", None),
        ("Sun, 22 Nov 2026 10:00:00 +99999999999999999999", None),
    ],
)
def test_a_date_is_read_or_left_alone(text: str, expected: datetime | None) -> None:
    assert http_date(text) == expected


def test_a_large_difference_is_doubted_until_a_second_answer() -> None:
    assert not Skew().is_doubted
    far = NOW + timedelta(days=400)
    once = Skew().seen(far, NOW, 1.0, LIMIT)
    assert once.is_doubted
    assert not once.seen(far, NOW, 2.0, LIMIT).is_doubted
    assert not once.seen(NOW, NOW, 2.0, LIMIT).is_doubted
