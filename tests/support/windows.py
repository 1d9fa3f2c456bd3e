"""When a window is open, by the clock on the wall alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from appcredential.domain.spec.windows import WEEK, RotationWindow


def shows(window: RotationWindow, moment: datetime) -> bool:
    """Return whether the clock on the wall shows a time within the window."""
    wall = moment.astimezone(window.zone)
    since = timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second)
    today, before = WEEK[wall.weekday()], WEEK[wall.weekday() - 1]
    if window.start < window.end:
        return today in window.days and window.start <= since < window.end
    return (today in window.days and since >= window.start) or (
        before in window.days and since < window.end
    )


def is_open(windows: Iterable[RotationWindow], moment: datetime) -> bool:
    """Return whether one of the windows is open."""
    return any(shows(window, moment) for window in windows)


def next_close(windows: Iterable[RotationWindow], moment: datetime) -> datetime:
    """Return when the next window closes that is closed now, to the quarter of an hour."""
    found, quarter = moment.replace(second=0, microsecond=0), timedelta(minutes=15)
    found -= timedelta(minutes=found.minute % 15)
    while not is_open(windows, found):
        found += quarter
    while is_open(windows, found):
        found += quarter
    return found
