"""Three hundred resources on one application, and a neighbour, on the real queue and limiter."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from appcredential.domain.spec.model import ObjectId
from appcredential.entra.pacing import PACING
from appcredential.entra.rate_limit import RateLimiter
from appcredential.errors import NotYetError
from appcredential.runtime.ready import Key
from appcredential.runtime.workqueue import Again, WorkQueue
from tests.support.clock import HandClock

WORKERS = 20
TICK = 0.1


class Operator:
    """Workers that write once for each key, in virtual time."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.queue = WorkQueue(self.clock)
        self.gate = RateLimiter(PACING, self.clock, self.sleep)
        self.ticked = asyncio.Event()
        self.passes = 0
        self.finished: dict[Key, float] = {}

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a worker waits for a turn")

    async def reconcile(self, key: Key) -> Again | None:
        self.passes += 1
        try:
            with self.gate.turn(ObjectId(key.namespace), key.name):
                async with self.gate.write(ObjectId(key.namespace)):
                    await self.answer()
            self.finished[key] = self.clock.seconds
        except NotYetError as error:
            return Again(self.clock.now() + error.retry_after)
        return None

    async def answer(self) -> None:
        """Take until the next tick, as a request does."""
        await self.ticked.wait()

    async def run(self, until: float, arrivals: dict[float, Key]) -> None:
        stop = asyncio.Event()
        workers = [
            asyncio.create_task(self.queue.run(self.reconcile, stop)) for _ in range(WORKERS)
        ]
        while self.clock.seconds < until:
            for at in [at for at in arrivals if at <= self.clock.seconds]:
                self.queue.add(arrivals.pop(at))
            for _ in range(3 * WORKERS):
                await asyncio.sleep(0)
            self.clock.advance(timedelta(seconds=TICK))
            self.ticked.set()
            self.ticked = asyncio.Event()
            self.queue.wake()
        stop.set()
        self.ticked.set()
        self.queue.wake()
        async with asyncio.timeout(5):
            await asyncio.gather(*workers)


async def test_a_crowd_takes_one_turn_each_and_a_neighbour_is_served_at_once() -> None:
    operator = Operator()
    began = operator.clock.seconds
    crowd = [Key("appcredentials", "shared", f"orders-{number}") for number in range(300)]
    for key in crowd:
        operator.queue.add(key)
    neighbours = {
        began + 5.0 * number: Key("appcredentials", f"own-{number}", "billing")
        for number in range(1, 60)
    }
    arrived = {key: at for at, key in neighbours.items()}
    await operator.run(began + 420, neighbours)
    delays = [operator.finished[key] - at for key, at in arrived.items()]
    assert max(delays) <= 0.5
    assert all(key in operator.finished for key in crowd)
    # Nobody asks again and again either: that would cost the neighbours, too.
    assert operator.passes < 6 * len(crowd)


async def test_forty_take_forty_turns() -> None:
    operator = Operator()
    began = operator.clock.seconds
    crowd = [Key("appcredentials", "shared", f"orders-{number}") for number in range(40)]
    for key in crowd:
        operator.queue.add(key)
    await operator.run(began + 60, {})
    assert all(key in operator.finished for key in crowd)
