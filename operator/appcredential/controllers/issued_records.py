"""Finds what resources left that went without their finalizer, and has it revoked.

Somebody took the finalizer away, or replaced the resource without it, and nobody saw the deletion.
Called by a loop of `process.py` while this process leads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from appcredential.cache.issued_records import KnownRecords
from appcredential.domain.facts.deletion import name_of
from appcredential.domain.facts.issued import revocation_of
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.issued import IssuedRecord, KnownRecord
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.observed.target import Target
from appcredential.domain.turns import in_turns
from appcredential.effects.deletion import announce, mark
from appcredential.effects.events import about
from appcredential.effects.issued_records import RecordWrites
from appcredential.effects.revocation import RevocationWrites
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    ThrottledError,
    UnavailableError,
)
from appcredential.gather.revocation import RevocationObserver
from appcredential.gather.revocation_state import RevocationState
from appcredential.ports.kube import Resources
from appcredential.ports.local import Clock
from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.logs import within

log = logging.getLogger(__name__)

_MOST: Final = 100
"""Records that one round looks at."""
_MOST_IN_VAIN: Final = 3
"""Namespaces without an answer after which a round asks no more."""
_PAUSE: Final = timedelta(minutes=5)
"""Before a record is looked at again whose resource is there after all, or could not be read."""
_RELIST: Final = timedelta(hours=1)
"""Only this process writes records; a list finds what people did to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What the look for such resources works with.

    Attributes:
        skew: the API server's clock minus ours; None when it is not known.
        resources: read live, because an absence in memory proves nothing.
    """

    clock: Clock
    settings: LifecycleSettings
    guard: EffectGuard
    skew: Callable[[], timedelta | None]
    resources: Resources
    observer: RevocationObserver
    records: RecordWrites
    writes: RevocationWrites


@dataclass(slots=True)
class UnownedRecords:
    """Compares the records with the resources that are known, which costs no request.

    What seems to be without its resource is looked at live.
    """

    tools: Sweep
    _again: dict[str, float] = field(default_factory=dict)
    _listed: float | None = None

    async def refresh(self) -> None:
        """List the records: at the start of a term, and now and then.

        Raises:
            AppCredentialError: they could not be listed.
        """
        await self._known.refresh()
        self._listed = self.tools.clock.monotonic()

    async def run_once(self) -> None:
        """Look at records without a resource: namespaces take turns, and a round is bounded.

        Raises:
            AppCredentialError: the API server does not answer. The next round goes on.
        """
        now = self.tools.clock.monotonic()
        if self._listed is None or now - self._listed >= _RELIST.total_seconds():
            await self.refresh()
        in_vain: set[str] = set()
        for name, known in self._due(self._known.unowned(), now):
            if self.tools.guard.problem() is not None:
                return
            if known.owner.namespace in in_vain:
                continue
            self._again[name] = now + _PAUSE.total_seconds()
            try:
                with within(**about(known.owner), application=known.client_id):
                    await self._guarded(name, known)
            except (UnavailableError, ThrottledError):
                # One namespace's objects may fail alone, such as Secrets that nobody can decrypt.
                in_vain.add(known.owner.namespace)
                if len(in_vain) >= _MOST_IN_VAIN:
                    raise

    @property
    def _known(self) -> KnownRecords:
        return self.tools.records.known

    def _due(self, unowned: Mapping[str, KnownRecord], now: float) -> list[tuple[str, KnownRecord]]:
        self._again = {n: again for n, again in self._again.items() if n in unowned}
        due = [n for n in unowned if self._again.get(n, now) <= now]
        # Those that were never looked at come first.
        due.sort(key=lambda n: self._again.get(n, 0.0))
        found = in_turns(due, lambda n: unowned[n].owner.namespace)
        return [(name, unowned[name]) for name in found[:_MOST]]

    async def _guarded(self, name: str, known: KnownRecord) -> None:
        """Look at one; only an error that the others would meet as well is raised."""
        try:
            await self._look_at(name, known)
        except ConflictError:
            del self._again[name]  # it changed between our read and our write
        except (UnavailableError, ThrottledError):
            raise
        except AppCredentialError as exc:
            log.warning("what a resource left is not looked at", extra={"error": str(exc)})
        except Exception:  # an outer guard: the other records have their turn
            log.exception("what a resource left is not looked at")

    async def _look_at(self, name: str, known: KnownRecord) -> None:
        record = await self.tools.records.read(name)
        if record is None:
            return
        state = RevocationState("")
        await self.tools.observer.look_for_owner(record.left, state)
        if state.is_owner_present:
            if self._known.is_replaced(known):
                await self.tools.records.drop(name, record)
            return
        # After that look: a CRD that goes answers 404 for all of its resources.
        since = await self.tools.resources.crd_created()
        if since is None:
            return
        if since > record.created:
            why = "its CRD was deleted and made anew, so nothing is revoked"
            await self._let_go(name, record, why)
        elif record.observes:
            await self._let_go(name, record, "it was only observed, so nothing is touched")
        else:
            await self._revoke_later(name, record, state)

    async def _let_go(self, name: str, record: IssuedRecord, why: str) -> None:
        await self.tools.records.drop(name, record)
        log.info("a resource went without its finalizer", extra={"outcome": why})

    async def _revoke_later(self, name: str, record: IssuedRecord, state: RevocationState) -> None:
        """Schedule the revocation; one that is scheduled already stays as it is."""
        if self.tools.writes.open_revocations.find(name_of(record.left)) is None:
            if self._is_at_limit(record):
                return
            scheduled = await self._schedule(record, state)
            if scheduled is None:
                return
            await self._tell(*scheduled)
        await self.tools.records.drop(name, record)

    def _is_at_limit(self, record: IssuedRecord) -> bool:
        """Return whether the namespace has no room: the record stays until it has."""
        waiting = self.tools.writes.open_revocations.of_namespace(record.left.owner.namespace)
        return len(waiting) >= self.tools.settings.max_open_revocations

    async def _schedule(
        self, record: IssuedRecord, state: RevocationState
    ) -> tuple[Revocation, Target | None] | None:
        """Write the revocation; return it and the owner's target Secret, or None if that waits."""
        tools = self.tools
        await tools.observer.read_namespace(record.left, state)
        read = state.namespace
        target, pending = (read.target, read.pending) if read is not None else (None, None)
        if target is not None and state.successor is not None:
            # Then it stays: the successor publishes to it.
            target = None if state.successor.secret.name == target.name else target
        wanted = revocation_of(
            record,
            target,
            pending,
            now=tools.clock.now(),
            longest=tools.settings.max_deletion_grace,
        )
        if not self._are_clocks_right() or tools.guard.problem() is not None:
            return None
        written = await tools.writes.revocations.put(name_of(wanted), wanted, None)
        tools.writes.open_revocations.note(name_of(wanted), written)
        log.info(
            "a resource went without its finalizer",
            extra={"outcome": "its revocation is scheduled", "due": written.due.isoformat()},
        )
        return written, target if written.secret_uid else None

    def _are_clocks_right(self) -> bool:
        """Return whether the grace period can be counted from now."""
        skew = self.tools.skew()
        return skew is None or abs(skew) <= self.tools.settings.max_clock_skew

    async def _tell(self, written: Revocation, target: Target | None) -> None:
        writes = self.tools.writes
        if not await announce(writes.events, written):
            return
        try:
            await mark(writes.secrets, written.owner, target, written.due)
        except AppCredentialError as exc:
            log.info("revocation time not noted", extra={"error": str(exc)})
