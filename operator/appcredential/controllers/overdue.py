"""Tells which scheduled revocations are overdue: an Event and a log line each, and their age.

Called by `controllers/revocation.py` after each round. Nothing is decided here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from appcredential.domain.facts.deletion import name_of
from appcredential.domain.facts.overdue import overdue_for, overdue_note
from appcredential.domain.observed.revocation import Revocation
from appcredential.effects.events import subject_of_deleted
from appcredential.gather.revocation import RevocationObserver
from appcredential.gather.revocation_state import RevocationState
from appcredential.ports.events import Events
from appcredential.ports.local import Clock

log = logging.getLogger(__name__)

_MOST_TOLD: Final = 20
"""Events in a round: an outage makes all of a tenant's revocations overdue at once."""
_PATIENCE: Final = timedelta(minutes=10)
_AGAIN: Final = timedelta(days=1).total_seconds()


class OverdueRevocations:
    """Remembers which overdue revocations were told, and when.

    Args:
        absence: an owner must have been absent for so long before its revocation begins.
        observer: knows what keeps a revocation.
    """

    def __init__(
        self, *, clock: Clock, absence: timedelta, observer: RevocationObserver, events: Events
    ) -> None:
        self._clock = clock
        self._absence = absence
        self._observer = observer
        self._events = events
        self._met: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self.ages: dict[str, float] = {}
        """By EntraTenant: for how many seconds the oldest one should have been done."""

    async def tell(
        self, found: Iterable[Revocation], states: Mapping[str, RevocationState]
    ) -> None:
        """Tell those that are overdue, each once a day.

        Args:
            found: all that are open.
            states: what was seen of each, by its name. Whose owner is there again is not late.
        """
        by_name = {name_of(revocation): revocation for revocation in found}
        now = self._clock.monotonic()
        self._met = {name: self._met.get(name, now) for name in by_name}
        self._told = {name: at for name, at in self._told.items() if name in by_name}
        late = {
            name: age
            for name, revocation in by_name.items()
            if (age := self._age(revocation, states.get(name)))
        }
        self.ages = {}
        for name, age in late.items():
            tenant = by_name[name].tenant
            self.ages[tenant] = max(age.total_seconds(), self.ages.get(tenant, 0.0))
        for name in [n for n, age in late.items() if self._is_news(n, age)][:_MOST_TOLD]:
            self._told[name] = now
            await self._tell(by_name[name], states.get(name), late[name])

    def _age(self, revocation: Revocation, state: RevocationState | None) -> timedelta | None:
        if state is not None and state.is_owner_present:
            return None
        return overdue_for(revocation.due, self._clock.now(), self._absence) or None

    def _is_news(self, name: str, age: timedelta) -> bool:
        """Return whether one is to be told: not while this process has hardly begun with it."""
        now, started = self._clock.monotonic(), self._met[name]
        if age < _PATIENCE or now - started < (self._absence + _PATIENCE).total_seconds():
            return False
        return name not in self._told or now - self._told[name] >= _AGAIN

    async def _tell(
        self, revocation: Revocation, state: RevocationState | None, age: timedelta
    ) -> None:
        about = {
            "ticket": name_of(revocation),
            "owner": str(revocation.owner),
            "tenant": revocation.tenant,
            "overdue_seconds": int(age.total_seconds()),
        }
        log.warning("revocation is overdue", extra=about)
        seen = self._observer.observe(revocation, state or RevocationState(revocation.uid))
        note = overdue_note(seen)
        await self._events.emit(
            subject_of_deleted(revocation), "RevocationOverdue", note, warning=True
        )
