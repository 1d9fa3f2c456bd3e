"""Periodic work, for as long as the process lives.

An error, however unexpected, costs one turn and nothing more. A loop that ended silently would
leave a process that looks healthy and does nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from appcredential.errors import AppCredentialError
from appcredential.ports.local import Clock
from appcredential.runtime.metrics import Metrics

log = logging.getLogger(__name__)

EndProcess = Callable[[int, str], None]
"""Ends the process; called with the exit status and the cause."""


class Loop:
    """Runs one job now, and again after each period, or at once when woken."""

    def __init__(
        self,
        name: str,
        job: Callable[[], Awaitable[None]],
        period: timedelta,
        *,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.name = name
        self._job = job
        self._period = period.total_seconds()
        self._clock = clock
        self._metrics = metrics
        self._woken = asyncio.Event()
        self._progress = clock.monotonic()

    def idle(self) -> float:
        """Return the seconds since a turn last ended in an expected way.

        An unreachable server is expected: a restart would not help.
        """
        return self._clock.monotonic() - self._progress

    def wake(self) -> None:
        """Start the next turn at once."""
        self._woken.set()

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            await self._turn()
            await self._pause()

    async def _turn(self) -> None:
        try:
            await self._job()
        except AppCredentialError as exc:
            log.warning("periodic work failed", extra={"job": self.name, "error": str(exc)})
        except Exception as exc:  # the outer guard: the next turn may succeed
            kind = type(exc).__name__
            self._metrics.loop_failures.labels(self.name, kind).inc()
            log.exception("periodic work broke", extra={"job": self.name, "kind": kind})
            return
        self._progress = self._clock.monotonic()

    async def _pause(self) -> None:
        due = self._clock.monotonic() + self._period
        try:
            async with asyncio.timeout(self._period):
                await self._woken.wait()
        except TimeoutError:
            self._metrics.queue.lag.observe(max(0.0, self._clock.monotonic() - due))
            return
        self._woken.clear()


def watch(task: asyncio.Task[None], *, is_stopping: Callable[[], bool], end: EndProcess) -> None:
    """End the process when a task ends that should live as long as the process."""

    def ended(done: asyncio.Task[None]) -> None:
        if is_stopping():
            return
        exc = None if done.cancelled() else done.exception()
        why = "cancelled" if done.cancelled() else type(exc).__name__ if exc else "returned"
        log.error("a task ended", extra={"task": done.get_name(), "kind": why}, exc_info=exc)
        end(1, f"{done.get_name()} ended: {why}")

    task.add_done_callback(ended)
