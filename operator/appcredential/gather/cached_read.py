"""One thing that a pass read, with its age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class CachedRead(Generic[T]):
    """One thing read, and when by the monotonic clock; `read` is None before.

    An outline has of the value what tells whether the thing changed since, and no more.
    """

    value: T | None = None
    read: float | None = None
    is_outline: bool = False

    def set(self, value: T | None, now: float) -> None:
        """Note a fresh value; None means read and absent."""
        self.value = value
        self.read = now
        self.is_outline = False

    def keep_outline(self, outline: T) -> None:
        """Keep an outline of what was read; the next pass reads the thing itself anew."""
        self.value = outline
        self.is_outline = True

    def is_fresh(self, now: float, seconds: float) -> bool:
        """Return whether it was read whole, at most `seconds` ago."""
        return self.read is not None and not self.is_outline and now - self.read <= seconds

    @property
    def is_absent(self) -> bool:
        """Whether the last look found nothing."""
        return self.read is not None and self.value is None

    def drop(self) -> None:
        """Make the next pass read it anew."""
        self.read = None
