"""Progress messages for a person."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[str], None]


def silent(_line: str) -> None:
    """Say nothing."""


def to_stderr(line: str) -> None:
    """Print a line on standard error, apart from output that a shell evaluates."""
    print(line, file=sys.stderr, flush=True)


def spell_duration(seconds: float) -> str:
    """Return a duration for people: 75.2 becomes `1 min 15 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
