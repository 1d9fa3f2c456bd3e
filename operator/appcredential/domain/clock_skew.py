"""How far another machine's clock is from ours, by the Date header of its answers.

A proxy or a front end with a wrong clock may send one wrong Date. That must not stop
what depends on time, so a large difference counts only once two answers agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_AGREEMENT = timedelta(seconds=30)
_BELIEVED_FOR = 90 * 60.0


@dataclass(frozen=True, slots=True)
class Skew:
    """Another clock minus ours.

    Attributes:
        believed: the last difference that counts.
        since: the monotonic time of the answer that showed it.
        doubted: a large difference that only one answer has shown so far.
    """

    believed: timedelta | None = None
    since: float = 0.0
    doubted: timedelta | None = None

    def seen(self, found: timedelta, at: float, limit: timedelta) -> Skew:
        """Return what is known after an answer; up to `limit`, one answer is enough."""
        known = [s for s in (self.believed, self.doubted) if s is not None]
        if abs(found) <= limit or any(abs(found - s) <= _AGREEMENT for s in known):
            return Skew(believed=found, since=at)
        return replace(self, doubted=found)

    @property
    def is_doubted(self) -> bool:
        """A large difference waits for a second answer."""
        return self.doubted is not None

    def now(self, at: float) -> timedelta | None:
        """Return the difference; None when no recent answer showed it.

        An answer stays recent for longer than the hour between two reads, so that the
        difference does not come and go.
        """
        return self.believed if at - self.since <= _BELIEVED_FOR else None


def http_date(text: str) -> datetime | None:
    """Parse an HTTP date; None when the text is none."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
