"""How far another machine's clock is from ours, by the Date header of its answers.

A proxy or a front end with a wrong clock may send one wrong Date. That must not stop
what depends on time, so a large difference counts only once two answers agree.

Our own clock may be set between two answers. The difference is therefore kept as what the other
clock showed at a monotonic time, which nobody sets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_AGREEMENT = timedelta(seconds=30)
_BELIEVED_FOR = 90 * 60.0
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""No clock shows anything else, and sums with such a date would overflow."""


@dataclass(frozen=True, slots=True)
class Skew:
    """What another clock shows.

    Attributes:
        believed: what it showed at monotonic time zero, by the last answer that counts.
        since: the monotonic time of that answer.
        doubted: the same by an answer that showed a large difference, and that no other has
            confirmed so far.
    """

    believed: datetime | None = None
    since: float = 0.0
    doubted: datetime | None = None

    def seen(self, date: datetime, now: datetime, at: float, limit: timedelta) -> Skew:
        """Return what is known after an answer; up to `limit`, one answer is enough.

        Args:
            date: what the other clock showed.
            now: what ours showed then.
            at: the monotonic time of that, in seconds.
            limit: the largest difference that needs no second answer.
        """
        if not _EARLIEST < date < _LATEST:
            return self
        zero = date - timedelta(seconds=at)
        known = [s for s in (self.believed, self.doubted) if s is not None]
        if abs(date - now) <= limit or any(abs(zero - s) <= _AGREEMENT for s in known):
            return Skew(believed=zero, since=at)
        return replace(self, doubted=zero)

    @property
    def is_doubted(self) -> bool:
        """A large difference waits for a second answer."""
        return self.doubted is not None

    def ahead(self, now: datetime, at: float) -> timedelta | None:
        """Return the other clock minus ours; None when no recent answer showed it.

        An answer stays recent for longer than the hour between two reads, so that the
        difference does not come and go.

        Args:
            now: what ours shows.
            at: the monotonic time, in seconds.
        """
        if self.believed is None or at - self.since > _BELIEVED_FOR:
            return None
        return self.believed + timedelta(seconds=at) - now


def http_date(text: str) -> datetime | None:
    """Parse an HTTP date; None when the text is none."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
