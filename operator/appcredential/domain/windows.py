"""When windows open and close. Pure: `now` is a parameter.

A window follows the clock on the wall. What opens or closes in an hour that is skipped does so at
the moment of the jump, so that a window which lies within that hour does not open that day. In an
hour that comes twice, a window opens the first time and closes the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from appcredential.domain.spec.windows import WEEK, RotationWindow

_DAY: Final = timedelta(days=1)
_REACH: Final = 15
"""Days: each window opens once a week, and again the week after if a skipped hour takes one."""
_EDGE: Final = 1
"""Days: a window may have opened the day before, and closes on the day after at the latest."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One time in which a window is open."""

    opens: datetime
    closes: datetime


def next_opening(windows: Sequence[RotationWindow], now: datetime) -> Opening | None:
    """Return the opening that goes on now, else the next one; None without windows."""
    found = (_first(o for o in _openings(w, now, 1) if o.closes > now) for w in windows)
    return min(filter(None, found), key=lambda opening: opening.opens, default=None)


def last_opening(windows: Sequence[RotationWindow], deadline: datetime) -> Opening | None:
    """Return the last opening that is over by a deadline; None without windows."""
    found = (_first(o for o in _openings(w, deadline, -1) if o.closes <= deadline) for w in windows)
    return max(filter(None, found), key=lambda opening: opening.opens, default=None)


def _first(found: Iterator[Opening]) -> Opening | None:
    return next(found, None)


def _openings(window: RotationWindow, moment: datetime, step: int) -> Iterator[Opening]:
    """Yield openings around and after a moment in order; before it, with a step of -1."""
    date_there = moment.astimezone(window.zone).date()
    for number in range(-_EDGE, _REACH + _EDGE):
        day = date_there + step * number * _DAY
        if WEEK[day.weekday()] in window.days and (found := _opening(window, day)) is not None:
            yield found


@lru_cache(maxsize=4096)
def _opening(window: RotationWindow, day: date) -> Opening | None:
    """Return when a window is open that opens on a day; None if a skipped hour takes all of it."""
    midnight = datetime.combine(day, time())
    end = window.end if window.end > window.start else window.end + _DAY
    opens = _instant(midnight + window.start, window.zone, fold=0)
    closes = _instant(midnight + end, window.zone, fold=1)
    return Opening(opens, closes) if opens < closes else None


def _instant(wall: datetime, zone: tzinfo, *, fold: int) -> datetime:
    """Return when the clock on the wall shows a time: the first or second time, if it does twice.

    If it never does, that is the moment at which it jumps past it.
    """
    before, after = (wall.replace(tzinfo=zone, fold=f).astimezone(UTC) for f in (0, 1))
    if before <= after:
        return after if fold else before
    return _jump(after, before, zone)


def _jump(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """Return when the zone's offset changes, to the second, between two times of UTC."""
    former = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == former:
            low = middle
        else:
            high = middle
    return high
