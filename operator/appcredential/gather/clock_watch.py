"""Notices that the machine's clock was set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from appcredential.ports.local import Clock

_STEP: Final = 30.0


@dataclass(slots=True)
class ClockWatch:
    """Compares the wall clock with the monotonic one, from one look to the next.

    Attributes:
        offset: by how many seconds they differed at the last look.
    """

    offset: float | None = None

    def was_set(self, clock: Clock) -> bool:
        """Return whether the wall clock was set since the last look.

        Times of before then say nothing any more: those of a clock that was ahead would seem
        to be of now for as long as it was ahead.
        """
        offset, before = clock.now().timestamp() - clock.monotonic(), self.offset
        self.offset = offset
        return before is not None and abs(offset - before) > _STEP

    def since_looked(self, looked: datetime, clock: Clock) -> datetime:
        """Return the time by the wall clock as it was at the last look, though it was set since.

        Args:
            looked: what it showed then.
            clock: ours.
        """
        if self.offset is None:
            return clock.now()
        then = looked.timestamp() - self.offset
        return looked + timedelta(seconds=clock.monotonic() - then)
