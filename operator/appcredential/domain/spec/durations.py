"""Durations as the custom resources write them: `90d`, `12h30m`, `1w`.

The pattern is the one in the CRDs. The API server alone would also accept `-90d`, `1.5d` or
`90d garbage`, so both sides use the same narrow form.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

MAX_DURATION_LENGTH: Final = 24
_PATTERN: Final = re.compile(
    r"(?:([0-9]{1,4})w)?(?:([0-9]{1,4})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?"
)
_UNITS: Final = (
    ("w", timedelta(weeks=1)),
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("m", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)


def parse_duration(text: str) -> timedelta:
    """Read a duration such as `90d` or `1h30m`.

    Args:
        text: whole numbers with the units w, d, h, m and s, largest first.

    Raises:
        ValueError: the text has another form.
    """
    match = _PATTERN.fullmatch(text)
    if match is None or not text or len(text) > MAX_DURATION_LENGTH:
        raise ValueError("must be whole numbers with the units w, d, h, m, s in this order")
    parts = zip(match.groups(default="0"), _UNITS, strict=True)
    return sum((int(number) * unit for number, (_, unit) in parts), timedelta(0))


def format_duration(value: timedelta) -> str:
    """Write a duration in the shortest usual form: `90d`, `1d12h`, `0s`.

    Weeks are written as days, and fractions of a second are dropped.

    Raises:
        ValueError: the duration is negative, which no field can hold.
    """
    if value < timedelta(0):
        raise ValueError("must not be negative")
    text = ""
    for letter, unit in _UNITS[1:]:
        number, value = divmod(value, unit)
        text += f"{number}{letter}" if number else ""
    return text or "0s"
