"""The work queue: order, due times, back-off and one worker per key; by an injected clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from appcredential.errors import ThrottledError, UnavailableError
from appcredential.runtime.logs import Surroundings
from appcredential.runtime.ready import Key
from appcredential.runtime.workqueue import Again, Reconcile, WorkQueue
from tests.support.builders import NOW, SECOND
from tests.support.clock import HandClock

A, B, C = (Key("appcredentials", "shop", name) for name in ("a", "b", "c"))


class Work:
    """A reconcile that notes its calls and can be held up."""

    def __init__(self) -> None:
        self.calls: list[Key] = []
        self.running: set[Key] = set()
        self.most_at_once = 0
        self.answers: dict[Key, datetime | None] = {}
        self.failing: set[Key] = set()
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, key: Key) -> Again | None:
        assert key not in self.running, "one key, two workers"
        self.calls.append(key)
        self.running.add(key)
        self.most_at_once = max(self.most_at_once, len(self.running))
        try:
            await self.open.wait()
            if key in self.failing:
                raise RuntimeError("as arranged")
        finally:
            self.running.discard(key)
        when = self.answers.pop(key, None)
        return Again(when) if when is not None else None


@asynccontextmanager
async def working(queue: WorkQueue, reconcile: Reconcile, workers: int = 1) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(queue.run(reconcile, stop)) for _ in range(workers)]
    try:
        yield
    finally:
        stop.set()
        queue.wake()
        async with asyncio.timeout(5):
            await asyncio.gather(*tasks)


async def until(condition: Callable[[], bool]) -> None:
    """Let the workers run until the condition holds; they need turns of the loop, not time."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("the workers came to rest without it")


async def settle() -> None:
    """Give the workers more turns than anything here needs."""
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.fixture
async def queue(clock: HandClock) -> WorkQueue:
    return WorkQueue(clock)


@pytest.fixture
async def work() -> Work:
    return Work()


async def test_keys_are_worked_on_in_the_order_they_were_added(
    queue: WorkQueue, work: Work
) -> None:
    for key in (B, A, C):
        queue.add(key)
    async with working(queue, work):
        await until(lambda: len(work.calls) == 3)
    assert work.calls == [B, A, C]


async def test_a_key_added_twice_runs_once_and_keeps_its_place(
    queue: WorkQueue, work: Work
) -> None:
    for key in (A, B, A, A):
        queue.add(key)
    assert queue.depth == 2
    async with working(queue, work):
        await until(lambda: len(work.calls) == 2)
        await settle()
    assert work.calls == [A, B]


async def test_a_key_added_while_it_is_worked_on_runs_once_more(
    queue: WorkQueue, work: Work
) -> None:
    work.open.clear()
    queue.add(A)
    async with working(queue, work, workers=3):
        await until(lambda: work.calls == [A])
        for _ in range(5):
            queue.add(A)
        await settle()
        assert work.calls == [A]
        work.open.set()
        await until(lambda: len(work.calls) == 2)
        await settle()
    assert work.calls == [A, A]


@pytest.mark.parametrize(
    ("reasons", "times"),
    [
        ([lambda: True], 1),
        ([lambda: False], 2),
        ([lambda: False, lambda: True], 1),
        ([lambda: True, None], 2),
        ([None, lambda: True], 2),
    ],
)
async def test_an_event_that_the_work_made_needless_runs_nothing(
    queue: WorkQueue, work: Work, reasons: list[Callable[[], bool] | None], times: int
) -> None:
    """The last reason counts, for it knows of all before; but none hides a sure one."""
    work.open.clear()
    queue.add(A)
    async with working(queue, work):
        await until(lambda: work.calls == [A])
        for needless in reasons:
            if needless is None:
                queue.add(A)
            else:
                queue.add(A, unless=needless)
        work.open.set()
        await settle()
        assert work.calls == [A] * times


async def test_different_keys_run_side_by_side_and_one_key_never_does(
    queue: WorkQueue, work: Work
) -> None:
    work.open.clear()
    async with working(queue, work, workers=2):
        for key in (A, B, C):
            queue.add(key)
        await until(lambda: work.running == {A, B})
        for key in (A, B, C):
            queue.add(key)
        work.open.set()
        await until(lambda: len(work.calls) == 5)  # C waited all along, so it runs once
        await settle()
    assert work.most_at_once == 2
    assert sorted(work.calls) == [A, A, B, B, C]


async def test_due_keys_come_in_the_order_of_their_times(
    clock: HandClock, queue: WorkQueue, work: Work
) -> None:
    for key, seconds in ((A, 30), (B, 10), (C, 20)):
        queue.add_at(key, NOW + timedelta(seconds=seconds))
    async with working(queue, work):
        await settle()
        assert work.calls == []
        clock.advance(10 * SECOND)
        queue.wake()
        await until(lambda: work.calls == [B])
        clock.advance(100 * SECOND)
        queue.wake()
        await until(lambda: len(work.calls) == 3)
    assert work.calls == [B, C, A]


async def test_only_the_earlier_of_two_due_times_counts(
    clock: HandClock, queue: WorkQueue, work: Work
) -> None:
    for seconds in (20, 40, 10, 30):
        queue.add_at(A, NOW + timedelta(seconds=seconds))
    async with working(queue, work):
        for second in range(10, 60, 10):
            clock.advance(10 * SECOND)
            queue.wake()
            await until(lambda: work.calls == [A])
            await settle()
            assert work.calls == [A], f"ran again after {second} s"


async def test_what_reconcile_returns_is_when_the_key_runs_again(
    clock: HandClock, queue: WorkQueue, work: Work
) -> None:
    work.answers[A] = NOW + timedelta(seconds=600)
    queue.add(A)
    async with working(queue, work):
        await until(lambda: work.calls == [A])
        clock.advance(599 * SECOND)
        queue.wake()
        await settle()
        assert work.calls == [A]
        clock.advance(SECOND)
        queue.wake()
        await until(lambda: work.calls == [A, A])


async def test_an_event_does_not_make_an_old_due_time_run_it_twice(
    clock: HandClock, queue: WorkQueue, work: Work
) -> None:
    queue.add_at(A, NOW + timedelta(seconds=10))
    queue.add(A)
    async with working(queue, work):
        await until(lambda: work.calls == [A])
        clock.advance(10 * SECOND)
        queue.wake()
        await settle()
    assert work.calls == [A]


async def test_a_key_that_is_gone_is_forgotten_with_its_due_time(
    clock: HandClock, queue: WorkQueue, work: Work
) -> None:
    work.open.clear()
    queue.add(A)
    async with working(queue, work):
        await until(lambda: work.calls == [A])
        queue.add_at(A, NOW + timedelta(seconds=5))
        work.open.set()
        await until(lambda: not work.running)
        clock.advance(5 * SECOND)
        queue.wake()
        await settle()
    assert work.calls == [A]


async def test_a_clock_set_forward_makes_keys_due(
    clock: HandClock, queue: WorkQueue, work: Work
) -> None:
    queue.add_at(A, NOW + timedelta(days=60))
    clock.advance(timedelta(days=61))
    async with working(queue, work):
        await until(lambda: work.calls == [A])


async def test_failures_back_off_doubling_to_five_minutes_and_a_success_ends_it(
    clock: HandClock, queue: WorkQueue, work: Work
) -> None:
    work.failing.add(A)
    queue.add(A)
    async with working(queue, work):
        await until(lambda: len(work.calls) == 1)
        for count, seconds in enumerate((4, 8, 16, 32, 64, 128, 256, 300, 300), start=1):
            clock.advance((seconds - 1) * SECOND)
            queue.wake()
            await settle()
            assert len(work.calls) == count, f"before {seconds} s"
            clock.advance(SECOND)
            queue.wake()
            await until(lambda n=count: len(work.calls) == n + 1)  # type: ignore[misc]
        work.failing.clear()
        work.answers[A] = clock.now() + timedelta(seconds=1000)
        clock.advance(300 * SECOND)
        queue.wake()
        await until(lambda: len(work.calls) == 11)
        work.failing.add(A)
        queue.add(A)
        await until(lambda: len(work.calls) == 12)
        clock.advance(4 * SECOND)
        queue.wake()
        await until(lambda: len(work.calls) == 13)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UnavailableError("GET to the API server failed"), "GET to the API server failed"),
        (ThrottledError("asked to slow down", retry_after=SECOND), "asked to slow down"),
        (TimeoutError(), "TimeoutError"),
    ],
)
async def test_what_is_expected_is_one_line_without_a_traceback(
    queue: WorkQueue, caplog: pytest.LogCaptureFixture, error: Exception, told: str
) -> None:
    async def fail(_key: Key) -> None:
        raise error

    queue.add(A)
    with caplog.at_level(logging.INFO, logger="appcredential"):
        async with working(queue, fail):
            await until(lambda: bool(caplog.records))
    (line,) = (vars(record) for record in caplog.records)
    assert (line["levelname"], line["exc_info"]) == ("INFO", None)
    assert (line["kind"], line["ns"], line["obj"]) == (A.kind, A.namespace, A.name)
    assert line["error"] == told


async def test_whatever_is_logged_for_a_key_names_it(
    queue: WorkQueue, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(_key: Key) -> None:
        logging.getLogger("appcredential.entra.translate").warning("HTTP 503")

    monkeypatch.setattr(caplog.handler, "filters", [Surroundings()])
    queue.add(A)
    async with working(queue, work):
        await until(lambda: bool(caplog.records))
    (line,) = (vars(record) for record in caplog.records)
    assert (line["kind"], line["ns"], line["obj"]) == (A.kind, A.namespace, A.name)


async def test_what_is_not_expected_is_told_with_its_traceback(
    queue: WorkQueue, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    work.failing.add(A)
    queue.add(A)
    async with working(queue, work):
        await until(lambda: bool(caplog.records))
    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert line.exc_info is not None


async def test_a_poison_key_does_not_keep_the_others_from_running(
    queue: WorkQueue, work: Work
) -> None:
    work.failing.add(A)
    for key in (A, B, C):
        queue.add(key)
    async with working(queue, work):
        await until(lambda: work.calls == [A, B, C])


async def test_stopping_finishes_the_key_in_work_and_starts_no_other(
    queue: WorkQueue, work: Work
) -> None:
    work.open.clear()
    stop = asyncio.Event()
    queue.add(A)
    queue.add(B)
    task = asyncio.create_task(queue.run(work, stop))
    await until(lambda: work.calls == [A])
    stop.set()
    queue.wake()
    await settle()
    assert not task.done()
    work.open.set()
    async with asyncio.timeout(5):
        await task
    assert work.calls == [A]
    assert not work.running


async def test_a_queue_is_stuck_when_a_key_waits_and_nothing_ends(
    clock: HandClock, queue: WorkQueue, work: Work
) -> None:
    work.open.clear()
    queue.add(A)
    async with working(queue, work):
        await until(lambda: work.calls == [A])
        clock.advance(300 * SECOND)
        assert not queue.is_stuck(300)
        clock.advance(SECOND)
        assert queue.is_stuck(300)
        queue.add(A)  # what comes in is no progress
        assert queue.is_stuck(300)
        work.open.set()
        await until(lambda: not work.running and len(work.calls) == 2)
        await settle()
        assert not queue.is_stuck(300)


async def test_an_idle_hour_does_not_make_the_next_key_look_stuck(
    clock: HandClock, queue: WorkQueue, work: Work
) -> None:
    work.open.clear()
    async with working(queue, work):
        await settle()
        clock.advance(3600 * SECOND)
        assert not queue.is_stuck(300)
        queue.add(A)
        assert not queue.is_stuck(300)
        await until(lambda: work.calls == [A])
        assert not queue.is_stuck(300)
        work.open.set()


async def test_a_key_that_is_withdrawn_neither_waits_nor_comes_due() -> None:
    clock, work = HandClock(), Work()
    queue = WorkQueue(clock)
    queue.add(A)
    queue.add_at(B, NOW + SECOND)
    assert queue.withdraw(A)
    assert queue.withdraw(B)
    assert queue.withdraw(C)
    assert queue.depth == 0
    clock.advance(2 * SECOND)
    async with working(queue, work):
        queue.add(C)
        await settle()
    assert work.calls == [C]


async def test_a_key_that_is_worked_on_is_not_withdrawn() -> None:
    queue, work = WorkQueue(HandClock()), Work()
    work.open.clear()
    async with working(queue, work):
        queue.add(A)
        await settle()
        assert not queue.withdraw(A)
        queue.add(A)
        work.open.set()
        await settle()
    assert work.calls == [A, A]
