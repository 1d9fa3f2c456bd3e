"""Three hundred resources of one namespace, and one of a neighbour: counted in reconciles.

The queue, the store, the informer and the controller are the real ones. Each reconcile takes
twenty milliseconds of a clock moved by hand.
"""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.domain.marker import Owner
from appcredential.domain.urgency import Urgency
from appcredential.kube.custom_resources import APP_CREDENTIALS, TENANTS, path_of
from appcredential.runtime.ready import Bounds, Key, Lane
from appcredential.runtime.workqueue import Again, WorkQueue
from tests.support.builders import OWNER
from tests.support.world import RESOURCE, World

MANY: Final = 300
_MOST: Final = 2_000
ONE: Final = timedelta(milliseconds=20)
ORDERS: Final = Key(APP_CREDENTIALS, OWNER.namespace, OWNER.name)


class Flooded(World):
    """A world whose watch feeds a real queue, with one worker."""

    def __init__(self, lane_of: Callable[[Flooded, Key], Lane]) -> None:
        self.queue: WorkQueue | None = None
        super().__init__()
        self._lane_of = lane_of
        self.served: Counter[str] = Counter()
        self.after: Callable[[Owner], None] = lambda _: None
        self.is_done = self.is_ready
        self.stop = asyncio.Event()
        self._put = self.api.put
        self.api.put = self._show  # type: ignore[method-assign]

    async def begin(self) -> None:
        """Look at the tenant, and feed the queue from now on; the neighbour comes later."""
        await self.look_at_tenant()
        path = path_of(TENANTS, "", "default")
        self.sync.on_event(TENANTS, "ADDED", self.api.objects[path])
        self.sync.on_event(APP_CREDENTIALS, "DELETED", self.api.objects.pop(RESOURCE))
        self.queue = WorkQueue(self.clock, lambda key: self._lane_of(self, key), Bounds.of(20))

    def _show(self, path: str, document: Any) -> dict[str, Any]:
        found = self._put(path, document)
        if f"/{APP_CREDENTIALS}/" in path:
            self.sync.on_event(APP_CREDENTIALS, "MODIFIED", copy.deepcopy(found))
        return found

    def _wake(self, key: Key, urgency: Urgency | None = None, /, **more: Any) -> None:
        super()._wake(key, urgency, **more)
        if self.queue is not None:
            self.queue.add(key, urgency, **more)

    async def reconcile(self, key: Key) -> Again | None:
        """Work on one key, which takes its time."""
        self.served[key.namespace] += 1
        owner, known = Owner(key.namespace, key.name), self.store.get(key)
        again = await self.reconciler.reconcile(owner, known.version if known is not None else "")
        self.after(owner)
        self.clock.advance(ONE)
        if self.is_done() or self.served.total() > _MOST:
            self.stop.set()
        return again

    def flood(self) -> None:
        """Apply many resources that no grant allows."""
        for number in range(MANY):
            self.put_resource(Owner("busy", f"orders-{number}"))

    async def reconciles_until(self, is_done: Callable[[], bool]) -> int:
        """Return how many reconciles of the busy namespace went before something was so."""
        self.is_done, self.stop, before = is_done, asyncio.Event(), self.served["busy"]
        assert self.queue is not None
        worker = asyncio.create_task(self.queue.run(self.reconcile, self.stop))
        while not self.stop.is_set():
            await asyncio.sleep(0)
            if not self.queue.depth:
                self.clock.advance(ONE)
            self.queue.wake()
        await worker
        assert is_done()
        return self.served["busy"] - before

    def is_ready(self) -> bool:
        """Return whether the neighbour is Ready."""
        return str(self.ready["status"]) == "True"


def by_urgency(world: Flooded, key: Key) -> Lane:
    return world.store.lane(key, world.clock.now().timestamp())


def by_arrival(_: Flooded, __: Key) -> Lane:
    """The broken variant: one line, whose first goes first."""
    return Lane()


async def flooded(lane_of: Callable[[Flooded, Key], Lane]) -> Flooded:
    world = Flooded(lane_of)
    await world.begin()
    world.flood()
    return world


def alone(world: Flooded) -> int:
    """Return how many reconciles the time of the proofs would allow for."""
    policy = world.process.settings
    return int(policy.first_proof_count * policy.first_proof_spacing / ONE)


async def test_a_neighbour_is_ready_long_before_the_flood_is_served() -> None:
    world = await flooded(by_urgency)
    world.put_resource(OWNER)
    assert await world.reconciles_until(world.is_ready) <= alone(world) + 10
    assert alone(world) + 10 < MANY


async def test_served_by_arrival_it_waits_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    one_line = staticmethod(lambda *_: ("", "", ""))
    monkeypatch.setattr("appcredential.runtime.ready.Ready._path", one_line)
    world = await flooded(by_arrival)
    world.put_resource(OWNER)
    assert await world.reconciles_until(world.is_ready) > MANY


async def test_an_endless_loop_of_edits_keeps_a_neighbour_waiting_as_little() -> None:
    world = await flooded(by_urgency)

    def edit_again(owner: Owner) -> None:
        if owner.namespace == "busy":
            world.put_resource(owner, lifetime=f"{30 + world.served['busy']}d")

    world.after = edit_again
    world.put_resource(OWNER)
    assert await world.reconciles_until(world.is_ready) <= alone(world) + 25


@pytest.mark.parametrize(
    "spec", [{"rotation": {"overlap": "1d"}}, {"verification": {"mode": "Disabled"}}]
)
async def test_an_edit_beside_the_flood_is_seen_within_a_few_reconciles(
    spec: dict[str, Any],
) -> None:
    world = await flooded(by_urgency)
    world.put_resource(OWNER)
    await world.reconciles_until(world.is_ready)
    world.flood()
    world.put_resource(OWNER, **spec)
    metadata = world.api.objects[RESOURCE]["metadata"]
    seen = lambda: world.status["observedGeneration"] == metadata["generation"]  # noqa: E731
    assert await world.reconciles_until(seen) <= 5
