"""A de-duplicating work queue with a heap of due times; `ready.py` says who is served next.

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
from typing import Final, Protocol

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.urgency import Urgency
from appcredential.errors import ThrottledError, UnavailableError
from appcredential.ports.local import Clock
from appcredential.runtime.idle import IdleWorkers
from appcredential.runtime.logs import within
from appcredential.runtime.ready import UNBOUNDED, Bounds, Key, Lane, Ready

log = logging.getLogger(__name__)

_MAX_SLEEP: Final = 30.0
_FAILURE_BASE: Final = timedelta(seconds=2)
_FAILURE_CAP: Final = timedelta(minutes=5)
_ANYWHERE: Final = Lane()


@dataclass(frozen=True, slots=True)
class Again:
    """When to work on a key again.

    Attributes:
        urgency: how urgent that will be; None for what is known of the key then.
        awaits_turn: what was read is to be used then: others write to the application first.
    """

    when: datetime
    urgency: Urgency | None = None
    awaits_turn: bool = False


Reconcile = Callable[[Key], Awaitable[Again | None]]
"""Works on a key. Returns when to look again; None when the object is gone."""


class Wake(Protocol):
    """Has a key reconciled soon; see `WorkQueue.add`."""

    def __call__(
        self, key: Key, urgency: Urgency | None = ..., /, *, unless: Callable[[], bool] = ...
    ) -> None:
        """Make a key ready now."""


def _never() -> bool:
    return False


class WorkQueue:
    """Keys that are ready, keys that are due later, and those being worked on.

    Args:
        lane_of: where a key stands in line, and how urgent a look at it is now.
        bounds: how much may be under way at once.
        is_ours: returns whether this process works on a key; others are never queued.
    """

    def __init__(
        self,
        clock: Clock,
        lane_of: Callable[[Key], Lane] = lambda _: _ANYWHERE,
        bounds: Bounds = UNBOUNDED,
        is_ours: Callable[[Key], bool] = lambda _: True,
    ) -> None:
        self._clock = clock
        self._lane_of = lane_of
        self._is_ours = is_ours
        self._ready = Ready(bounds)
        self._due: dict[Key, tuple[float, Urgency | None]] = {}
        self._heap: list[tuple[float, Key]] = []
        self._working: dict[Key, float] = {}
        self._again: dict[Key, tuple[Urgency | None, Callable[[], bool]]] = {}
        self._failures: dict[Key, int] = {}
        self._idle = IdleWorkers()
        self.last_progress = clock.monotonic()

    def add(
        self,
        key: Key,
        urgency: Urgency | None = None,
        /,
        *,
        unless: Callable[[], bool] = _never,
    ) -> None:
        """Make a key ready now. One that waits already becomes at most more urgent.

        Args:
            key: the object.
            urgency: if it is more urgent than what is known of the key says.
            unless: asked after the work on the key that is under way, if there is any: whether
                that work has made another look needless.
        """
        if not self._is_ours(key):
            return
        if not self._ready and not self._working:
            self.last_progress = self._clock.monotonic()  # an idle queue is not stuck
        if key in self._working:
            before, needless = self._again.get(key, (None, unless))
            is_sure = needless is _never
            self._again[key] = _sooner(before, urgency), _never if is_sure else unless
            return
        place = self._lane_of(key)
        self._ready.add(
            key, place, place.urgency if urgency is None else min(place.urgency, urgency)
        )
        self._idle.wake_one()

    def add_at(self, key: Key, when: datetime, urgency: Urgency | None = None) -> None:
        """Make a key ready at `when`, unless it is due before that anyway."""
        due = self._clock.monotonic() + (when - self._clock.now()).total_seconds()
        known = self._due.get(key)
        if known is not None and known[0] <= due:
            self._due[key] = known[0], _sooner(known[1], urgency)
            return
        self._due[key] = due, _sooner(known[1] if known is not None else None, urgency)
        heapq.heappush(self._heap, (due, key))
        self._idle.wake_one()

    def forget(self, key: Key) -> None:
        """Drop a key's due time and failures."""
        self._due.pop(key, None)
        self._failures.pop(key, None)
        self._ready.give_up(key)

    def withdraw(self, key: Key) -> bool:
        """Have a key neither wait nor come due; return False while it is worked on."""
        if key in self._working:
            return False
        self._ready.withdraw(key)
        self.forget(key)
        return True

    @property
    def depth(self) -> int:
        """The number of keys that are ready and wait for a worker."""
        return len(self._ready)

    def depths(self) -> dict[Urgency, int]:
        """Return the number of keys that wait for a worker, by their class."""
        return self._ready.counts()

    def stuck(self) -> float:
        """Return for how many seconds no work has finished although some waits or goes on."""
        is_busy = bool(self._ready or self._working)
        return self._clock.monotonic() - self.last_progress if is_busy else 0.0

    def is_stuck(self, seconds: float) -> bool:
        """Return whether keys wait although no work has finished for that long."""
        return self.stuck() > seconds

    def longest(self) -> float:
        """Return for how many seconds the oldest work under way has been going on."""
        now = self._clock.monotonic()
        return max((now - began for began in self._working.values()), default=0.0)

    @property
    def retrying(self) -> int:
        """The number of keys whose last work failed."""
        return len(self._failures)

    async def run(self, reconcile: Reconcile, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a key in work is finished first."""
        while not stop.is_set():
            self._move_due()
            taken = self._ready.take()
            if taken is None:
                await self._sleep(stop)
                continue
            key, urgency = taken
            self._due.pop(key, None)
            self._working[key] = self._clock.monotonic()
            awaits_turn = False
            try:
                awaits_turn = await self._work(key, urgency, reconcile)
            finally:
                self._finish(key, awaits_turn=awaits_turn)

    async def _work(self, key: Key, urgency: Urgency, reconcile: Reconcile) -> bool:
        """Work on a key, and note when it is due again.

        Returns:
            Whether it awaits its turn, while what was read is fresh.
        """
        try:
            with within(**_about(key)):
                again = await reconcile(key)
        except (UnavailableError, ThrottledError, TimeoutError) as exc:
            # Expected at times, of every key at once: a line each, and no traceback.
            cause = str(exc) or type(exc).__name__
            log.info("reconcile waits", extra={**_about(key), "error": cause})
            self._try_again(key, urgency)
            return False
        except Exception:  # the outer guard: one broken resource must not end a worker
            log.exception("reconcile failed", extra=_about(key))
            self._try_again(key, urgency)
            return False
        self._failures.pop(key, None)
        if again is None:
            self.forget(key)
            return False
        self.add_at(key, again.when, again.urgency)
        return again.awaits_turn and again.when - self._clock.now() <= LifecycleSettings.freshness

    def _try_again(self, key: Key, urgency: Urgency) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = min(_FAILURE_BASE * 2 ** min(failures, 10), _FAILURE_CAP)
        self.add_at(key, self._clock.now() + delay, urgency)

    def _finish(self, key: Key, *, awaits_turn: bool) -> None:
        self.last_progress = self._clock.monotonic()
        self._working.pop(key, None)
        self._ready.end(key, awaits_turn=awaits_turn)
        urgency, unless = self._again.pop(key, (None, None))
        if unless is not None and not unless():
            self.add(key, urgency)
        if self._ready:
            self._idle.wake_one()  # what a bound held back may be free now

    def _move_due(self) -> None:
        now = self._clock.monotonic()
        while self._heap and self._heap[0][0] <= now:
            due, key = heapq.heappop(self._heap)
            known = self._due.get(key)
            if known is not None and known[0] == due:
                del self._due[key]
                self.add(key, known[1])

    async def _sleep(self, stop: asyncio.Event) -> None:
        wait = _MAX_SLEEP
        if self._heap:
            wait = min(wait, self._heap[0][0] - self._clock.monotonic())
        if stop.is_set() or wait <= 0:
            await asyncio.sleep(0)
            return
        await self._idle.sleep(wait)

    def wake(self) -> None:
        """Make idle workers check the stop flag."""
        self._idle.wake_all()


def _sooner(one: Urgency | None, other: Urgency | None) -> Urgency | None:
    """Return the more urgent of two; None says nothing."""
    return min((u for u in (one, other) if u is not None), default=None)


def _about(key: Key) -> dict[str, str]:
    return {"kind": key.kind, "ns": key.namespace, "obj": key.name}
