"""The turns of one application: in order, none lost, and nobody waits inside."""

from __future__ import annotations

import asyncio
import heapq
from datetime import timedelta

import pytest

from appcredential.domain.spec.model import ObjectId
from appcredential.entra import rate_limit
from appcredential.entra.pacing import Pacing
from appcredential.entra.rate_limit import RateLimiter
from appcredential.errors import ConflictError, NotYetError, ThrottledError, TooLateError
from tests.support.clock import HandClock

APP = ObjectId("app-1")
OTHER = ObjectId("app-2")
LATENCY = 0.2


class Tenant:
    """The writers of one tenant; each comes again when it is told to."""

    def __init__(self, pacing: Pacing | None = None) -> None:
        self.clock = HandClock()
        self.gate = RateLimiter(pacing or Pacing(), self.clock, self.clock.sleep)
        self.asked = 0
        self.done: dict[str, float] = {}

    async def write(self, who: str, application: ObjectId = APP) -> float:
        """Write once, if it is this one's turn; return in how many seconds to come again."""
        self.asked += 1
        try:
            with self.gate.turn(application, who):
                async with self.gate.write(application):
                    self.clock.seconds += LATENCY
                    self.done[who] = self.clock.seconds
        except NotYetError as error:
            return error.retry_after.total_seconds()
        return 0.0

    async def sleep_while_another_comes(self, seconds: float) -> None:
        """Let time pass, and somebody in the line come just when the sleeper is to wake."""
        self.clock.seconds += seconds
        assert await self.write("orders-1") > 0

    async def run(self, writers: list[str], late: float = 0.05) -> None:
        """Let all of them come until each has written; they arrive a little late."""
        due = [(self.clock.seconds, number, who) for number, who in enumerate(writers)]
        heapq.heapify(due)
        while due:
            at, number, who = heapq.heappop(due)
            self.clock.seconds = max(self.clock.seconds, at)
            wait = await self.write(who)
            if wait:
                heapq.heappush(due, (self.clock.seconds + wait + late, number, who))


async def test_three_hundred_on_one_application_take_one_turn_each() -> None:
    tenant, began = Tenant(), HandClock().seconds
    writers = [f"orders-{number}" for number in range(300)]
    await tenant.run(writers)
    assert len(tenant.done) == 300
    pace = 1 + LATENCY
    assert max(tenant.done.values()) - began < 300 * pace * 1.15
    # Each is told a time of its own and comes at that time, not again and again.
    assert tenant.asked < 300 * 4
    # Nearly in the order in which they came: nobody is left behind.
    order = sorted(writers, key=lambda who: tenant.done[who])
    assert max(abs(order.index(who) - number) for number, who in enumerate(writers)) < 40


async def test_another_application_is_served_at_once() -> None:
    tenant = Tenant()
    for number in range(50):
        await tenant.write(f"orders-{number}")
    assert await tenant.write("billing", OTHER) == 0


async def test_a_turn_without_a_write_costs_nothing() -> None:
    tenant = Tenant()
    with tenant.gate.turn(APP, "changed its mind"):
        pass
    with pytest.raises(TooLateError), tenant.gate.turn(APP, "too late"):
        async with tenant.gate.write(APP):
            raise TooLateError("the deadline passed")
    assert await tenant.write("orders") == 0


async def test_who_does_not_come_is_passed_over() -> None:
    tenant = Tenant()
    await tenant.write("first")
    gone = await tenant.write("gone")
    waits = await tenant.write("patient")
    assert waits > gone
    tenant.clock.seconds += waits
    assert await tenant.write("patient") == 0


async def test_a_newcomer_does_not_go_before_who_was_told_to_come_now() -> None:
    tenant = Tenant()
    await tenant.write("first")
    wait = await tenant.write("second")
    tenant.clock.seconds += wait
    assert await tenant.write("newcomer") > 0
    assert await tenant.write("second") == 0


async def test_a_conflict_makes_the_next_gap_longer() -> None:
    tenant = Tenant()
    with pytest.raises(ConflictError):
        async with tenant.gate.write(APP):
            raise ConflictError("409")
    assert await tenant.write("orders") == 10


async def test_what_mends_a_loss_goes_first() -> None:
    tenant = Tenant()
    for number in range(100):
        await tenant.write(f"orders-{number}")
    mending = tenant.gate.awaited_write(APP)
    tenant.gate._sleep = tenant.sleep_while_another_comes
    async with mending:
        assert list(tenant.done) == ["orders-0"]


async def test_a_turn_belongs_to_one_task() -> None:
    tenant = Tenant()
    with tenant.gate.turn(APP, "orders"):
        stranger = asyncio.create_task(tenant.write("stranger"))
        assert await stranger > 0
        async with tenant.gate.write(APP):
            pass


async def test_nobody_is_told_to_stay_away_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = Tenant(Pacing(spacing=200))
    waits = [await tenant.write(f"orders-{number}") for number in range(10)]
    assert max(waits) == 300
    monkeypatch.setattr(rate_limit, "_MAX_LINES", 1)
    assert await tenant.write("billing", OTHER) == 0
    # A line that somebody stands in is kept, however many there are.
    assert await tenant.write("orders-1") > 0


async def test_a_pause_that_graph_asked_for_holds_every_turn() -> None:
    tenant = Tenant()
    tenant.gate.pause(timedelta(seconds=20))
    with pytest.raises(ThrottledError) as caught:
        await tenant.write("orders")
    assert caught.value.retry_after == timedelta(seconds=20)
    with pytest.raises(ThrottledError):
        await tenant.gate.await_read()
