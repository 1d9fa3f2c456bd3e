"""When a request may be sent: pauses that Graph asked for, quotas, spacing per application.

Source of the quotas: learn.microsoft.com/graph/throttling-limits, identity and access. One app
in one tenant has 3,000 writes per 2 min 30 s and, in the smallest tenants, 3,500 resource units
per 10 s. Of two quick writes to one application the second one gets 409
`Directory_ConcurrencyViolation`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeAlias

from appcredential.domain.spec.model import ObjectId
from appcredential.errors import ConflictError, ThrottledError
from appcredential.ports.local import Clock

Sleep: TypeAlias = Callable[[float], Awaitable[object]]
"""Waits for seconds; `asyncio.sleep`, or a virtual one in tests."""

_MAX_SLOTS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How fast requests to one tenant may follow each other. Times in seconds.

    Attributes:
        spacing: between writes to one application.
        after_conflict: the same, after a write that got a 409.
        max_wait: the longest wait in all; a call that would take longer raises ThrottledError.
        writes_per_second, write_burst: 19 · 150 s + 100 is less than 3,000.
        units_per_second, unit_burst: 300 · 10 s + 400 is less than 3,500.
    """

    spacing: float = 1.0
    after_conflict: float = 10.0
    max_wait: float = 12.0
    writes_per_second: float = 19.0
    write_burst: float = 100.0
    units_per_second: float = 300.0
    unit_burst: float = 400.0


PACING: Final = Pacing()


class TokenBucket:
    """A quota that refills evenly. Reservations are served in order."""

    def __init__(self, rate: float, burst: float, clock: Clock) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._level = burst
        self._time = clock.monotonic()

    def wait(self) -> float:
        """Return in how many seconds the next unit is free."""
        now = self._clock.monotonic()
        self._level = min(self._burst, self._level + (now - self._time) * self._rate)
        self._time = now
        return max(0.0, (1.0 - self._level) / self._rate)

    def take(self) -> None:
        """Take one unit, in advance when none is free: wait for `wait()` before its use."""
        self._level -= 1.0


@dataclass(slots=True)
class _Slot:
    """The writes to one application, one at a time."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_time: float = 0.0
    users: int = 0


class RateLimiter:
    """Lets the requests of one tenant pass at a pace that Graph allows. For one event loop."""

    def __init__(self, pacing: Pacing, clock: Clock, sleep: Sleep) -> None:
        self._pacing = pacing
        self._clock = clock
        self._sleep = sleep
        self._units = TokenBucket(pacing.units_per_second, pacing.unit_burst, clock)
        self._writes = TokenBucket(pacing.writes_per_second, pacing.write_burst, clock)
        self._paused_until = float("-inf")
        self._slots: dict[ObjectId, _Slot] = {}

    def pause(self, length: timedelta) -> None:
        """Let nothing pass for that long. A present pause that is longer stays."""
        until = self._clock.monotonic() + length.total_seconds()
        self._paused_until = max(self._paused_until, until)

    @contextmanager
    def noting_pauses(self) -> Iterator[None]:
        """Record a pause that Graph or the token endpoint asks for inside."""
        try:
            yield
        except ThrottledError as error:
            self.pause(error.retry_after)
            raise

    async def pass_read(self) -> None:
        """Wait until a read may be sent.

        Raises:
            ThrottledError: Graph asked for a pause, or the wait would be too long.
        """
        await self._acquire((self._units,), self._deadline())

    @asynccontextmanager
    async def write(self, object_id: ObjectId) -> AsyncIterator[None]:
        """Hold an application's turn to be written. After a ConflictError the next gap is longer.

        Raises:
            ThrottledError: Graph asked for a pause, or the wait would be too long.
        """
        self._check_pause()
        deadline = self._deadline()
        slot = self._slot(object_id)
        slot.users += 1
        try:
            await self._lock(slot)
            try:
                await self._wait(slot.next_time - self._clock.monotonic(), deadline)
                await self._acquire((self._units, self._writes), deadline)
                async with self._spaced(slot):
                    yield
            finally:
                slot.lock.release()
        finally:
            slot.users -= 1

    @asynccontextmanager
    async def _spaced(self, slot: _Slot) -> AsyncIterator[None]:
        gap = self._pacing.spacing
        try:
            yield
        except ConflictError:
            gap = self._pacing.after_conflict
            raise
        finally:
            slot.next_time = self._clock.monotonic() + gap

    async def _lock(self, slot: _Slot) -> None:
        try:
            async with asyncio.timeout(self._pacing.max_wait):
                await slot.lock.acquire()
        except TimeoutError:
            wait = timedelta(seconds=self._pacing.spacing * slot.users)
            raise ThrottledError("many writes to one application", retry_after=wait) from None

    async def _acquire(self, buckets: tuple[TokenBucket, ...], deadline: float) -> None:
        """Take one unit of each bucket, or of none."""
        self._check_pause()
        wait = max(bucket.wait() for bucket in buckets)
        self._check_wait(wait, deadline)
        for bucket in buckets:
            bucket.take()
        if wait > 0:
            await self._sleep(wait)
            self._check_pause()

    async def _wait(self, seconds: float, deadline: float) -> None:
        self._check_wait(seconds, deadline)
        if seconds > 0:
            await self._sleep(seconds)

    def _check_wait(self, seconds: float, deadline: float) -> None:
        if seconds > 0 and self._clock.monotonic() + seconds > deadline:
            wait = timedelta(seconds=seconds)
            raise ThrottledError("the operator's own pace for this tenant", retry_after=wait)

    def _check_pause(self) -> None:
        rest = self._paused_until - self._clock.monotonic()
        if rest > 0:
            raise ThrottledError("Graph asked to slow down", retry_after=timedelta(seconds=rest))

    def _deadline(self) -> float:
        return self._clock.monotonic() + self._pacing.max_wait

    def _slot(self, object_id: ObjectId) -> _Slot:
        if object_id not in self._slots and len(self._slots) >= _MAX_SLOTS:
            now = self._clock.monotonic()
            keep = {k: v for k, v in self._slots.items() if v.users or v.next_time > now}
            self._slots = keep
        return self._slots.setdefault(object_id, _Slot())
