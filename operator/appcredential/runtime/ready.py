"""Which key is served next: by urgency, and within a class in turns.

Turns go round over tenants, within each over namespaces, and within each of those over
applications, so that many keys of one namespace delay those of another one by a few turns only.
Nothing in here waits or knows the time.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from appcredential.domain.urgency import Urgency


class Key(NamedTuple):
    """An object to reconcile. `namespace` is empty for cluster-scoped kinds.

    All that is known is found by keys, and tuples hash several times as fast as dataclasses do.
    """

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Lane:
    """Where a key stands in line.

    Attributes:
        tenant: its EntraTenant; empty if there is none of that name, so that nobody gets more
            turns by naming many.
        application: the one that it is about.
        urgency: of a look at it now, when nothing else is said.
    """

    tenant: str = ""
    application: str = ""
    urgency: Urgency = Urgency.LOOK


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may be under way at once.

    Attributes:
        of_namespace, of_tenant: keys that workers work on. What Entra or the API server answers
            slowly so leaves workers for the others.
        begun_of_application, begun_of_tenant: keys of class ISSUE that are worked on or wait for
            their turn to write. What was read for them is still fresh when their turn comes: one
            application takes a write in 1.2 s, a tenant 19 in a second.
    """

    of_namespace: int
    of_tenant: int
    begun_of_application: int = 8
    begun_of_tenant: int = 95

    @classmethod
    def of(cls, workers: int) -> Bounds:
        """Return the bounds for a number of workers."""
        return cls(max(1, workers - workers // 4), max(1, workers - workers // 10))


UNBOUNDED: Final = Bounds(1_000_000, 1_000_000, 1_000_000, 1_000_000)

_PATIENCE: Final = {
    Urgency.EXPIRING: 2,
    Urgency.IN_FLIGHT: 4,
    Urgency.CHANGED: 4,
    Urgency.ISSUE: 4,
    Urgency.LOOK: 20,
}
"""A class that so many keys of more urgent ones went before gets the next turn."""

Path: TypeAlias = tuple[str, str, str]
"""Tenant, namespace, application."""


class Ring:
    """Keys below a path of names; `take` goes round on each level."""

    __slots__ = ("_inner", "_keys")

    def __init__(self) -> None:
        self._inner: OrderedDict[str, Ring] = OrderedDict()
        self._keys: dict[Key, None] = {}

    def __bool__(self) -> bool:
        return bool(self._inner or self._keys)

    def add(self, key: Key, path: tuple[str, ...]) -> None:
        """Put a key at the end of its line."""
        if not path:
            self._keys[key] = None
            return
        if path[0] not in self._inner:
            self._inner[path[0]] = Ring()
        self._inner[path[0]].add(key, path[1:])

    def discard(self, key: Key, path: tuple[str, ...]) -> None:
        """Take a key out of its line."""
        if not path:
            self._keys.pop(key, None)
            return
        inner = self._inner[path[0]]
        inner.discard(key, path[1:])
        if not inner:
            del self._inner[path[0]]

    def take(
        self, is_free: Callable[[tuple[str, ...]], bool], path: tuple[str, ...] = ()
    ) -> Key | None:
        """Remove and return the first key whose whole path is free; None when none is."""
        if self._keys:
            first = next(iter(self._keys))
            del self._keys[first]
            return first
        for _ in range(len(self._inner)):
            name = next(iter(self._inner))
            self._inner.move_to_end(name)
            at, inner = (*path, name), self._inner[name]
            key = inner.take(is_free, at) if is_free(at) else None
            if not inner:
                del self._inner[name]
            if key is not None:
                return key
        return None


class Ready:
    """Keys that wait for a worker, and what is under way and bounds them."""

    def __init__(self, bounds: Bounds = UNBOUNDED) -> None:
        self._bounds = bounds
        self._where: dict[Key, tuple[Urgency, Path]] = {}
        self._rings = {urgency: Ring() for urgency in Urgency}
        self._passed: Counter[Urgency] = Counter()
        self._working: dict[Key, Path] = {}
        self._begun: dict[Key, Path] = {}
        self._busy: Counter[tuple[str, ...]] = Counter()
        self._full: Counter[tuple[str, ...]] = Counter()

    def __len__(self) -> int:
        return len(self._where)

    def counts(self) -> dict[Urgency, int]:
        """Return how many keys of each class wait."""
        found = Counter(urgency for urgency, _ in self._where.values())
        return {urgency: found[urgency] for urgency in Urgency}

    def add(self, key: Key, lane: Lane, urgency: Urgency) -> None:
        """Have a key wait; one that waits already keeps its place, or moves to an urgent one."""
        known = self._where.get(key)
        if known is not None and known[0] <= urgency:
            return
        if known is not None:
            self._rings[known[0]].discard(key, known[1])
        path = self._path(key, lane)
        self._where[key] = urgency, path
        self._rings[urgency].add(key, path)

    def withdraw(self, key: Key) -> None:
        """Have a key wait no more."""
        known = self._where.pop(key, None)
        if known is not None:
            self._rings[known[0]].discard(key, known[1])

    @staticmethod
    def _path(key: Key, lane: Lane) -> Path:
        return lane.tenant, key.namespace, lane.application

    def take(self) -> tuple[Key, Urgency] | None:
        """Return the next key, which is worked on from now on; None when all have to wait.

        When nothing else is to be done, others of a crowded application are looked at, too, so
        that their status says how they are.
        """
        for urgency in self._order():
            if (key := self._take(urgency)) is not None:
                return key, urgency
        key = self._take(Urgency.ISSUE, is_idle=True)
        return (key, Urgency.ISSUE) if key is not None else None

    def _take(self, urgency: Urgency, *, is_idle: bool = False) -> Key | None:
        key = self._rings[urgency].take(partial(self._is_free, urgency, is_idle))
        if key is not None:
            self._begin(key, urgency)
        return key

    def end(self, key: Key, *, awaits_turn: bool) -> None:
        """End the work on a key. One that awaits its turn to write stays begun."""
        path = self._working.pop(key)
        _count(self._busy, path[:1], ("", path[1]), by=-1)
        if not awaits_turn:
            self.give_up(key)

    def give_up(self, key: Key) -> None:
        """Count a key as begun no more."""
        path = self._begun.pop(key, None)
        if path is not None:
            _count(self._full, path[:1], ("", path[2]), by=-1)

    def _order(self) -> list[Urgency]:
        """Return the classes in the order in which they are asked for a key now."""
        waiting = [urgency for urgency in Urgency if self._rings[urgency]]
        impatient = [u for u in waiting if self._passed[u] >= _PATIENCE.get(u, 0)]
        return [*sorted(impatient, key=lambda u: -self._passed[u]), *waiting]

    def _begin(self, key: Key, urgency: Urgency) -> None:
        _, path = self._where.pop(key)
        self._passed[urgency] = 0
        for below in Urgency:
            if below > urgency and self._rings[below]:
                self._passed[below] += 1
        self._working[key] = path
        _count(self._busy, path[:1], ("", path[1]), by=1)
        if urgency is Urgency.ISSUE and key not in self._begun:
            self._begun[key] = path
            _count(self._full, path[:1], ("", path[2]), by=1)

    def _is_free(self, urgency: Urgency, is_idle: bool, at: tuple[str, ...]) -> bool:
        """Return whether another key of a tenant, a namespace or an application may begin."""
        bounds, begins = self._bounds, urgency is Urgency.ISSUE
        if urgency is Urgency.SHARED:
            return True
        _, namespace, application = (*at, None, None)[:3]
        if application is not None:
            is_open = self._full["", application] < bounds.begun_of_application
            return is_open or is_idle or not begins
        if namespace is not None:
            return self._busy["", namespace] < bounds.of_namespace
        is_full = begins and self._full[at] >= bounds.begun_of_tenant
        return not is_full and self._busy[at] < bounds.of_tenant


def _count(counter: Counter[tuple[str, ...]], *names: tuple[str, ...], by: int) -> None:
    """Count names up or down, and keep none that has come to nothing."""
    for name in names:
        counter[name] += by
        if not counter[name]:
            del counter[name]
