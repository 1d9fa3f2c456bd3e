"""The emulator's clock: it follows the machine's clock, and can be moved or stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from entra_emulator.values.instants import Ticks, ticks_of


def _wall_time() -> datetime:
    return datetime.now(UTC)


class EmulatorClock:
    """The only source of time, except for TLS certificates, which use the machine's clock."""

    def __init__(self, wall: Callable[[], datetime] = _wall_time) -> None:
        self._wall = wall
        self._offset = timedelta()
        self._stopped_at: datetime | None = None
        self._stamps = 0

    @property
    def offset(self) -> timedelta:
        """The time by which this clock is ahead of the machine's."""
        return self.now() - self._wall()

    @property
    def stopped(self) -> bool:
        """Whether the clock stands still until it is moved."""
        return self._stopped_at is not None

    def now(self) -> datetime:
        """Return the emulated instant."""
        return self._stopped_at or self._wall() + self._offset

    def stamp(self) -> Ticks:
        """Return the instant with seven digits, as Graph does where a client sends no time.

        The seventh digit is never zero, so that a test notices a client that drops it.
        """
        self._stamps += 1
        return Ticks(ticks_of(self.now()) + 1 + self._stamps % 9)

    def move(self, delta: timedelta) -> None:
        """Move the clock forwards, or backwards with a negative delta."""
        self.set_to(self.now() + delta)

    def set_to(self, instant: datetime) -> None:
        """Set the clock to an instant; a stopped clock stays stopped."""
        # Times are written with `Z`, so convert an instant of another zone.
        instant = instant.astimezone(UTC)
        if self._stopped_at is not None:
            self._stopped_at = instant
        self._offset = instant - self._wall()

    def stop(self) -> None:
        """Stop the clock at the present instant."""
        self._stopped_at = self.now()

    def resume(self) -> None:
        """Let a stopped clock run on from its instant."""
        if self._stopped_at is not None:
            self._offset = self._stopped_at - self._wall()
            self._stopped_at = None
