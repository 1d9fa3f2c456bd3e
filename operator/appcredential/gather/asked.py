"""A complete look that somebody asked for: all that is held of a resource is read directly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_SPACING: Final = timedelta(seconds=10)
"""Between two of them for one resource: each costs calls to Entra."""


@dataclass(slots=True)
class AskedLook:
    """Whether somebody asks for one, and when the last one began.

    Attributes:
        is_asked: somebody asks, and it has not begun.
        began: when the last one did.
    """

    is_asked: bool = False
    began: datetime | None = None

    def begin(self, now: datetime) -> bool:
        """Tell whether one begins now: it was asked for, and the last one is some time ago."""
        is_soon = self.began is not None and abs(now - self.began) < _SPACING
        if not self.is_asked or is_soon:
            return False
        self.is_asked, self.began = False, now
        return True

    def max_age(self, allowed: timedelta, now: datetime) -> timedelta:
        """Return how old a shared read may be: not from before the last one began."""
        if self.began is None:
            return allowed
        return max(min(allowed, now - self.began), timedelta(0))

    def next_time(self, when: datetime) -> datetime:
        """Return when to look again, if one waits for its time."""
        if not self.is_asked or self.began is None:
            return when
        return min(when, self.began + _SPACING)
