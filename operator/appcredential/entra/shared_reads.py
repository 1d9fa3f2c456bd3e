"""Reads of an application that several callers share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, Protocol, TypeVar

from appcredential.domain.spec.model import ObjectId
from appcredential.ports.local import Clock

_MANY: Final = 1000
_KEEP: Final = 60.0


class OfApplication(Protocol):
    """A read of one application."""

    @property
    def object_id(self) -> ObjectId:
        """The application's."""
        ...


K = TypeVar("K", bound=str)
V = TypeVar("V", bound=OfApplication)


@dataclass(frozen=True, slots=True)
class _Read(Generic[V]):
    """A finished read. `epoch` is the number of our writes that had ended when it left."""

    found: V
    started: float
    epoch: int


@dataclass(frozen=True, slots=True)
class _Flight(Generic[V]):
    task: asyncio.Task[V]
    started: float
    epoch: int


class SharedReads(Generic[K, V]):
    """Reads by client or object id, shared by callers while they are young enough.

    The age counts from when the request left, so that no read passes for newer than the state
    that it shows. Callers share a failure, too, but it is not kept.
    """

    def __init__(self, fetch: Callable[[K], Awaitable[V]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._reads: dict[K, _Read[V]] = {}
        self._flights: dict[K, _Flight[V]] = {}
        self._ids: dict[K, ObjectId] = {}
        self._written: dict[ObjectId, int] = {}
        self._epoch = 0

    async def get(self, key: K, max_age: timedelta) -> V:
        """Return a read that left at most `max_age` ago; make one if there is none."""
        oldest = self._clock.monotonic() - max_age.total_seconds()
        while True:
            read = self._reads.get(key)
            if read is not None and read.started >= oldest and self._is_current(key, read):
                return read.found
            flight = self._flights.get(key) or self._start(key)
            if flight.started >= oldest and self._is_current(key, flight):
                # Shielded: the cancellation of one caller must not end the read of the others.
                return await asyncio.shield(flight.task)
            # Too old to join: all that wait here share the next one.
            await asyncio.wait([flight.task])

    def drop(self, object_id: ObjectId) -> None:
        """After a write, let no read that left before now answer a later call."""
        self._epoch += 1
        self._written[object_id] = self._epoch

    def _is_current(self, key: K, read: _Read[V] | _Flight[V]) -> bool:
        object_id = self._ids.get(key)
        # Until its first answer, any write may have been to this application.
        written = self._epoch if object_id is None else self._written.get(object_id, 0)
        return read.epoch >= written

    def _start(self, key: K) -> _Flight[V]:
        started, epoch = self._clock.monotonic(), self._epoch
        task = asyncio.create_task(self._read(key, started, epoch))
        flight = _Flight(task, started, epoch)
        self._flights[key] = flight
        task.add_done_callback(lambda done: self._ended(key, done))
        return flight

    async def _read(self, key: K, started: float, epoch: int) -> V:
        found = await self._fetch(key)
        self._ids[key] = found.object_id
        self._reads[key] = _Read(found, started, epoch)
        self._forget_old()
        return found

    def _ended(self, key: K, done: asyncio.Task[V]) -> None:
        self._flights.pop(key, None)
        if not done.cancelled():
            done.exception()  # retrieved, in case no caller waits any more

    def _forget_old(self) -> None:
        if len(self._reads) <= _MANY:
            return
        oldest = self._clock.monotonic() - _KEEP
        self._reads = {k: v for k, v in self._reads.items() if v.started >= oldest}
