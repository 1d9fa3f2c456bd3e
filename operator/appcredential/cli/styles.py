"""What a piece of text means; the terminal decides how that looks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Style(Enum):
    """The meaning of a piece of text."""

    PLAIN = auto()
    HEAD = auto()
    GOOD = auto()
    WARN = auto()
    BAD = auto()
    DIM = auto()


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Part, ...]
