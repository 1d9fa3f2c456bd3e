"""Looks at workloads: each failure is told, and of one question only what is about it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Owner
from appcredential.domain.observed.workloads import Selection, Workload
from appcredential.domain.status.problems_restart import (
    TOO_MANY_WORKLOADS,
    WORKLOADS_TOO_SLOW,
    WORKLOADS_UNAVAILABLE,
)
from appcredential.errors import UnusableListError
from appcredential.gather.workloads import WorkloadLooks
from appcredential.ports.workloads import SelectedWorkloads
from tests.support.virtual_time import LoopClock, run

USING: Final = Selection(secret="orders-entra")
LABELLED: Final = Selection(secret="", labels=(("a", "b"),))
ORDERS: Final = Owner("shop", "orders")
BILLING: Final = Owner("shop", "billing")


class Lists:
    """A port whose lists take so many seconds; there are too many workloads for a Secret's."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.looks = WorkloadLooks(self, LoopClock(), lambda _: None)

    async def selected(self, namespace: str, asked: Collection[Selection]) -> SelectedWorkloads:
        assert namespace == "shop"
        await asyncio.sleep(self.seconds)
        return {s: () if s.labels else UnusableListError("too many") for s in asked}

    async def restart(self, namespace: str, workload: Workload, time: datetime) -> None:
        raise AssertionError

    async def ask(
        self, owner: Owner, selection: Selection, seconds: float
    ) -> tuple[Workload, ...] | Problem | None:
        await self.looks.look(owner, selection)
        await asyncio.sleep(seconds)
        seen = await self.looks.look(owner, selection)
        return seen.found if seen is not None else None


def test_too_many_for_one_question_are_no_answer_to_another() -> None:
    async def story() -> None:
        lists = Lists(3.0)
        answers = await asyncio.gather(
            lists.ask(ORDERS, USING, 8.0), lists.ask(BILLING, LABELLED, 8.0)
        )
        assert list(answers) == [TOO_MANY_WORKLOADS, ()]

    run(story())


def test_lists_that_take_too_long_again_and_again_are_told() -> None:
    async def story() -> None:
        lists = Lists(1000.0)
        found = [await lists.ask(ORDERS, USING, 125.0) for _ in range(3)]
        assert found == [WORKLOADS_UNAVAILABLE] * 2 + [WORKLOADS_TOO_SLOW]
        assert WORKLOADS_TOO_SLOW.stalled, "a person has to know, and it is asked more seldom"

    run(story())
