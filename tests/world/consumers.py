"""Workloads that read the Secret, each in its way, and sign in with what they have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.world import facts
from tests.world.cluster import TARGET
from tests.world.observer import Document, Observer

if TYPE_CHECKING:
    from tests.world.pods import Pods
    from tests.world.world import World

MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Consumer:
    """One workload.

    Attributes:
        lag: how long a new value takes until it is used; None if only a restart brings it.
        restarts: how often it restarts; None for never, until what it has has expired.
        has: the credential that it signs in with.
        due: when it takes up what the Secret holds.
    """

    name: str
    lag: timedelta | None
    restarts: timedelta | None
    has: str | None = None
    due: datetime | None = None


def mounted() -> Consumer:
    """Return one that reads a volume: a kubelet takes a minute and a half."""
    return Consumer("the volume's reader", timedelta(seconds=90), None)


def restarted() -> Consumer:
    """Return one that reads its environment, and restarts within the overlap."""
    return Consumer("the environment's reader", None, 15 * MINUTE)


def stubborn() -> Consumer:
    """Return one that never restarts by itself."""
    return Consumer("the reader that never restarts", None, None)


class Consumers(Observer):
    """Has each workload take up what the Secret holds, in its time."""

    def __init__(self, world: World, *consumers: Consumer) -> None:
        super().__init__(world)
        self.consumers = consumers
        self.held: str | None = None
        self.pods: Pods | None = None
        self._next: datetime | None = None

    def changes(self, path: str, event: str, found: Document) -> None:
        if path != TARGET:
            return
        self.held = None if event == "DELETED" else facts.key_in(self.world.entra, found)
        now = self.world.now()
        for consumer in self.consumers:
            if consumer.has is None:
                consumer.due = now + MINUTE / 2
            elif consumer.lag is not None and consumer.due is None:
                consumer.due = now + consumer.lag
        self._plan()

    def stepped(self) -> None:
        if self._next is None or self.world.now() < self._next:
            return
        now = self.world.now()
        for consumer in self.consumers:
            if consumer.due is not None and consumer.due <= now:
                consumer.has = self.held if self.held is not None else consumer.has
                consumer.due = now + consumer.restarts if consumer.restarts is not None else None
        self._plan()

    def users_of(self, key: str) -> list[Consumer]:
        """Return who signs in with a credential now, and will not have another one in time."""
        return [c for c in self.consumers if c.has == key]

    def restart(self, consumer: Consumer) -> None:
        """Have a workload take up what the Secret holds now."""
        consumer.has = self.held if self.held is not None else consumer.has

    def _plan(self) -> None:
        self._next = min((c.due for c in self.consumers if c.due is not None), default=None)
