"""Very many who look at pods at once, on the real queue and workers, in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Final

import pytest

from appcredential.domain.marker import Owner
from appcredential.domain.observed.pods import PodUsers, SeenPods
from appcredential.gather import namespace_lists as module
from appcredential.gather.pods import PodLooks
from appcredential.runtime.ready import Key
from appcredential.runtime.workqueue import Again, WorkQueue
from tests.support.virtual_time import LoopClock, run

WORKERS: Final = 20
FRESH: Final = 15.0
NEVER: Final = 1e6
SHOP: Final = "shop"


class Operator:
    """Workers that remove one credential for each key, by a look that is fresh at that moment.

    Attributes:
        seconds: how long a list of a namespace takes.
        lists: how often each namespace was listed.
        waited: the seconds that workers spent in looks, all told.
        done: when each credential was removed, or its pods were found unreadable.
    """

    def __init__(self, seconds: Mapping[str, float]) -> None:
        self.seconds = seconds
        self.clock = LoopClock()
        self.queue = WorkQueue(self.clock)
        self.looks = PodLooks(self, self.clock, self._wake)
        self.lists: Counter[str] = Counter()
        self.running: list[str] = []
        self.passes = 0
        self.waited = 0.0
        self.done: dict[Key, float] = {}

    def _wake(self, owner: Owner) -> None:
        self.queue.add(Key("appcredentials", owner.namespace, owner.name))

    async def users(
        self, namespace: str, asked: Collection[frozenset[str]]
    ) -> Mapping[frozenset[str], PodUsers]:
        assert namespace not in self.running, "one list of each namespace"
        self.running.append(namespace)
        assert len(self.running) <= 3, "three lists at a time"
        self.lists[namespace] += 1
        try:
            await asyncio.sleep(self.seconds[namespace])
        finally:
            self.running.remove(namespace)
        return dict.fromkeys(asked, PodUsers(users=()))

    async def reconcile(self, key: Key) -> Again | None:
        """Gather, look, sign in with the successor, and remove; or be called again."""
        self.passes += 1
        await asyncio.sleep(0.05)
        seen = await self._look(key)
        if seen is not None and isinstance(seen.found, PodUsers):
            await asyncio.sleep(0.5)
            if (self.clock.now() - seen.time).total_seconds() > FRESH:
                seen = await self._look(key)
        if seen is None:
            return Again(self.clock.now() + timedelta(minutes=10))
        self.done[key] = self.clock.monotonic()
        return None

    async def _look(self, key: Key) -> SeenPods | None:
        began = self.clock.monotonic()
        seen = await self.looks.look(Owner(key.namespace, key.name), frozenset({key.name}))
        self.waited += self.clock.monotonic() - began
        return seen

    async def run(self, keys: Collection[Key], until: float) -> None:
        stop = asyncio.Event()
        workers = [
            asyncio.create_task(self.queue.run(self.reconcile, stop)) for _ in range(WORKERS)
        ]
        for key in keys:
            self.queue.add(key)
        for _ in range(int(until)):
            await asyncio.sleep(1)
            if len(self.done) == len(keys):
                break
        stop.set()
        self.queue.wake()
        await asyncio.gather(*workers)


def keys(number: int, namespace: str = SHOP) -> list[Key]:
    return [Key("appcredentials", namespace, f"orders-{n}") for n in range(number)]


async def crowd() -> None:
    """A thousand in one namespace, whose list takes two seconds."""
    operator, asked = Operator({SHOP: 2.0}), keys(1000)
    await operator.run(asked, until=600)
    assert operator.waited <= 2 * operator.lists[SHOP] + 1, "no worker is held"
    assert operator.done.keys() == set(asked), "all are done"
    assert operator.lists[SHOP] <= 40, "few lists"
    assert max(operator.done.values()) <= 90, "soon"
    assert operator.passes <= 6 * len(asked)


async def wide() -> None:
    """One in each of three hundred namespaces."""
    names = [f"ns-{n}" for n in range(300)]
    operator = Operator(dict.fromkeys(names, 0.3))
    asked = [key for name in names for key in keys(1, name)]
    await operator.run(asked, until=600)
    assert operator.done.keys() == set(asked), "all are done"
    assert set(operator.lists.values()) == {1}, "few lists"
    assert operator.waited <= 0.3 * 300 + 1, "no worker is held"
    assert max(operator.done.values()) <= 45, "soon"


async def beside_one_without_end() -> None:
    """Lists that never end, and a crowd, beside thirty namespaces with one each."""
    names = [f"ns-{n}" for n in range(30)]
    operator = Operator({"endless": NEVER, SHOP: 2.0, **dict.fromkeys(names, 0.3)})
    small = [key for name in names for key in keys(1, name)]
    endless = keys(40, "endless")
    await operator.run([*endless, *keys(300), *small], until=400)
    assert max(operator.done.get(key, NEVER) for key in small) <= 30, "soon"
    assert operator.waited <= 2 * operator.lists.total() + 1, "no worker is held"
    assert all(operator.done[key] >= 120 for key in endless)
    assert operator.lists["endless"] == 2, "few lists"


@pytest.mark.parametrize("story", [crowd, wide, beside_one_without_end])
def test_many_are_served(story: Callable[[], object]) -> None:
    run(story())  # type: ignore[arg-type]


# --- broken on purpose ----------------------------------------------------------------------


def waits(m: pytest.MonkeyPatch) -> None:
    """A worker waits for a look whose turn has not come."""
    real = PodLooks.look

    async def look(self: PodLooks, owner: Owner, secrets: frozenset[str]) -> SeenPods | None:
        for _ in range(8):
            if (seen := await real(self, owner, secrets)) is not None:
                return seen
            await asyncio.sleep(0.25)
        return None

    m.setattr(PodLooks, "look", look)


def lists_for_one(m: pytest.MonkeyPatch) -> None:
    """Each asker has a list of his own."""
    real = PodLooks._begin

    def begin(self: PodLooks) -> None:
        for namespace, askers in list(self._waiting.items()):
            (first, secrets), *others = askers.items()
            self._waiting[namespace] = {first: secrets}
            real(self)
            if others:
                self._waiting.setdefault(namespace, {}).update(others)

    m.setattr(PodLooks, "_begin", begin)


def wakes_nobody(m: pytest.MonkeyPatch) -> None:
    m.setattr(Operator, "_wake", lambda _, __: None)


def one_at_a_time(m: pytest.MonkeyPatch) -> None:
    m.setattr(module, "_AT_ONCE", 1)


@pytest.mark.parametrize(
    ("story", "broken", "told"),
    [
        (crowd, waits, "no worker is held"),
        (crowd, lists_for_one, "all are done|few lists"),
        (crowd, wakes_nobody, "all are done"),
        (wide, one_at_a_time, "soon"),
        (beside_one_without_end, one_at_a_time, "soon"),
    ],
)
def test_a_broken_look_is_caught(
    monkeypatch: pytest.MonkeyPatch,
    story: Callable[[], object],
    broken: Callable[[pytest.MonkeyPatch], None],
    told: str,
) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError, match=told):
        run(story())  # type: ignore[arg-type]
