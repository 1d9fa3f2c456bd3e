"""The clock of the whole emulator: it follows the machine's, and can be moved or stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from entra_emulator.values.instants import Ticks, ticks_of


def _wall_time() -> datetime:
    return datetime.now(UTC)


class EmulatorClock:
    """The one source of time; only the validity of TLS certificates uses the machine's own."""

    def __init__(self, wall: Callable[[], datetime] = _wall_time) -> None:
        self._wall = wall
        self._offset = timedelta()
        self._stopped_at: datetime | None = None
        self._stamps = 0

    @property
    def offset(self) -> timedelta:
        """How far this clock is ahead of the machine's."""
        return self.now() - self._wall()

    @property
    def stopped(self) -> bool:
        """Whether the clock stands still until it is moved."""
        return self._stopped_at is not None

    def now(self) -> datetime:
        """Return the emulated instant."""
        return self._stopped_at or self._wall() + self._offset

    def stamp(self) -> Ticks:
        """Return the instant with all seven digits, as a server that fills in a time.

        The seventh digit is never zero: a client that drops it must be noticed.
        """
        self._stamps += 1
        return Ticks(ticks_of(self.now()) + 1 + self._stamps % 9)

    def move(self, delta: timedelta) -> None:
        """Move forwards, or backwards with a negative delta."""
        self.set_to(self.now() + delta)

    def set_to(self, instant: datetime) -> None:
        """Jump to an instant; a stopped clock stays stopped there."""
        # What is written from here on is labelled UTC, whatever zone the instant came in.
        instant = instant.astimezone(UTC)
        if self._stopped_at is not None:
            self._stopped_at = instant
        self._offset = instant - self._wall()

    def stop(self) -> None:
        """Stand still at the present instant."""
        self._stopped_at = self.now()

    def resume(self) -> None:
        """Run on from where the clock stands."""
        if self._stopped_at is not None:
            self._offset = self._stopped_at - self._wall()
            self._stopped_at = None
