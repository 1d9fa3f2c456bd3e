"""The machine's clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

_CLOCK: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """Implements `ports.local.Clock`."""

    def now(self) -> datetime:
        """Return the wall-clock time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go backwards.

        Where the machine has such a clock, it counts while the machine is suspended.
        Otherwise a virtual machine that wakes up would act as the leader on a Lease that
        another process took over meanwhile.
        """
        return time.clock_gettime(_CLOCK)
