"""Replica lag: when each replica shows a change to each kind of read.

A change carries its delays from the start, one per kind of read and replica. Each read picks a
replica. So two reads in a row may show the newer state first and then the older one, as in Entra.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from entra_emulator.faults.documents import Lag

Sees = Callable[["Change"], bool]
"""Returns whether a reader sees a change."""


class ReadKind(StrEnum):
    """The three kinds of read; each has its own lag."""

    APPLICATION = "application"
    LIST = "list"
    TOKEN = "token"


class ChangeKind(StrEnum):
    """The kinds of change; each has its own lag."""

    CREATE = "create"
    ADD = "add"
    UPDATE = "update"
    REMOVE = "remove"
    ADD_KEY = "add_key"
    REMOVE_KEY = "remove_key"
    ADD_FEDERATED = "add_federated"
    UPDATE_FEDERATED = "update_federated"
    REMOVE_FEDERATED = "remove_federated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A committed change, and the seconds after which each replica shows it."""

    sequence: int
    at: datetime
    delays: Mapping[ReadKind, tuple[float, ...]] = field(default_factory=dict)

    def shown(self, kind: ReadKind, replica: int, now: datetime) -> bool:
        """Return whether a replica shows this change to a kind of read."""
        delays = self.delays.get(kind, ())
        if replica >= len(delays):
            return True
        return now >= self.at + timedelta(seconds=delays[replica])

    def settled_at(self) -> datetime:
        """Return the instant from which every replica shows this change."""
        longest = max((max(row, default=0.0) for row in self.delays.values()), default=0.0)
        return self.at + timedelta(seconds=longest)


def sees_all(_change: Change) -> bool:
    """Return True: a reader that sees the authoritative state."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPoint:
    """One replica at one instant: what it showed then can be asked for later too.

    Attributes:
        sequence: the last change made before the read, since a stopped clock tells no order.
        settled: up to this one, every replica showed all changes.
    """

    kind: ReadKind
    replica: int
    at: datetime
    sequence: int
    settled: int

    def sees(self, change: Change) -> bool:
        """Return whether the replica showed this change."""
        if change.sequence > self.sequence:
            return False
        return change.sequence <= self.settled or change.shown(self.kind, self.replica, self.at)


class Replicas:
    """Draws the delays of changes and the replica of each read from one seed."""

    def __init__(self, lag: Lag | None = None, seed: int = 1) -> None:
        self._sequence = 0
        self._settled_up_to = 0
        self.configure(lag or Lag(), seed)

    def configure(self, lag: Lag, seed: int) -> None:
        """Use another lag for new changes; older changes keep their delays."""
        self._lag = lag
        # Two generators, so that reads never change the delays of writes.
        self._delays = random.Random(f"delays {seed}")  # noqa: S311 - repeatable on purpose
        self._picks = random.Random(f"picks {seed}")  # noqa: S311

    def settle(self) -> None:
        """Let every replica show all changes up to now."""
        self._settled_up_to = self._sequence

    def settled_change(self, now: datetime) -> Change:
        """Return a change that every replica shows at once; the admin API makes those."""
        self._sequence += 1
        return Change(sequence=self._sequence, at=now)

    def change(self, kind: ChangeKind, now: datetime) -> Change:
        """Return a change with freshly drawn delays."""
        self._sequence += 1
        delays = {read: self._draw(read, kind) for read in ReadKind}
        return Change(sequence=self._sequence, at=now, delays=delays)

    def reader(self, kind: ReadKind, now: datetime) -> Sees:
        """Pick a replica; return which changes it shows."""
        return self.point(kind, now).sees

    def point(self, kind: ReadKind, now: datetime, replica: int | None = None) -> ReadPoint:
        """Return what a replica shows now; without a number, pick one."""
        if replica is None:
            replica = self._picks.randrange(self._lag.replicas)
        return ReadPoint(
            kind=kind,
            replica=replica,
            at=now,
            sequence=self._sequence,
            settled=self._settled_up_to,
        )

    def _draw(self, read: ReadKind, change: ChangeKind) -> tuple[float, ...]:
        least, most = self._lag.window(read, change)
        if most <= 0:
            return ()
        return tuple(self._delays.uniform(least, most) for _ in range(self._lag.replicas))
