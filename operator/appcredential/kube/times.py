"""RFC 3339 times of Kubernetes objects and of our own annotations."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_time(text: str | None) -> datetime | None:
    """Read an RFC 3339 time as aware UTC; None for nothing or nonsense."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if found is None or found.tzinfo is None:
        return None
    return found.astimezone(UTC)


def required_time(text: str | None) -> datetime:
    """Read a time that must be there, as `creationTimestamp` always is.

    Raises:
        ValueError: missing or unreadable.
    """
    found = parse_time(text)
    if found is None:
        raise ValueError("a required time is missing or unreadable")
    return found
