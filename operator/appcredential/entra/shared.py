"""One read of an application for everyone who needs it at that time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from appcredential.domain.observed import Application
from appcredential.domain.spec import ClientId, ObjectId
from appcredential.ports import Clock

Fetch: TypeAlias = Callable[[ClientId], Awaitable[Application]]

_MANY: Final = 1000
_KEEP: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Read:
    """A finished read. `epoch` counts our writes that had ended when it left."""

    application: Application
    started: float
    epoch: int


@dataclass(frozen=True, slots=True)
class _Flight:
    task: asyncio.Task[Application]
    started: float
    epoch: int


class SharedReads:
    """Reads by client id, shared among callers and kept while they are young enough.

    What counts as age is measured from when the request left, so a read never
    claims to be newer than what it shows. Failures are shared, never kept.
    """

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._reads: dict[ClientId, _Read] = {}
        self._flights: dict[ClientId, _Flight] = {}
        self._ids: dict[ClientId, ObjectId] = {}
        self._written: dict[ObjectId, int] = {}
        self._epoch = 0

    async def get(self, client_id: ClientId, max_age: timedelta) -> Application:
        """Return a read that left at most `max_age` before now, or make one."""
        oldest = self._clock.monotonic() - max_age.total_seconds()
        while True:
            read = self._reads.get(client_id)
            if read is not None and read.started >= oldest and self._is_current(client_id, read):
                return read.application
            flight = self._flights.get(client_id) or self._start(client_id)
            if flight.started >= oldest and self._is_current(client_id, flight):
                # Shielded: a caller that gives up must not take the read from the others.
                return await asyncio.shield(flight.task)
            # Too old to join. Everyone who waits here shares the one that follows.
            await asyncio.wait([flight.task])

    def drop(self, object_id: ObjectId) -> None:
        """Let no read that left before now answer a later call: we wrote to it."""
        self._epoch += 1
        self._written[object_id] = self._epoch

    def _is_current(self, client_id: ClientId, read: _Read | _Flight) -> bool:
        object_id = self._ids.get(client_id)
        # Before its first answer we cannot tell whether the write was to this one.
        written = self._epoch if object_id is None else self._written.get(object_id, 0)
        return read.epoch >= written

    def _start(self, client_id: ClientId) -> _Flight:
        started, epoch = self._clock.monotonic(), self._epoch
        task = asyncio.create_task(self._read(client_id, started, epoch))
        flight = _Flight(task, started, epoch)
        self._flights[client_id] = flight
        task.add_done_callback(lambda done: self._ended(client_id, done))
        return flight

    async def _read(self, client_id: ClientId, started: float, epoch: int) -> Application:
        application = await self._fetch(client_id)
        self._ids[client_id] = application.object_id
        self._reads[client_id] = _Read(application, started, epoch)
        self._forget_old()
        return application

    def _ended(self, client_id: ClientId, done: asyncio.Task[Application]) -> None:
        self._flights.pop(client_id, None)
        if not done.cancelled():
            done.exception()  # looked at, should nobody be waiting any more

    def _forget_old(self) -> None:
        if len(self._reads) <= _MANY:
            return
        oldest = self._clock.monotonic() - _KEEP
        self._reads = {k: v for k, v in self._reads.items() if v.started >= oldest}
