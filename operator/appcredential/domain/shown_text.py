"""What an API server or Entra says, as text for people; and times as people say them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

_UNSHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_UNITS: Final = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("min", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)


def plain(value: object, limit: int = 2048) -> str:
    """Return a value of the API server as one line that moves no cursor and changes no colour.

    Control characters, those that change the direction of text, and line breaks become blanks.

    Args:
        value: a string; anything else counts as empty.
        limit: the longest text; what is longer ends in an ellipsis.
    """
    if not isinstance(value, str):
        return ""
    if len(value) <= limit and value.isascii() and value.isprintable() and "  " not in value:
        return value.strip()
    shown = "".join(
        " " if unicodedata.category(letter) in _UNSHOWN else letter for letter in value[: limit + 1]
    )
    shown = " ".join(shown.split())
    return shown if len(value) <= limit else f"{shown[: limit - 1]}…"


def first_of(names: Sequence[str], most: int = 5) -> str:
    """Return the first names of a list, and how many more there are."""
    others = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{others}"


def span(length: timedelta) -> str:
    """Return a length of time in its largest whole unit, such as `12 d`; the sign is left out."""
    length = abs(length)
    for name, unit in _UNITS:
        if length >= 2 * unit or (length >= unit and name in {"min", "s"}):
            return f"{length // unit} {name}"
    return "0 s"


def when(time: datetime | None, now: datetime) -> str:
    """Return a time as people say it: `in 12 d`, `3 h ago`; empty without one."""
    if time is None:
        return ""
    if abs(time - now) < timedelta(seconds=1):
        return "now"
    return f"in {span(time - now)}" if time > now else f"{span(time - now)} ago"
