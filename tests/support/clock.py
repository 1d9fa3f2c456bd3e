"""A clock that moves only by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.support.builders import NOW

_BEGIN = 1000.0


class HandClock:
    """A ports.Clock. It begins at `start`, 1000 seconds by `monotonic`.

    Attributes:
        seconds: what `monotonic` returns; add to it to let time pass.
        slept: the length of each `sleep`, in seconds.
    """

    def __init__(self, start: datetime = NOW) -> None:
        self.seconds = _BEGIN
        self.slept: list[float] = []
        self._start = start

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.seconds - _BEGIN)

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, length: timedelta) -> None:
        """Let time pass."""
        self.seconds += length.total_seconds()

    def set_wall(self, by: timedelta) -> None:
        """Set the wall clock; the monotonic one does not notice."""
        self._start += by

    async def sleep(self, seconds: float) -> None:
        """Let time pass instead of waiting, and note for how long."""
        self.slept.append(seconds)
        self.seconds += seconds
