"""When a request may be sent: pauses that Graph asked for, quotas, spacing per application.

A call that comes too early raises NotYetError, which names the time to come again. Only who has
its turn already waits in here, and only for moments.

Of two quick writes to one application the second one gets 409 `Directory_ConcurrencyViolation`.
`pacing.py` has the quotas.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NoReturn, TypeAlias

from appcredential.domain.spec.model import ObjectId
from appcredential.entra.pacing import Pacing
from appcredential.entra.turns import Line
from appcredential.errors import ConflictError, NotYetError, ThrottledError, TooLateError
from appcredential.ports.local import Clock
from appcredential.ports.session import Pace

Sleep: TypeAlias = Callable[[float], Awaitable[object]]
"""Waits for seconds; `asyncio.sleep`, or a virtual one in tests."""

_MAX_LINES: Final = 1000
_LONGEST: Final = 300.0
_USUAL: Final = 0.2  # seconds that a write takes, until one was seen
_MENDER: Final = ""


class TokenBucket:
    """A quota that refills evenly."""

    def __init__(self, rate: float, burst: float, clock: Clock) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._level = burst
        self._time = clock.monotonic()
        self._told = self._time

    def wait(self) -> float:
        """Return in how many seconds the next unit is free."""
        now = self._clock.monotonic()
        self._level = min(self._burst, self._level + (now - self._time) * self._rate)
        self._time = now
        return max(0.0, (1.0 - self._level) / self._rate)

    def used(self) -> float:
        """Return the share that is used now; above 1 what was taken in advance. For any thread."""
        refilled = self._level + (self._clock.monotonic() - self._time) * self._rate
        return 1.0 - min(self._burst, refilled) / self._burst

    def tell(self) -> float:
        """Return in how many seconds to come again: each caller is told another time."""
        soonest = self._clock.monotonic() + self.wait()
        self._told = max(soonest, self._told + 1 / self._rate)
        return self._told - self._clock.monotonic()

    def take(self) -> None:
        """Take one unit, in advance when none is free."""
        self._level -= 1.0


@dataclass(slots=True)
class Write:
    """A write in its turn.

    Attributes:
        is_sent: whether it may have been sent; if not, the turn costs nothing.
    """

    is_sent: bool = True


class RateLimiter:
    """Lets the requests of one tenant pass at a pace that Graph allows. For one event loop."""

    def __init__(self, pacing: Pacing, clock: Clock, sleep: Sleep) -> None:
        self._pacing = pacing
        self._clock = clock
        self._sleep = sleep
        self._units = TokenBucket(pacing.units_per_second, pacing.unit_burst, clock)
        self._writes = TokenBucket(pacing.writes_per_second, pacing.write_burst, clock)
        self._paused_until = float("-inf")
        self._pauses = 0
        self._lines: dict[ObjectId, Line] = {}

    def pause(self, length: timedelta) -> None:
        """Let nothing pass for that long. A present pause that is longer stays."""
        self._pauses += 1
        until = self._clock.monotonic() + length.total_seconds()
        self._paused_until = max(self._paused_until, until)

    def pace(self) -> Pace:
        """Return how much of the quotas is used, and the pause; for any thread."""
        rest = max(0.0, self._paused_until - self._clock.monotonic())
        return Pace(self._units.used(), self._writes.used(), rest, self._pauses)

    @contextmanager
    def noting_pauses(self) -> Iterator[None]:
        """Record a pause that Graph or the token endpoint asks for inside."""
        try:
            yield
        except NotYetError:
            raise  # our own pace, which concerns no other call
        except ThrottledError as error:
            self.pause(error.retry_after)
            raise

    # --- reads ------------------------------------------------------------------------------

    def pass_read(self) -> None:
        """Count a read that is sent now.

        Raises:
            ThrottledError: Graph asked for a pause.
            NotYetError: the quota is used up; come again.
        """
        self._check_pause()
        if self._units.wait() > 0:
            _refuse(self._units.tell())
        self._units.take()

    async def await_read(self) -> None:
        """Count a read of somebody who has its turn, or holds no worker; wait for a moment.

        Raises:
            ThrottledError: Graph asked for a pause.
            NotYetError: the wait would be too long.
        """
        self._check_pause()
        wait = self._units.wait()
        if wait > self._pacing.max_wait:
            _refuse(wait)
        self._units.take()
        if wait > 0:
            await self._sleep(wait)
            self._check_pause()

    # --- writes -----------------------------------------------------------------------------

    @contextmanager
    def turn(self, object_id: ObjectId, who: str) -> Iterator[None]:
        """Hold an application's turn to be written, within the running task.

        Args:
            object_id: the application.
            who: names the caller, whose place in the line is kept.

        Raises:
            ThrottledError: Graph asked for a pause.
            NotYetError: it is another one's turn, or the quota is used up; come again.
        """
        self._check_pause()
        line, now = self._line(object_id), self._clock.monotonic()
        if wait := line.wait(who, now, is_urgent=who == _MENDER):
            _refuse(wait)
        if max(self._writes.wait(), self._units.wait()) > 0:
            _refuse(max(self._writes.tell(), self._units.wait()))
        line.begin(who, now)
        try:
            yield
        finally:
            line.end()

    @asynccontextmanager
    async def write(self, object_id: ObjectId) -> AsyncIterator[Write]:
        """Count a write of the task that holds the turn; another task takes the turn for it.

        A second write in one turn waits for the gap between two.

        Raises:
            ThrottledError, NotYetError: see `turn`.
        """
        line = self._line(object_id)
        if line.holder is not asyncio.current_task():
            with self.turn(object_id, _MENDER):
                async with self._counted(line) as write:
                    yield write
            return
        async with self._counted(line) as write:
            yield write

    @asynccontextmanager
    async def awaited_write(self, object_id: ObjectId) -> AsyncIterator[Write]:
        """Wait for the turn, and count a write: for what mends a loss and holds no worker.

        Raises:
            ThrottledError: Graph asked for a pause.
        """
        while wait := self._line(object_id).wait(_MENDER, self._clock.monotonic(), is_urgent=True):
            self._check_pause()
            await self._sleep(wait)
        async with self.write(object_id) as write:
            yield write

    @asynccontextmanager
    async def _counted(self, line: Line) -> AsyncIterator[Write]:
        rest = line.next_time - self._clock.monotonic()
        if rest > 0:
            await self._sleep(rest)
        write, gap = Write(), self._pacing.spacing
        try:
            yield write
        except TooLateError:
            write.is_sent = False
            raise
        except ConflictError:
            gap = self._pacing.after_conflict
            raise
        finally:
            if write.is_sent:
                line.wrote(self._clock.monotonic(), gap)
                self._writes.take()
                self._units.take()

    def _check_pause(self) -> None:
        rest = self._paused_until - self._clock.monotonic()
        if rest > 0:
            raise ThrottledError("Graph asked to slow down", retry_after=timedelta(seconds=rest))

    def _line(self, object_id: ObjectId) -> Line:
        if object_id not in self._lines and len(self._lines) >= _MAX_LINES:
            now = self._clock.monotonic()
            self._lines = {k: v for k, v in self._lines.items() if not v.is_idle(now)}
        return self._lines.setdefault(object_id, Line(self._pacing.spacing + _USUAL))


def _refuse(wait: float) -> NoReturn:
    """Send the caller away. One with a long way to go looks around in between."""
    again = timedelta(seconds=min(wait, _LONGEST))
    raise NotYetError("the operator's own pace for this tenant", retry_after=again)
