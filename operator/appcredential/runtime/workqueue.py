"""A de-duplicating work queue with a heap of due times.

One worker at a time works on a key. A key that is added meanwhile runs once more afterwards.
Due times are kept by the monotonic clock, which counts while the machine is suspended, so that a
wall clock that is set delays nothing.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from appcredential.errors import ThrottledError, UnavailableError
from appcredential.ports.local import Clock
from appcredential.runtime.logs import within

log = logging.getLogger(__name__)

_MAX_SLEEP = 30.0
_FAILURE_BASE = timedelta(seconds=2)
_FAILURE_CAP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """An object to reconcile. `namespace` is empty for cluster-scoped kinds."""

    kind: str
    namespace: str
    name: str


Reconcile = Callable[[Key], Awaitable[datetime | None]]
"""Works on a key. Returns when to look again; None when the object is gone."""


class WorkQueue:
    """Keys that are ready, keys that are due later, and those being worked on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: dict[Key, None] = {}
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []
        self._working: set[Key] = set()
        self._again: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._wake = asyncio.Event()
        self.last_progress = clock.monotonic()

    def add(self, key: Key) -> None:
        """Make a key ready now."""
        if not self._ready and not self._working:
            self.last_progress = self._clock.monotonic()  # an idle queue is not stuck
        if key in self._working:
            self._again.add(key)
        else:
            self._ready[key] = None
            self._wake.set()

    def add_at(self, key: Key, when: datetime) -> None:
        """Make a key ready at `when`, unless it is due before that anyway."""
        due = self._clock.monotonic() + (when - self._clock.now()).total_seconds()
        known = self._due.get(key)
        if known is not None and known <= due:
            return
        self._due[key] = due
        heapq.heappush(self._heap, (due, key))
        self._wake.set()

    def forget(self, key: Key) -> None:
        """Drop a key's due time and failures."""
        self._due.pop(key, None)
        self._failures.pop(key, None)

    @property
    def depth(self) -> int:
        """The number of keys that are ready and wait for a worker."""
        return len(self._ready)

    def is_stuck(self, seconds: float) -> bool:
        """Return whether keys wait although no work has finished for that long."""
        idle = self._clock.monotonic() - self.last_progress
        return bool(self._ready or self._working) and idle > seconds

    async def run(self, reconcile: Reconcile, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a key in work is finished first."""
        while not stop.is_set():
            self._move_due()
            key = next(iter(self._ready), None)
            if key is None:
                await self._sleep(stop)
                continue
            del self._ready[key]
            self._due.pop(key, None)
            self._working.add(key)
            try:
                await self._work(key, reconcile)
            finally:
                self._finish(key)

    async def _work(self, key: Key, reconcile: Reconcile) -> None:
        try:
            with within(**_about(key)):
                again = await reconcile(key)
        except (UnavailableError, ThrottledError, TimeoutError) as exc:
            # Expected at times, of every key at once: a line each, and no traceback.
            cause = str(exc) or type(exc).__name__
            log.info("reconcile waits", extra={**_about(key), "error": cause})
            self._try_again(key)
            return
        except Exception:  # the outer guard: one broken resource must not end a worker
            log.exception("reconcile failed", extra=_about(key))
            self._try_again(key)
            return
        self._failures.pop(key, None)
        if again is None:
            self.forget(key)
        else:
            self.add_at(key, again)

    def _try_again(self, key: Key) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = min(_FAILURE_BASE * 2 ** min(failures, 10), _FAILURE_CAP)
        self.add_at(key, self._clock.now() + delay)

    def _finish(self, key: Key) -> None:
        self.last_progress = self._clock.monotonic()
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _move_due(self) -> None:
        now = self._clock.monotonic()
        while self._heap and self._heap[0][0] <= now:
            due, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key)

    async def _sleep(self, stop: asyncio.Event) -> None:
        self._wake.clear()
        wait = _MAX_SLEEP
        if self._heap:
            wait = min(wait, self._heap[0][0] - self._clock.monotonic())
        if stop.is_set() or wait <= 0:
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return

    def wake(self) -> None:
        """Make idle workers check the stop flag."""
        self._wake.set()


def _about(key: Key) -> dict[str, str]:
    return {"kind": key.kind, "ns": key.namespace, "obj": key.name}
