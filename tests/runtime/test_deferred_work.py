"""A late renewal of the Lease puts work off for as long as it is late, and not for longer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from appcredential.runtime.deferred_work import DeferredWork
from appcredential.runtime.ready import Key
from appcredential.runtime.workqueue import Again, WorkQueue
from tests.support.clock import HandClock
from tests.support.guard import open_guard

KEY: Final = Key("appcredentials", "shop", "orders")
TOO_LITTLE: Final = 29.0


class Leader:
    """A leader with as much of the Lease left as a test says."""

    def __init__(self) -> None:
        self.left = 60.0
        self.clock = HandClock()
        self.queue = WorkQueue(self.clock)
        self.guard = open_guard()
        self.guard.remaining = lambda: self.left
        self.deferred = DeferredWork(self.queue, self.guard, self._reconcile)

    async def _reconcile(self, _key: Key) -> Again | None:
        self.guard.problem()
        return Again(self.clock.now() + timedelta(minutes=1))

    def reconcile(self) -> None:
        asyncio.run(self.deferred.reconcile(KEY))

    async def work_off(self) -> None:
        """Let a worker take what is ready."""
        stop = asyncio.Event()
        worker = asyncio.create_task(self.queue.run(self.deferred.reconcile, stop))
        for _ in range(10):
            await asyncio.sleep(0)
        stop.set()
        self.queue.wake()
        await worker


def test_what_was_put_off_is_queued_once_the_renewal_came() -> None:
    leader = Leader()
    leader.left = TOO_LITTLE
    leader.reconcile()
    leader.deferred.resume()
    assert leader.queue.depth == 0  # the renewal is still late
    leader.left = 60.0
    leader.deferred.resume()
    assert leader.queue.depth == 1


def test_what_was_put_off_is_queued_once() -> None:
    leader = Leader()
    leader.left = TOO_LITTLE
    leader.reconcile()
    leader.left = 60.0
    leader.deferred.resume()
    leader.deferred.resume()
    asyncio.run(leader.work_off())
    leader.deferred.resume()
    assert leader.queue.depth == 0


def test_work_that_nothing_refused_is_not_repeated() -> None:
    leader = Leader()
    leader.reconcile()
    leader.deferred.resume()
    assert leader.queue.depth == 0


def test_what_something_else_sees_to_is_not_done_again() -> None:
    leader = Leader()
    leader.left = TOO_LITTLE
    leader.reconcile()
    leader.left = 60.0
    leader.deferred.forget([KEY])
    leader.deferred.resume()
    assert leader.queue.depth == 0
