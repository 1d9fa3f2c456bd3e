"""How far another machine's clock is from ours, as far as the Date of its answers tells.

One answer with a wrong Date, from a proxy or a front end whose clock is off, must
not stop what depends on time: a large difference counts once two answers agree.
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
        doubted: a large one that only one answer showed so far.
    """

    believed: timedelta | None = None
    since: float = 0.0
    doubted: timedelta | None = None

    def seen(self, found: timedelta, at: float, limit: timedelta) -> Skew:
        """Return what is known after an answer; up to `limit` one answer will do."""
        known = [s for s in (self.believed, self.doubted) if s is not None]
        if abs(found) <= limit or any(abs(found - s) <= _AGREEMENT for s in known):
            return Skew(believed=found, since=at)
        return replace(self, doubted=found)

    def now(self, at: float) -> timedelta | None:
        """Return the difference; None while unknown or when the last answer is long ago.

        Longer than the hourly reads are apart, so that it does not come and go.
        """
        return self.believed if at - self.since <= _BELIEVED_FOR else None


def http_date(text: str) -> datetime | None:
    """Parse an HTTP date; None when it is none."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
