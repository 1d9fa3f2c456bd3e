"""Live re-checks before each step of a scheduled revocation.

They look alike, and each guards another race: its docstring says what may have happened between
the decision and the step.
"""

from __future__ import annotations

from datetime import timedelta

from appcredential.domain.facts.deletion import name_of
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.revocation import Revocation, RevocationObservation
from appcredential.domain.spec.model import KeyId
from appcredential.domain.spec.trusts import service_account_subject
from appcredential.gather.heirs import Heirs
from appcredential.gather.revocation import RevocationObserver
from appcredential.gather.revocation_state import RevocationState
from appcredential.ports.local import Clock
from appcredential.ports.own_config_maps import Revocations
from appcredential.ports.session import Session
from appcredential.runtime.effect_guard import EffectGuard


class RevocationChecks:
    """Asks the API server and Entra again, and this process whether it may still act."""

    def __init__(
        self,
        *,
        clock: Clock,
        freshness: timedelta,
        guard: EffectGuard,
        revocations: Revocations,
        observer: RevocationObserver,
        heirs: Heirs,
    ) -> None:
        self._clock = clock
        self._freshness = freshness
        self._guard = guard
        self._revocations = revocations
        self._observer = observer
        self._heirs = heirs

    async def is_still_due(
        self, observation: RevocationObservation, state: RevocationState
    ) -> bool:
        """Return whether a step may still be done that was decided by `observation`.

        What takes no request is asked last, because the requests may take long.

        Raises:
            AppCredentialError: it could not be looked at.
        """
        return (
            await self._is_owner_still_absent(observation, state)
            and await self._is_still_scheduled(observation.revocation)
            and self._is_recent(state)
            and self._are_clocks_right(observation.revocation)
            and self._may_act()
        )

    async def _is_owner_still_absent(
        self, observation: RevocationObservation, state: RevocationState
    ) -> bool:
        """Race: the resource, or another one of its name, was created or changed."""
        await self._observer.look_for_owner(observation.revocation, state)
        return state.absent_since is not None and state.successor == observation.successor

    async def _is_still_scheduled(self, revocation: Revocation) -> bool:
        """Race: a reconcile cancelled the revocation, or scheduled another in its place."""
        live = await self._revocations.get(name_of(revocation))
        return live is not None and (live.uid, live.resource_version) == (
            revocation.uid,
            revocation.resource_version,
        )

    def _is_recent(self, state: RevocationState) -> bool:
        """Race: this process was paused, and what it read of the namespace changed meanwhile."""
        if state.namespace is None:
            return True
        age = self._clock.monotonic() - state.namespace.read
        return age <= self._freshness.total_seconds()

    def _are_clocks_right(self, revocation: Revocation) -> bool:
        """Race: this machine's clock was set, and the revocation is not due at all."""
        session = self._observer.session(revocation)
        skew = session.directory.skew() if session is not None else None
        return skew is None or abs(skew) <= LifecycleSettings.max_clock_skew

    def _may_act(self) -> bool:
        """Race: the Lease ran out, and another process leads."""
        return self._guard.problem() is None

    async def is_trust_unchanged(
        self, key_id: KeyId, session: Session, application: Application, state: RevocationState
    ) -> bool:
        """Race: another resource took this trust over, which keeps its id.

        Returns:
            True also for credentials that are no trusts: nobody takes those over.

        Raises:
            AppCredentialError: the federated credentials could not be read.
        """
        if state.federated is None:
            return True
        listed = await session.directory.federated(application.object_id, timedelta(0))
        known = {c.id: c for c in state.federated.credentials}
        return any(c.id == key_id and known.get(c.id) == c for c in listed.credentials)

    async def is_account_trusted_elsewhere(self, revocation: Revocation, account: str) -> bool:
        """Race: another resource asks for trust in this ServiceAccount, and annotates it itself.

        Raises:
            AppCredentialError: nobody can say.
        """
        subject = service_account_subject(revocation.owner.namespace, account)
        return subject in {wanted for _, wanted in await self._heirs.wanted(revocation)}
