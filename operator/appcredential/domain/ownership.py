"""Which applications of one tenant the operator owns, as far as that is known. Pure.

The list of what a service principal owns lags and may lack anything, so what it lacks is only a
doubt. Direct reads of the application's owners settle it, and replicas may lag there, too: two of
them in a row have to agree.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from appcredential.domain.spec.model import ClientId

REQUIRED_READS: Final = 2
"""Direct reads in a row without the operator before it counts as no owner."""
_READ_AGAIN: Final = 20


@dataclass(slots=True)
class Ownerships:
    """What lists and direct reads have shown. Times are seconds of the monotonic clock.

    Attributes:
        is_listed: the whole list was seen once.
        doubts: applications whose owners are to be read, the first one first, and how many direct
            reads in a row did not show the operator.
        asked: those of them that somebody asked for.
        unowned: applications that it does not own, and when a direct read showed that last.
        written: applications to which it wrote although it did not seem to own them: something
            else permits that, or it was made an owner meanwhile.
    """

    is_listed: bool = False
    doubts: dict[ClientId, int] = field(default_factory=dict)
    asked: dict[ClientId, None] = field(default_factory=dict)
    unowned: dict[ClientId, float] = field(default_factory=dict)
    written: set[ClientId] = field(default_factory=set)

    def owns(self, client_id: ClientId) -> bool | None:
        """Return whether the operator owns an application; None while nobody knows."""
        if client_id in self.unowned:
            return False
        return True if self.is_listed and client_id not in self.doubts else None

    def see_list(self, wanted: frozenset[ClientId], listed: Collection[ClientId]) -> None:
        """Note what a complete list of what the operator owns shows.

        What it lacks is doubted, and what it shows although direct reads did not. Where both agree
        that the operator is no owner, only the 20 that were read longest ago are read again. What
        waits for a direct read goes on to wait.

        Args:
            wanted: the applications that matter.
            listed: those of them that the list shows.
        """
        shown = set(listed)
        self.is_listed = True
        self.unowned = {c: time for c, time in self.unowned.items() if c in wanted}
        self.written = {c for c in self.written if c in wanted and c not in shown}
        lacking = wanted - shown - self.written
        agreed = sorted(lacking & self.unowned.keys(), key=self.unowned.__getitem__)
        doubted = (lacking - self.unowned.keys()) | (shown & self.unowned.keys())
        waiting = {c: misses for c, misses in self.doubts.items() if c in wanted}
        self.doubts = dict.fromkeys((*waiting, *sorted(doubted), *agreed[:_READ_AGAIN]), 0)
        self.doubts |= waiting
        self.asked = dict.fromkeys(c for c in self.asked if c in waiting)

    def ask(self, client_id: ClientId) -> None:
        """Have the owners of an application read soon; what direct reads have shown stays."""
        self.doubts.setdefault(client_id, 0)
        self.asked.setdefault(client_id)

    def next_reads(self, count: int) -> list[ClientId]:
        """Return whose owners are to be read now: up to a half of those that are asked for.

        Who asks again and again keeps nobody from being looked at.
        """
        first = list(islice(self.asked, count // 2))
        others = (c for c in self.doubts if c not in first)
        return [*first, *islice(others, count - len(first))]

    def see_owners(self, client_id: ClientId, *, is_owner: bool, now: float) -> bool:
        """Note what a direct read of an application's owners shows.

        Returns:
            Whether the operator counts as no owner from now on, and did not before.
        """
        misses = self.doubts.get(client_id, 0) + 1
        is_open = client_id not in self.unowned and client_id not in self.written
        if not is_owner and is_open and misses < REQUIRED_READS:
            self.postpone(client_id, misses)
            return False
        self._settle(client_id)
        if is_owner:
            self.forget(client_id)
        elif client_id not in self.written:
            self.unowned[client_id] = now
        return is_open and not is_owner

    def postpone(self, client_id: ClientId, misses: int | None = None) -> None:
        """Read the owners of all others first.

        Args:
            client_id: of the application.
            misses: how many direct reads in a row did not show the operator; None for as many as
                before, where its owners could not be read.
        """
        before = self.doubts.pop(client_id, 0)
        self.doubts[client_id] = before if misses is None else misses
        if client_id in self.asked:
            del self.asked[client_id]
            self.asked[client_id] = None

    def see_write(self, client_id: ClientId) -> None:
        """Note that Entra accepted a write of ours: something permits it, whoever owns it."""
        if client_id in self.unowned:
            del self.unowned[client_id]
            self.written.add(client_id)
            self.ask(client_id)

    def forget(self, client_id: ClientId) -> None:
        """Forget what was held against the operator: it is an owner, or nobody can tell."""
        self._settle(client_id)
        self.unowned.pop(client_id, None)
        self.written.discard(client_id)

    def _settle(self, client_id: ClientId) -> None:
        self.doubts.pop(client_id, None)
        self.asked.pop(client_id, None)
