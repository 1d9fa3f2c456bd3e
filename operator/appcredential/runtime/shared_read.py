"""A read that several callers share while it is young enough."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from appcredential.ports.local import Clock

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Flight(Generic[V]):
    task: asyncio.Task[V]
    started: float


class SharedRead(Generic[V]):
    """One value that is read anew when the last read of it left too long ago.

    The age counts from when the request left, so that no read passes for newer than the state
    that it shows. Callers that wait share a failure, too, but it is not kept.

    Args:
        fetch: reads the value.
        clock: of the process.
        max_age: how old a read may be that answers a call.
    """

    def __init__(self, fetch: Callable[[], Awaitable[V]], clock: Clock, max_age: timedelta) -> None:
        self._fetch = fetch
        self._clock = clock
        self._max_age = max_age.total_seconds()
        self._flight: _Flight[V] | None = None

    async def get(self) -> V:
        """Return a value whose read left at most `max_age` ago.

        Raises:
            Exception: whatever `fetch` raised.
        """
        oldest = self._clock.monotonic() - self._max_age
        while True:
            flight = self._flight
            if flight is None or _has_failed(flight.task):
                flight = self._start()
            if flight.started >= oldest:
                # Shielded: the cancellation of one caller must not end the read of the others.
                return await asyncio.shield(flight.task)
            if flight.task.done():
                self._flight = None
            else:
                # Too old to join: all that wait here share the next one.
                await asyncio.wait([flight.task])

    async def _read(self) -> V:
        return await self._fetch()

    def _start(self) -> _Flight[V]:
        task: asyncio.Task[V] = asyncio.create_task(self._read())
        task.add_done_callback(_retrieve)
        self._flight = flight = _Flight(task, self._clock.monotonic())
        return flight


def _has_failed(task: asyncio.Task[V]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _retrieve(task: asyncio.Task[V]) -> None:
    """Take the exception, in case no caller waits any more."""
    if not task.cancelled():
        task.exception()
