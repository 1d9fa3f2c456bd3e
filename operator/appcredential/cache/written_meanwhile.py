"""What a process writes while a list is under way: the list may lack it, and it counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class WrittenMeanwhile(Generic[T]):
    """By name; None for what was deleted."""

    def __init__(self) -> None:
        self._lists: list[dict[str, T | None]] = []

    def note(self, name: str, value: T | None) -> None:
        """Note a write, or with None a deletion."""
        for written in self._lists:
            written[name] = value

    @contextmanager
    def listing(self) -> Iterator[dict[str, T | None]]:
        """Yield what is written from now on, until the list is complete."""
        written: dict[str, T | None] = {}
        self._lists.append(written)
        try:
            yield written
        finally:
            # By identity: another list may be under way, during which the same was written.
            self._lists = [other for other in self._lists if other is not written]
