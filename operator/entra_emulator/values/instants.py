"""Instants as Graph keeps them: 100-nanosecond ticks, written with up to seven digits.

Python's datetime stops at microseconds. Clients that drop the seventh digit cause real trouble, so
the emulator must keep it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import NewType

Ticks = NewType("Ticks", int)
"""100-nanosecond units since 1970-01-01 UTC."""

TICKS_PER_SECOND = 10_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PATTERN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,12}))?(Z|[+-]\d\d:\d\d)")


def ticks_of(instant: datetime) -> Ticks:
    """Return the ticks of an aware datetime."""
    return Ticks((instant - _EPOCH) // timedelta(microseconds=1) * 10)


def datetime_of(ticks: Ticks) -> datetime:
    """Return the datetime of ticks, truncated to microseconds."""
    return _EPOCH + timedelta(microseconds=ticks // 10)


def parse_time(text: str) -> Ticks:
    """Read an Edm.DateTimeOffset such as `2026-01-21T12:00:00+00:00`.

    Raises:
        ValueError: the text has another form or no offset (which Graph refuses too), or is
            outside of the years 1 to 9999.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(text)
    seconds, fraction, zone = match.groups()
    whole = datetime.fromisoformat(seconds + ("+00:00" if zone == "Z" else zone))
    try:
        instant = whole.astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None
    return Ticks(ticks_of(instant) + int((fraction or "0").ljust(7, "0")[:7]))


def render_time(ticks: Ticks) -> str:
    """Write ticks as Graph does: no fraction for whole seconds, no trailing zeros."""
    whole, fraction = divmod(ticks, TICKS_PER_SECOND)
    text = (_EPOCH + timedelta(seconds=whole)).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{fraction:07d}".rstrip("0")
    return f"{text}.{digits}Z" if digits else f"{text}Z"


def render_exact(ticks: Ticks) -> str:
    """Write ticks with all seven digits of the second."""
    return f"{render_time(whole_seconds(ticks))[:-1]}.{ticks % TICKS_PER_SECOND:07d}Z"


def whole_seconds(ticks: Ticks) -> Ticks:
    """Return ticks without the fraction of the second."""
    return Ticks(ticks - ticks % TICKS_PER_SECOND)


def add_years(ticks: Ticks, years: int) -> Ticks:
    """Add calendar years; 29 February becomes 28 February."""
    instant = datetime_of(ticks)
    try:
        moved = instant.replace(year=instant.year + years)
    except ValueError:
        moved = instant.replace(year=instant.year + years, day=28)
    return Ticks(ticks_of(moved) + ticks % 10)


def entra_stamp(instant: datetime) -> str:
    """Write an instant as in the error bodies of the token endpoint."""
    return instant.strftime("%Y-%m-%d %H:%M:%SZ")


def http_date(instant: datetime) -> str:
    """Write an instant for the `Date` header."""
    return format_datetime(instant, usegmt=True)
