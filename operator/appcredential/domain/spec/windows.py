"""`spec.rotation.windows`: when a successor may take the place of what workloads use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, tzinfo
from enum import StrEnum
from typing import Final

MAX_WINDOWS: Final = 10


class Weekday(StrEnum):
    """A day on which a window opens, in the order of `date.weekday()`."""

    MON = "Mon"
    TUE = "Tue"
    WED = "Wed"
    THU = "Thu"
    FRI = "Fri"
    SAT = "Sat"
    SUN = "Sun"


WEEK: Final = tuple(Weekday)


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationWindow:
    """One window, which opens on some days of each week.

    Attributes:
        days: those on which it opens; it may close on the day after.
        start: when it opens, since midnight by the clock on the wall.
        end: the same of its close; not after `start` for one that closes on the day after.
        zone: whose clock that is.
    """

    days: frozenset[Weekday]
    start: timedelta
    end: timedelta
    zone: tzinfo
