"""Callers share a read while it is young enough, and never one that is older than it says."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from appcredential.errors import UnavailableError
from appcredential.runtime.shared_read import SharedRead
from tests.support.clock import HandClock

_AGE = timedelta(seconds=2)


class Source:
    """Counts its reads; each waits until it is let go on."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.begun = 0
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None
        self.shared = SharedRead(self.fetch, self.clock, _AGE)

    async def fetch(self) -> int:
        self.begun += 1
        number = self.begun
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return number

    def pass_(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))


@pytest.fixture
async def source() -> Source:
    return Source()


async def test_one_read_answers_all_while_it_is_young(source: Source) -> None:
    assert [await source.shared.get() for _ in range(3)] == [1, 1, 1]
    source.pass_(2)
    assert await source.shared.get() == 1
    source.pass_(0.1)
    assert await source.shared.get() == 2


async def test_who_comes_while_it_is_read_shares_it(source: Source) -> None:
    source.open.clear()
    waiting = [asyncio.create_task(source.shared.get()) for _ in range(5)]
    await asyncio.sleep(0)
    source.open.set()
    assert await asyncio.gather(*waiting) == [1] * 5


async def test_its_age_counts_from_when_it_left(source: Source) -> None:
    source.open.clear()
    first = asyncio.create_task(source.shared.get())
    await asyncio.sleep(0)
    source.pass_(3)  # the answer takes that long: it shows what was three seconds ago
    later = [asyncio.create_task(source.shared.get()) for _ in range(3)]
    await asyncio.sleep(0)
    source.open.set()
    assert await first == 1
    assert await asyncio.gather(*later) == [2] * 3


async def test_a_failure_is_shared_by_who_waits_and_not_kept(source: Source) -> None:
    source.open.clear()
    source.error = UnavailableError("down")
    waiting = [asyncio.create_task(source.shared.get()) for _ in range(3)]
    await asyncio.sleep(0)
    source.open.set()
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in told] == [UnavailableError] * 3
    source.error = None
    assert await source.shared.get() == 2


async def test_one_caller_that_gives_up_ends_no_read(source: Source) -> None:
    source.open.clear()
    one, other = (asyncio.create_task(source.shared.get()) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.sleep(0)
    source.open.set()
    assert await other == 1
