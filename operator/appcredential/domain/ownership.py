"""Which applications of one tenant the operator owns, as far as that is known. Pure.

The list of what a service principal owns lags and may lack anything, so what it lacks is only a
doubt. Direct reads of the application's owners settle it, and replicas may lag there, too: two of
them in a row have to agree, with longer between them than replicas lag.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from typing import Final

from appcredential.domain.spec.model import ClientId

REQUIRED_READS: Final = 2
"""Direct reads in a row without the operator before it counts as no owner."""
REPLICAS_LAG: Final = timedelta(minutes=10)
"""How long after one direct read without the operator the next one counts.

It is far longer than the half minute for which Entra's replicas mostly differ.
"""
READ_AGAIN: Final = timedelta(hours=1)
"""How often some applications are read again that it does not own, or that could not be read."""
_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Doubt:
    """That the operator owns an application. Times are seconds of the monotonic clock.

    Attributes:
        misses: how many direct reads in a row did not show the operator.
        confirmable: from when on another one counts.
        retry: when its owners are tried again, which could not be read; None where they could.
    """

    misses: int = 0
    confirmable: float = 0.0
    retry: float | None = None

    def is_due(self, now: float) -> bool:
        """Return whether the owners are to be read now."""
        return now >= max(self.confirmable, self.retry or 0.0)


@dataclass(slots=True)
class Ownerships:
    """What lists and direct reads have shown. Times are seconds of the monotonic clock.

    Attributes:
        is_listed: the whole list was seen once.
        doubts: applications whose owners are to be read, the first one first.
        asked: those of them that somebody asked for.
        unowned: applications that it does not own, and when a direct read showed that last.
        written: applications to which it wrote although it did not seem to own them: something
            else permits that, or it was made an owner meanwhile.
        read_again: when some of the unowned are read again.
    """

    is_listed: bool = False
    doubts: dict[ClientId, Doubt] = field(default_factory=dict)
    asked: dict[ClientId, None] = field(default_factory=dict)
    unowned: dict[ClientId, float] = field(default_factory=dict)
    written: set[ClientId] = field(default_factory=set)
    read_again: float = 0.0

    def anew(self) -> Ownerships:
        """Return what outlasts a time in which nobody looked: only what writes have shown."""
        return Ownerships(written=self.written)

    def owns(self, client_id: ClientId) -> bool | None:
        """Return whether the operator owns an application; None while nobody knows."""
        if client_id in self.unowned:
            return False
        return True if self.is_listed and client_id not in self.doubts else None

    def see_list(self, wanted: frozenset[ClientId], listed: Collection[ClientId]) -> None:
        """Note what a complete list of what the operator owns shows.

        What it lacks is doubted, and what it shows although direct reads did not. What waits for a
        direct read goes on to wait.

        Args:
            wanted: the applications that matter.
            listed: those of them that the list shows.
        """
        shown = set(listed)
        self.is_listed = True
        self.unowned = {c: time for c, time in self.unowned.items() if c in wanted}
        self.written = {c for c in self.written if c in wanted and c not in shown}
        lacking = wanted - shown - self.written
        doubted = (lacking - self.unowned.keys()) | (shown & self.unowned.keys())
        waiting = {c: doubt for c, doubt in self.doubts.items() if c in wanted}
        self.doubts = waiting | {c: Doubt() for c in sorted(doubted) if c not in waiting}
        self.asked = dict.fromkeys(c for c in self.asked if c in waiting)

    def ask(self, client_id: ClientId) -> None:
        """Have the owners of an application read soon; what direct reads have shown stays.

        Nobody can ask for less time between two reads: replicas lag most after a change, and that
        is when people ask.
        """
        doubt = self.doubts.setdefault(client_id, Doubt())
        if doubt.retry is not None:
            self.doubts[client_id] = replace(doubt, retry=0.0)
        self.asked.setdefault(client_id)

    def next_reads(self, count: int, now: float) -> list[ClientId]:
        """Return whose owners are to be read now: up to a half of those that are asked for.

        Who asks again and again keeps nobody from being looked at. Once an hour up to 20 of the
        unowned are doubted again, those that were read longest ago.
        """
        if not self.unowned or now >= self.read_again:
            self.read_again = now + READ_AGAIN.total_seconds()
            for client_id in sorted(self.unowned, key=self.unowned.__getitem__)[:_AT_ONCE]:
                self.doubts.setdefault(client_id, Doubt())
        first = list(islice((c for c in self.asked if self.doubts[c].is_due(now)), count // 2))
        others = (c for c, doubt in self.doubts.items() if doubt.is_due(now) and c not in first)
        return [*first, *islice(others, count - len(first))]

    def see_owners(self, client_id: ClientId, *, is_owner: bool, now: float) -> bool:
        """Note what a direct read of an application's owners shows.

        Returns:
            Whether the operator counts as no owner from now on, and did not before.
        """
        misses = self.doubts.get(client_id, Doubt()).misses + 1
        is_open = client_id not in self.unowned and client_id not in self.written
        if not is_owner and is_open and misses < REQUIRED_READS:
            self._postpone(client_id, Doubt(misses, now + REPLICAS_LAG.total_seconds()))
            return False
        self._settle(client_id)
        if is_owner:
            self.forget(client_id)
        elif client_id not in self.written:
            self.unowned[client_id] = now
        return is_open and not is_owner

    def see_unreadable(self, client_id: ClientId, now: float) -> bool:
        """Note that an application's owners could not be read: they are tried again in an hour.

        Returns:
            Whether that is news, and not how the try before ended, too.
        """
        doubt = self.doubts.get(client_id, Doubt())
        self._postpone(client_id, replace(doubt, retry=now + READ_AGAIN.total_seconds()))
        return doubt.retry is None

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

    def _postpone(self, client_id: ClientId, doubt: Doubt) -> None:
        """Read the owners of all others first."""
        self.doubts.pop(client_id, None)
        self.doubts[client_id] = doubt
        if client_id in self.asked:
            del self.asked[client_id]
            self.asked[client_id] = None

    def _settle(self, client_id: ClientId) -> None:
        self.doubts.pop(client_id, None)
        self.asked.pop(client_id, None)
