"""Workers that have nothing to do, and how they are woken."""

from __future__ import annotations

import asyncio
from collections import deque


class IdleWorkers:
    """The workers that sleep, in the order in which they fell asleep."""

    def __init__(self) -> None:
        self._asleep: deque[asyncio.Event] = deque()

    async def sleep(self, seconds: float) -> None:
        """Sleep until somebody wakes this worker, and for so long at most."""
        roused = asyncio.Event()
        self._asleep.append(roused)
        try:
            async with asyncio.timeout(seconds):
                await roused.wait()
        except TimeoutError:
            return
        finally:
            if not roused.is_set():
                self._asleep.remove(roused)

    def wake_one(self) -> None:
        """Wake the one that sleeps longest: one more key than before can be worked on."""
        if self._asleep:
            self._asleep.popleft().set()

    def wake_all(self) -> None:
        """Wake all of them."""
        while self._asleep:
            self.wake_one()
