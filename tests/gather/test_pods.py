"""Looks at pods: none holds up who asks, and each failure is told."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Final

import pytest

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Owner
from appcredential.domain.observed.pods import PodUser, PodUsers
from appcredential.domain.status.problems_kube import (
    PODS_FORBIDDEN,
    PODS_TOO_SLOW,
    PODS_UNAVAILABLE,
    TOO_MANY_PODS,
)
from appcredential.errors import (
    AppCredentialError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    UnavailableError,
    UnusableListError,
)
from appcredential.gather.pods import PodLooks
from tests.support.builders import NOW, SECOND
from tests.support.virtual_time import LoopClock, run

SECRETS: Final = frozenset({"orders-entra"})
OTHERS: Final = frozenset({"billing-entra"})
FOUND: Final = PodUsers(users=(PodUser(NOW, "Deployment/orders"),))
ORDERS: Final = Owner("shop", "orders")
BILLING: Final = Owner("shop", "billing")


class Looks:
    """Real looks, at lists that take so many seconds.

    Attributes:
        lists: the namespace of each list, and what it was asked for.
        woken: whose answer came.
        most: how many lists were under way at once.
        error: what a list raises.
    """

    def __init__(self, seconds: float = 0.3) -> None:
        self.seconds = seconds
        self.clock = LoopClock()
        self.lists: list[tuple[str, frozenset[frozenset[str]]]] = []
        self.woken: list[Owner] = []
        self.error: Exception | None = None
        self.most = self._running = 0
        self.real = PodLooks(self, self.clock, self.woken.append)
        self.look = self.real.look

    async def users(
        self, namespace: str, asked: Collection[frozenset[str]]
    ) -> Mapping[frozenset[str], PodUsers]:
        self.lists.append((namespace, frozenset(asked)))
        self._running += 1
        self.most = max(self.most, self._running)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self._running -= 1
        if self.error is not None:
            raise self.error
        return dict.fromkeys(asked, FOUND)


def test_a_short_list_is_there_at_once() -> None:
    async def story() -> None:
        looks = Looks()
        seen = await looks.look(ORDERS, SECRETS)
        assert seen is not None
        assert (seen.found, seen.secrets) == (FOUND, SECRETS)
        assert (seen.began, seen.time) == (NOW, NOW + 0.3 * SECOND)
        assert looks.woken == [], "who waited needs no call"

    run(story())


def test_each_look_is_a_new_list() -> None:
    async def story() -> None:
        looks = Looks()
        await looks.look(ORDERS, SECRETS)
        await looks.look(ORDERS, SECRETS)
        assert len(looks.lists) == 2

    run(story())


def test_a_long_list_gives_the_worker_back_and_calls_it_again() -> None:
    async def story() -> None:
        looks = Looks(20)
        assert await looks.look(ORDERS, SECRETS) is None
        assert looks.clock.monotonic() == 2
        assert await looks.look(ORDERS, SECRETS) is None
        await asyncio.sleep(17)
        assert looks.woken == [ORDERS]
        seen = await looks.look(ORDERS, SECRETS)
        assert seen is not None
        assert (seen.began, seen.time) == (NOW, NOW + 20 * SECOND)
        assert len(looks.lists) == 1

    run(story())


def test_who_comes_while_a_list_is_read_waits_for_the_next_in_no_worker() -> None:
    async def story() -> None:
        looks = Looks()
        first = asyncio.create_task(looks.look(ORDERS, SECRETS))
        await asyncio.sleep(0.1)
        assert await looks.look(BILLING, OTHERS) is None
        assert looks.clock.monotonic() == 0.1
        assert await first is not None
        await asyncio.sleep(0.4)
        assert looks.woken == [BILLING]
        seen = await looks.look(BILLING, OTHERS)
        assert seen is not None
        assert seen.began == NOW + 0.3 * SECOND
        assert looks.lists == [("shop", frozenset({SECRETS})), ("shop", frozenset({OTHERS}))]

    run(story())


def test_an_answer_about_other_secrets_is_none() -> None:
    async def story() -> None:
        looks = Looks(3)
        assert await looks.look(ORDERS, SECRETS) is None
        assert await looks.look(ORDERS, OTHERS) is None, "the spec has changed meanwhile"
        await asyncio.sleep(10)
        seen = await looks.look(ORDERS, OTHERS)
        assert seen is not None
        assert seen.secrets == OTHERS
        assert [asked for _, asked in looks.lists] == [{SECRETS}, {OTHERS}]

    run(story())


def test_what_nobody_came_for_in_time_is_dropped() -> None:
    async def story() -> None:
        looks = Looks(3)
        assert await looks.look(ORDERS, SECRETS) is None
        await asyncio.sleep(20)
        assert await looks.look(ORDERS, SECRETS) is None
        assert len(looks.lists) == 2

    run(story())


def test_who_only_asks_finds_the_answer() -> None:
    async def story() -> None:
        looks = Looks()
        looks.real.ask(ORDERS, SECRETS)
        looks.real.ask(ORDERS, SECRETS)
        await asyncio.sleep(1)
        seen = await looks.look(ORDERS, SECRETS)
        assert seen is not None
        assert (seen.began, len(looks.lists)) == (NOW, 1)

    run(story())


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (PermissionDeniedError("no"), PODS_FORBIDDEN),
        (UnusableListError("too many"), TOO_MANY_PODS),
        (UnavailableError("down"), PODS_UNAVAILABLE),
        (ThrottledError("slowly", retry_after=SECOND), PODS_UNAVAILABLE),
        (RejectedError("odd"), PODS_UNAVAILABLE),
        (TimeoutError(), PODS_UNAVAILABLE),
    ],
)
def test_a_failure_is_an_outcome(
    error: AppCredentialError | TimeoutError, problem: Problem
) -> None:
    async def story() -> None:
        looks = Looks()
        looks.error = error
        seen = await looks.look(ORDERS, SECRETS)
        assert seen is not None
        assert seen.found == problem

    run(story())


async def _after_a_long_list(looks: Looks) -> object:
    assert await looks.look(ORDERS, SECRETS) is None
    await asyncio.sleep(looks.seconds)
    seen = await looks.look(ORDERS, SECRETS)
    return seen and seen.found


def test_a_list_that_never_ends_ends_and_a_person_is_told_once_it_lasts() -> None:
    async def story() -> None:
        looks = Looks(125)
        found = [await _after_a_long_list(looks) for _ in range(4)]
        assert found == [PODS_UNAVAILABLE] * 2 + [PODS_TOO_SLOW] * 2
        assert PODS_TOO_SLOW.stalled
        looks.seconds = 119
        assert await _after_a_long_list(looks) == FOUND
        looks.seconds = 125
        assert await _after_a_long_list(looks) == PODS_UNAVAILABLE, "counted anew"

    run(story())


def test_a_fault_of_our_own_is_no_outcome() -> None:
    async def story() -> None:
        looks = Looks()
        looks.error = KeyError("metadata")
        with pytest.raises(KeyError):
            await looks.look(ORDERS, SECRETS)
        looks.error = None
        assert await looks.look(ORDERS, SECRETS) is not None, "the next list goes on"

    run(story())
