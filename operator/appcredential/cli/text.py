"""Text for a terminal: without control characters, times as people say them, bars."""

from __future__ import annotations

import textwrap
import unicodedata
from datetime import datetime, timedelta
from math import ceil
from typing import Final

_UNSHOWN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_UNITS: Final = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("min", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)
_BARS: Final = {True: "█░", False: "#-"}
_CELLS: Final = 10
_NARROWEST: Final = 10


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


def bar(left: float, *, unicode: bool = True) -> str:
    """Return ten cells, of which those of what is left are full.

    Args:
        left: a share between 0 and 1. A cell is empty only once all of it is gone, so that what is
            not over never looks so.
        unicode: whether the terminal can show blocks.
    """
    blocks = _BARS[unicode]
    full = min(_CELLS, max(0, ceil(left * _CELLS)))
    return blocks[0] * full + blocks[1] * (_CELLS - full)


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def cut(text: str, width: int) -> str:
    """Return a text that takes so many cells at most; what is cut off shows as an ellipsis."""
    if cells(text) <= width:
        return text
    while text and cells(text) >= width:
        text = text[:-1]
    return f"{text}…" if width > 0 else ""


def wrapped(paragraph: str, width: int | None) -> list[str]:
    """Return a paragraph in lines of so many cells; in one line where there is no width."""
    if width is None:
        return [paragraph]
    return textwrap.wrap(paragraph, max(_NARROWEST, width), break_on_hyphens=False) or [""]


def _cells_of(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
