"""Text for a terminal: without control characters, times as people say them, bars."""

from __future__ import annotations

import textwrap
import unicodedata
from math import ceil
from typing import Final

from appcredential.domain.shown_text import plain, span, when

__all__ = ["bar", "cells", "cut", "plain", "span", "when"]

_BARS: Final = {True: "█░", False: "#-"}
_CELLS: Final = 10
_NARROWEST: Final = 10


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
