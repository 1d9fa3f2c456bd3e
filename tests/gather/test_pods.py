"""Looks at pods: none holds up who asks, and each failure is told."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Final

import pytest

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.pods import PodUser, PodUsers
from appcredential.domain.status.problems_kube import (
    PODS_FORBIDDEN,
    PODS_UNAVAILABLE,
    TOO_MANY_PODS,
)
from appcredential.errors import (
    AppCredentialError,
    NotYetError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    UnavailableError,
    UnusableListError,
)
from appcredential.gather import pods as looks
from appcredential.gather.pods import PodLooks
from tests.support.builders import NOW, SECOND
from tests.support.clock import HandClock

SECRETS: Final = frozenset({"orders-entra"})
FOUND: Final = PodUsers(users=(PodUser(NOW, "Deployment/orders"),))


class Listed:
    """A Pods port whose lists end when a test says so.

    Attributes:
        lists: the namespaces whose lists are under way.
        most: how many were under way at once.
        error: what a list raises.
    """

    def __init__(self, *, is_open: bool = True) -> None:
        self.open = asyncio.Event()
        if is_open:
            self.open.set()
        self.lists: list[str] = []
        self.begun: list[str] = []
        self.most = 0
        self.error: Exception | None = None

    async def users(self, namespace: str, secrets: Collection[str]) -> PodUsers:
        assert secrets == SECRETS
        self.lists.append(namespace)
        self.begun.append(namespace)
        self.most = max(self.most, len(self.lists))
        try:
            await self.open.wait()
        finally:
            self.lists.remove(namespace)
        if self.error is not None:
            raise self.error
        return FOUND


@pytest.fixture(autouse=True)
def _nobody_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "_PATIENCE", 0.05)


async def test_a_short_list_is_there_at_once() -> None:
    clock = HandClock()
    seen = await PodLooks(Listed(), clock).look("shop", SECRETS)
    assert (seen.found, seen.secrets) == (FOUND, SECRETS)
    assert seen.began == seen.time == clock.now()


async def test_each_look_is_a_new_list() -> None:
    port = Listed()
    reader = PodLooks(port, HandClock())
    await reader.look("shop", SECRETS)
    await reader.look("shop", SECRETS)
    assert port.begun == ["shop"] * 2


async def test_a_long_list_gives_the_worker_back_and_is_fetched_later() -> None:
    port, clock = Listed(is_open=False), HandClock()
    reader, began = PodLooks(port, clock), clock.now()
    with pytest.raises(NotYetError) as told:
        await reader.look("shop", SECRETS)
    assert told.value.retry_after == 5 * SECOND
    with pytest.raises(NotYetError):
        await reader.look("shop", SECRETS)
    clock.advance(20 * SECOND)
    port.open.set()
    seen = await reader.look("shop", SECRETS)
    assert (seen.began, seen.time) == (began, began + 20 * SECOND)
    assert port.begun == ["shop"]


async def test_what_nobody_came_for_is_dropped() -> None:
    port, clock = Listed(is_open=False), HandClock()
    reader = PodLooks(port, clock)
    with pytest.raises(NotYetError):
        await reader.look("shop", SECRETS)
    port.open.set()
    await asyncio.sleep(0.01)
    clock.advance(timedelta(minutes=1))
    seen = await reader.look("shop", SECRETS)
    assert seen.began == clock.now()
    assert port.begun == ["shop"] * 2


async def test_few_lists_are_read_at_once_and_one_of_each_namespace() -> None:
    port = Listed(is_open=False)
    reader = PodLooks(port, HandClock())
    namespaces = ["a", "b", "c", "d", "e"]
    waiting = [reader.look(namespace, SECRETS) for namespace in namespaces]
    assert all(
        isinstance(e, NotYetError) for e in await asyncio.gather(*waiting, return_exceptions=True)
    )
    assert port.most == 3
    port.open.set()
    found = [await reader.look(namespace, SECRETS) for namespace in namespaces]
    assert len(found) == len(port.begun) == 5


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
async def test_a_failure_is_an_outcome(
    error: AppCredentialError | TimeoutError, problem: Problem
) -> None:
    port = Listed()
    port.error = error
    assert (await PodLooks(port, HandClock()).look("shop", SECRETS)).found == problem


async def test_a_list_that_never_ends_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "_LONGEST", 0.01)
    seen = await PodLooks(Listed(is_open=False), HandClock()).look("shop", SECRETS)
    assert seen.found == PODS_UNAVAILABLE


async def test_a_fault_of_our_own_is_no_outcome() -> None:
    port = Listed()
    port.error = KeyError("metadata")
    with pytest.raises(KeyError):
        await PodLooks(port, HandClock()).look("shop", SECRETS)
