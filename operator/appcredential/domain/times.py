"""RFC 3339 times of Kubernetes objects and of our own annotations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)


def parse_time(text: object) -> datetime | None:
    """Read an RFC 3339 time as aware UTC; None for anything else.

    A time near the ends of the calendar is refused too: see `is_summable`.
    """
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
        if found is None or found.tzinfo is None:
            return None
        moment = found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if is_summable(moment) else None


def is_summable(moment: datetime) -> bool:
    """Return whether an aware time is so far from the ends of the calendar that no sum fails."""
    return _EARLIEST <= moment < _LATEST


def required_time(text: object) -> datetime:
    """Read a time that is always there, such as `creationTimestamp`.

    Raises:
        ValueError: it is missing or unreadable.
    """
    found = parse_time(text)
    if found is None:
        raise ValueError("a required time is missing or unreadable")
    return found


def format_time(time: datetime) -> str:
    """Return a time as Kubernetes writes it: RFC 3339 in UTC with whole seconds."""
    return f"{time.replace(tzinfo=None).isoformat(timespec='seconds')}Z"
