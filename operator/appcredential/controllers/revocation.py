"""Finishes deletions: looks at the open revocations in rounds, and carries out those that are due.

Called by a loop of `process.py` while this process leads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import assert_never

from appcredential.cache.open_revocations import OpenRevocations
from appcredential.controllers.due_times import DueTimes
from appcredential.controllers.overdue import OverdueRevocations
from appcredential.controllers.revocation_round import Pace, Round, Setbacks
from appcredential.domain.facts.deletion import name_of
from appcredential.domain.facts.revocation import fair_order
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import ClusterIdentity
from appcredential.domain.observed.revocation import Revocation, RevocationObservation
from appcredential.domain.revocation import decide_revocation
from appcredential.domain.revocation_actions import (
    DeleteOutput,
    DeletePendingSecret,
    DeleteRevocation,
    DeleteTarget,
    ReadRevokedApplication,
    ReadRevokedSecrets,
    RemoveAnnotations,
    RevocationAction,
    RevokeCredential,
    Wait,
)
from appcredential.effects.events import about
from appcredential.effects.revocation import RevocationEffects, RevocationWrites
from appcredential.effects.revocation_checks import RevocationChecks
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    NotYetError,
    ThrottledError,
    UnavailableError,
)
from appcredential.gather.revocation import RevocationObserver, RevocationReads
from appcredential.gather.revocation_state import RevocationState
from appcredential.ports.local import Clock
from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.logs import within

log = logging.getLogger(__name__)

_MAX_STEPS = 40


class RevocationController:
    """Works on the open revocations; holds one RevocationState for each."""

    def __init__(
        self,
        *,
        clock: Clock,
        pace: Pace,
        guard: EffectGuard,
        open_revocations: OpenRevocations,
        due_times: DueTimes,
        observer: RevocationObserver,
        effects: RevocationEffects,
        overdue: OverdueRevocations,
    ) -> None:
        self._clock = clock
        self._pace = pace
        self._overdue = overdue
        self._guard = guard
        self._open_revocations = open_revocations
        self._due_times = due_times
        self._observer = observer
        self._effects = effects
        self._states: dict[str, RevocationState] = {}
        self._setbacks = Setbacks()

    async def run_once(self) -> None:
        """Look at every open revocation, and again at those whose turn comes before the next round.

        Namespaces take turns, several revocations are worked on at a time, and one that fails
        waits for the next round, behind the others: no namespace, no tenant and no application
        holds up another.

        Raises:
            AppCredentialError: the revocations could not be listed.
        """
        await self._open_revocations.refresh()
        found = self._due_times.bounded(r for _, r in self._open_revocations.items())
        names = set(map(name_of, found))
        self._states = {name: s for name, s in self._states.items() if name in names}
        self._setbacks.keep(found)
        await self._round([r for r in found if self._due_times.are_near(r)])
        await self._overdue.tell(found, self._states)

    @property
    def overdue(self) -> Mapping[str, float]:
        """By EntraTenant: for how many seconds its oldest revocation should have been done."""
        return self._overdue.ages

    async def _round(self, concerned: list[Revocation]) -> None:
        end = self._clock.monotonic() + self._pace.period.total_seconds()
        round_ = Round(fair_order(concerned, self._setbacks.rank))
        while round_.left:
            await asyncio.gather(*(self._drain(round_) for _ in range(self._pace.workers)))
            soonest = round_.next_turn()
            if soonest is None or soonest >= end:
                return
            await self._pace.sleep(max(0.0, soonest - self._clock.monotonic()))
            round_.come_again(max(soonest, self._clock.monotonic()))

    async def _drain(self, round_: Round) -> None:
        while round_.left:
            revocation = round_.left.popleft()
            if round_.is_hopeless(revocation):
                continue
            with within(**about(revocation.owner), application=revocation.client_id):
                await self._look_at(revocation, round_)

    async def _look_at(self, revocation: Revocation, round_: Round) -> None:
        try:
            await self._guarded(revocation)
            self._setbacks.clear(revocation)
        except NotYetError as exc:
            wait = exc.retry_after.total_seconds()
            round_.told[revocation] = self._clock.monotonic() + wait
        except (UnavailableError, ThrottledError) as exc:
            round_.give_up(revocation)
            self._setbacks.note(revocation, self._clock.monotonic())
            log.warning(
                "revocation waits", extra={"ticket": name_of(revocation), "error": str(exc)}
            )

    async def _guarded(self, revocation: Revocation) -> None:
        """Do it; only an error that other revocations would meet as well is raised."""
        name = name_of(revocation)
        try:
            await self._work(name, revocation)
        except ConflictError:
            self._states.pop(name, None)  # it changed between our read and our write
        except (NotYetError, UnavailableError, ThrottledError):
            raise
        except AppCredentialError as exc:
            log.warning("revocation waits", extra={"ticket": name, "error": str(exc)})
        except Exception:  # an outer guard: the other revocations have their turn
            log.exception("revocation failed", extra={"ticket": name})

    async def _work(self, name: str, revocation: Revocation) -> None:
        state = self._state_of(name, revocation)
        state.namespace = None
        await self._observer.look_for_owner(revocation, state)
        for _ in range(_MAX_STEPS):
            if self._guard.problem(revocation.owner.namespace) is not None:
                return
            observation = self._observer.observe(revocation, state)
            if not await self._step(decide_revocation(observation), observation, state):
                return

    def _state_of(self, name: str, revocation: Revocation) -> RevocationState:
        """Return what was seen so far of this very ConfigMap; nothing once it was cancelled."""
        state, live = self._states.get(name), self._open_revocations.find(name)
        is_cancelled = live is None or live.uid != revocation.uid
        if state is None or state.uid != revocation.uid or is_cancelled:
            state = self._states[name] = RevocationState(revocation.uid)
        if state.clock.was_set(self._clock):
            state = self._states[name] = RevocationState(revocation.uid)
            state.clock.was_set(self._clock)
        return state

    async def _step(
        self, action: RevocationAction, observation: RevocationObservation, state: RevocationState
    ) -> bool:
        """Do one step; return whether to go on in this round."""
        match action:
            case Wait():
                return False
            case ReadRevokedApplication():
                return await self._observer.read_application(observation.revocation, state)
            case ReadRevokedSecrets():
                await self._observer.read_namespace(observation.revocation, state)
                return True
            case (
                RevokeCredential()
                | DeletePendingSecret()
                | DeleteTarget()
                | RemoveAnnotations()
                | DeleteOutput()
                | DeleteRevocation()
            ):
                return await self._effects.perform(action, observation, state)
            case _:
                assert_never(action)


def build_revocation_controller(
    *,
    clock: Clock,
    pace: Pace,
    settings: LifecycleSettings,
    absence: timedelta,
    identity: ClusterIdentity,
    guard: EffectGuard,
    reads: RevocationReads,
    writes: RevocationWrites,
) -> RevocationController:
    """Return a controller with its parts.

    Args:
        clock: of the process.
        pace: of the rounds.
        settings: the lifecycle's timings.
        absence: a revocation acts only after its owner was seen absent for so long.
        identity: of the cluster, as the markers in Entra name it.
        guard: asked before every step.
        reads: what is observed.
        writes: what is changed.
    """
    observer = RevocationObserver(
        clock=clock, settings=settings, absence=absence, identity=identity, reads=reads
    )
    checks = RevocationChecks(
        clock=clock,
        freshness=settings.freshness,
        guard=guard,
        revocations=writes.revocations,
        observer=observer,
        heirs=reads.heirs,
    )
    return RevocationController(
        clock=clock,
        pace=pace,
        guard=guard,
        open_revocations=writes.open_revocations,
        due_times=DueTimes(
            clock,
            longest=settings.max_deletion_grace,
            tolerance=settings.max_clock_skew,
            absence=absence,
        ),
        observer=observer,
        effects=RevocationEffects(writes=writes, observer=observer, checks=checks),
        overdue=OverdueRevocations(
            clock=clock, absence=absence, observer=observer, events=writes.events
        ),
    )
