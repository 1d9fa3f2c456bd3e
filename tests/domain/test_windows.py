"""When windows open and close: over midnight, several at once, and when the clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appcredential.domain import windows as domain_windows
from appcredential.domain.spec.time_zones import time_zone
from appcredential.domain.spec.windows import WEEK, RotationWindow, Weekday
from appcredential.domain.windows import Opening, last_opening, next_opening
from tests.support.builders import DAY, HOUR, MINUTE, SECOND, window
from tests.support.windows import is_open

OSLO = "Europe/Oslo"
NIGHT = window("22:00", "04:00", days=[Weekday.MON, Weekday.TUE], zone=OSLO)
TUESDAY = datetime(2026, 11, 24, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


def opening(opens: str, closes: str) -> Opening:
    return Opening(utc(opens), utc(closes))


@pytest.mark.parametrize(
    ("now", "opens", "closes"),
    [
        ("2026-11-22T10:00", "2026-11-23T21:00", "2026-11-24T03:00"),  # Sunday: on Monday
        ("2026-11-23T20:59", "2026-11-23T21:00", "2026-11-24T03:00"),
        ("2026-11-23T21:00", "2026-11-23T21:00", "2026-11-24T03:00"),  # it opens now
        ("2026-11-24T02:59", "2026-11-23T21:00", "2026-11-24T03:00"),  # on the day after
        ("2026-11-24T03:00", "2026-11-24T21:00", "2026-11-25T03:00"),  # it closes now
        ("2026-11-25T02:59", "2026-11-24T21:00", "2026-11-25T03:00"),
        ("2026-11-25T03:00", "2026-11-30T21:00", "2026-12-01T03:00"),  # Wednesday: next week
    ],
)
def test_a_window_over_midnight(now: str, opens: str, closes: str) -> None:
    assert next_opening([NIGHT], utc(now)) == opening(opens, closes)


def test_without_windows_nothing_ever_opens() -> None:
    assert next_opening([], TUESDAY) is None
    assert last_opening([], TUESDAY) is None


def test_a_window_that_opens_on_no_day_is_looked_for_no_longer_than_two_weeks() -> None:
    never = window("10:00", "12:00", days=[])
    assert next_opening([never], TUESDAY) is None
    assert last_opening([never], TUESDAY) is None
    assert next_opening([never, NIGHT], TUESDAY) == next_opening([NIGHT], TUESDAY)


def test_of_several_windows_the_one_that_is_open_counts() -> None:
    noon = window("11:00", "13:00", zone="UTC")
    late = window("12:00", "15:00", zone="UTC")
    assert next_opening([noon, late], utc("2026-11-24T12:30")) == opening(
        "2026-11-24T11:00", "2026-11-24T13:00"
    )
    assert next_opening([noon, late], utc("2026-11-24T13:00")) == opening(
        "2026-11-24T12:00", "2026-11-24T15:00"
    )
    assert next_opening([late, noon], utc("2026-11-24T15:00")) == opening(
        "2026-11-25T11:00", "2026-11-25T13:00"
    )


def test_windows_of_several_zones() -> None:
    tokyo, honolulu = window("01:00", "02:00", zone="Asia/Tokyo"), "Pacific/Honolulu"
    west = window("23:00", "24:00", days=[Weekday.MON], zone=honolulu)
    assert next_opening([west], utc("2026-11-24T00:00")) == opening(
        "2026-11-24T09:00", "2026-11-24T10:00"
    )
    assert next_opening([west, tokyo], utc("2026-11-23T10:00")) == opening(
        "2026-11-23T16:00", "2026-11-23T17:00"
    )


def test_a_whole_day_is_open_all_the_time() -> None:
    always = window("00:00", "24:00", zone=OSLO)
    for hours in range(24 * 7):
        found = next_opening([always], TUESDAY + hours * HOUR)
        assert found is not None
        assert found.opens <= TUESDAY + hours * HOUR < found.closes


def test_the_last_one_that_is_over_by_a_deadline() -> None:
    assert last_opening([NIGHT], utc("2026-11-24T03:00")) == opening(
        "2026-11-23T21:00", "2026-11-24T03:00"
    )
    assert last_opening([NIGHT], utc("2026-11-24T02:59")) == opening(
        "2026-11-17T21:00", "2026-11-18T03:00"
    )


# --- daylight saving: Oslo skips 02:00 to 03:00 on 2027-03-28 and doubles it on 2026-10-25 ---


@pytest.mark.parametrize(
    ("start", "end", "opens", "closes"),
    [
        ("01:30", "04:00", "00:30", "02:00"),  # an hour shorter
        ("02:30", "04:00", "01:00", "02:00"),  # its beginning is skipped: at the jump
        ("01:30", "02:30", "00:30", "01:00"),  # its end is skipped: at the jump
        ("02:00", "03:00", None, None),  # all of it is skipped
        ("02:15", "02:45", None, None),
        ("03:00", "04:00", "01:00", "02:00"),
    ],
)
def test_the_hour_that_is_skipped(
    start: str, end: str, opens: str | None, closes: str | None
) -> None:
    spring = window(start, end, days=[Weekday.SUN], zone=OSLO)
    found = next_opening([spring], utc("2027-03-27T12:00"))
    if opens is None or closes is None:  # the week after
        assert found is not None
        assert found.opens - utc("2027-04-04T00:00") == spring.start - 2 * HOUR
    else:
        assert found == opening(f"2027-03-28T{opens}", f"2027-03-28T{closes}")


@pytest.mark.parametrize(
    ("start", "end", "opens", "closes"),
    [
        ("01:30", "04:00", "24T23:30", "25T03:00"),  # an hour longer
        ("02:15", "02:45", "25T00:15", "25T01:45"),  # from the first time to the second
        ("02:30", "04:00", "25T00:30", "25T03:00"),
        ("01:30", "02:30", "24T23:30", "25T01:30"),
        ("03:00", "04:00", "25T02:00", "25T03:00"),
    ],
)
def test_the_hour_that_comes_twice(start: str, end: str, opens: str, closes: str) -> None:
    autumn = window(start, end, days=[Weekday.SUN], zone=OSLO)
    assert next_opening([autumn], utc("2026-10-24T12:00")) == opening(
        f"2026-10-{opens}", f"2026-10-{closes}"
    )


def test_a_window_over_midnight_on_the_days_of_the_change() -> None:
    night = window("22:00", "04:00", days=[Weekday.SAT], zone=OSLO)
    assert next_opening([night], utc("2027-03-27T12:00")) == opening(
        "2027-03-27T21:00", "2027-03-28T02:00"
    )
    assert next_opening([night], utc("2026-10-24T12:00")) == opening(
        "2026-10-24T20:00", "2026-10-25T03:00"
    )


def test_a_day_that_a_zone_left_out() -> None:
    """Samoa had no 30 December 2011, a Friday."""
    friday = window("10:00", "12:00", days=[Weekday.FRI], zone="Pacific/Apia")
    found = next_opening([friday], datetime(2011, 12, 28, tzinfo=UTC))
    assert found == Opening(
        datetime(2012, 1, 5, 20, tzinfo=UTC), datetime(2012, 1, 5, 22, tzinfo=UTC)
    )


ZONES = st.sampled_from(
    ("UTC", OSLO, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham")
)
DAYTIMES = st.integers(0, 1439).map(lambda minutes: minutes * MINUTE)
WINDOWS = st.builds(
    RotationWindow,
    days=st.frozensets(st.sampled_from(WEEK), min_size=1),
    start=DAYTIMES,
    end=DAYTIMES,
    zone=ZONES.map(time_zone),
).filter(lambda found: found.start != found.end)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(  # noqa: DTZ001
    lambda found: found.replace(tzinfo=UTC, microsecond=0)
)


@settings(max_examples=150, derandomize=True, database=None, deadline=None)
@given(st.lists(WINDOWS, min_size=1, max_size=3), MOMENTS)
def test_a_window_is_open_whenever_the_clock_on_the_wall_shows_it(
    windows: list[RotationWindow], now: datetime
) -> None:
    found = next_opening(windows, now)
    assert found is not None
    assert found.opens < found.closes
    assert found.closes > now
    assert found.opens - now <= 15 * DAY
    if is_open(windows, now):
        assert found.opens <= now
    elif found.opens > now:  # the moment before, none is open; at that moment, one is
        assert not is_open(windows, found.opens - SECOND)
        assert is_open(windows, found.opens)


@settings(max_examples=50, derandomize=True, database=None, deadline=None)
@given(WINDOWS, MOMENTS)
def test_the_last_one_before_is_followed_by_none_that_is_over_in_time(
    found: RotationWindow, deadline: datetime
) -> None:
    last = last_opening([found], deadline)
    assert last is not None
    assert last.closes <= deadline
    following = next_opening([found], last.closes)
    assert following is not None
    assert following.closes > deadline


def test_no_more_days_are_looked_at_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pass asks for the next opening, and each schedule for the last one."""
    tried, real = [], domain_windows._opening

    def counted(found: RotationWindow, day: date) -> Opening | None:
        tried.append(day)
        return real(found, day)

    monkeypatch.setattr(domain_windows, "_opening", counted)
    assert next_opening([NIGHT, window("12:00", "13:00")], TUESDAY) is not None
    assert last_opening([NIGHT, window("12:00", "13:00")], TUESDAY) is not None
    assert len(tried) <= 3 * 4
