"""Performs one step of a scheduled revocation.

Before each step it has what would make the step harmful checked again, see
`revocation_checks.py`. Called by `controllers/revocation.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import assert_never

from appcredential.cache.open_revocations import OpenRevocations
from appcredential.domain.audit import Result
from appcredential.domain.facts.adoption import adopted_left
from appcredential.domain.facts.deletion import name_of
from appcredential.domain.facts.revocation import is_unconfirmed
from appcredential.domain.observed.revocation import Revocation, RevocationObservation
from appcredential.domain.revocation_actions import (
    DeleteOutput,
    DeletePendingSecret,
    DeleteRevocation,
    DeleteTarget,
    RemoveAnnotations,
    RevocationEffect,
    RevokeCredential,
)
from appcredential.domain.shown_text import first_of
from appcredential.domain.spec.model import KeyId
from appcredential.domain.spec.trusts import service_account_of
from appcredential.effects import audit
from appcredential.effects.annotations import remove_annotations
from appcredential.effects.events import subject_of_deleted
from appcredential.effects.removal import remove_credential
from appcredential.effects.revocation_checks import RevocationChecks
from appcredential.errors import (
    AppCredentialError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
)
from appcredential.gather.revocation import RevocationObserver
from appcredential.gather.revocation_state import RevocationState
from appcredential.graph_call import noting_writes
from appcredential.ports.events import Events
from appcredential.ports.kube import (
    Outputs,
    Secrets,
    ServiceAccounts,
)
from appcredential.ports.own_config_maps import Revocations

log = logging.getLogger(__name__)

_UNCONFIRMED = (
    "The application could not be found in Entra, so nothing of the deleted resource was "
    "seen or removed there. If it still exists, remove its credentials by hand."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationWrites:
    """What the steps change, besides Entra."""

    secrets: Secrets
    outputs: Outputs
    service_accounts: ServiceAccounts
    revocations: Revocations
    open_revocations: OpenRevocations
    events: Events


class RevocationEffects:
    """The steps of a revocation that change something."""

    def __init__(
        self,
        *,
        writes: RevocationWrites,
        observer: RevocationObserver,
        checks: RevocationChecks,
    ) -> None:
        self._writes = writes
        self._observer = observer
        self._checks = checks

    async def perform(
        self, effect: RevocationEffect, observation: RevocationObservation, state: RevocationState
    ) -> bool:
        """Do one step, unless something changed since it was decided.

        Args:
            effect: the step.
            observation: what it was decided by.
            state: of the same revocation; what the step changes has to be read again.

        Returns:
            Whether to go on in this round.

        Raises:
            ConflictError: what was to be changed is not any more what was observed.
            NotYetError: others write to the application first; nothing was done.
            AppCredentialError: it failed.
        """
        with noting_writes(), self._turn(effect, observation.revocation, state):
            return await self._perform(effect, observation, state)

    def _turn(
        self, effect: RevocationEffect, revocation: Revocation, state: RevocationState
    ) -> AbstractContextManager[None]:
        """Hold the application's turn for a removal, from before the checks that it rests on."""
        session = self._observer.session(revocation)
        if not isinstance(effect, RevokeCredential) or session is None or state.application is None:
            return nullcontext()
        return session.directory.turn(state.application.object_id, name_of(revocation))

    async def _perform(
        self, effect: RevocationEffect, observation: RevocationObservation, state: RevocationState
    ) -> bool:
        if not await self._checks.is_still_due(observation, state):
            return False
        revocation = observation.revocation
        match effect:
            case RevokeCredential(key_id):
                await self._revoke(key_id, revocation, state)
            case DeletePendingSecret():
                await self._delete_pending(observation, state)
            case DeleteTarget():
                await self._delete_target(observation, state)
            case RemoveAnnotations():
                await self._remove_annotations(revocation, revocation.service_account)
                state.is_annotation_removed = True
            case DeleteOutput():
                await self._delete_output(observation, state)
            case DeleteRevocation():
                await self._finish(observation)
                return False
            case _:
                assert_never(effect)
        return True

    # --- Entra ----------------------------------------------------------------------------

    async def _revoke(self, key_id: KeyId, revocation: Revocation, state: RevocationState) -> None:
        session, application = self._observer.session(revocation), state.application
        if session is None or application is None:
            return
        if not await self._checks.is_trust_unchanged(key_id, session, application, state):
            state.application = None
            return
        object_id, result = application.object_id, Result.DONE
        failed: AppCredentialError | None = None
        try:
            await remove_credential(
                session.directory, revocation.type, object_id, key_id, frozenset()
            )
        except NotFoundError as exc:
            # Gone, or not known to that replica: the reads that follow decide.
            result, failed = Result.ABSENT, exc
        except OutcomeUnknownError as exc:
            audit.write(
                audit.record_of_deleted(revocation, session, object_id, key_id, Result.UNKNOWN, exc)
            )
            raise
        await self._remove_annotations_of(key_id, revocation, state)
        kept = tuple(c for c in application.credentials if c.key_id != key_id)
        state.application = replace(application, credentials=kept)
        state.clean_reads = ()
        note = f"Credential {key_id} of the deleted resource was removed."
        found = audit.record_of_deleted(revocation, session, object_id, key_id, result, failed)
        await audit.emit(self._writes.events, "Revoked", note, found)

    # --- ServiceAccounts ------------------------------------------------------------------

    async def _remove_annotations_of(
        self, key_id: KeyId, revocation: Revocation, state: RevocationState
    ) -> None:
        """Also from a ServiceAccount that the deleted resource named before."""
        for c in state.federated.credentials if state.federated is not None else ():
            account = service_account_of(c.subject, revocation.owner.namespace)
            if c.id == key_id and account:
                await self._remove_annotations(revocation, account)

    async def _remove_annotations(self, revocation: Revocation, account: str) -> None:
        try:
            if not await self._checks.is_account_trusted_elsewhere(revocation, account):
                await remove_annotations(
                    self._writes.service_accounts, revocation.owner, revocation.client_id, account
                )
        except PermissionDeniedError:
            if not await self._observer.is_namespace_leaving(revocation):
                raise

    # --- the namespace --------------------------------------------------------------------

    async def _delete_pending(
        self, observation: RevocationObservation, state: RevocationState
    ) -> None:
        if observation.pending is not None:
            owner = observation.revocation.owner
            await self._writes.secrets.delete_pending(owner, observation.pending)
        state.namespace = None

    async def _delete_target(
        self, observation: RevocationObservation, state: RevocationState
    ) -> None:
        if observation.target is not None:
            namespace = observation.revocation.owner.namespace
            await self._writes.secrets.delete_target(namespace, observation.target)
        state.namespace = None

    async def _delete_output(
        self, observation: RevocationObservation, state: RevocationState
    ) -> None:
        if observation.output is not None:
            await self._writes.outputs.delete(observation.output)
        state.namespace = None

    # --- the end --------------------------------------------------------------------------

    async def _finish(self, observation: RevocationObservation) -> None:
        revocation = observation.revocation
        name = name_of(revocation)
        await self._writes.revocations.delete(name, revocation)
        self._writes.open_revocations.note(name, None)
        log.info("deletion finished", extra={"owner": str(revocation.owner)})
        subject, events = subject_of_deleted(revocation), self._writes.events
        if is_unconfirmed(observation):
            _warn(revocation, "a deletion ended without a look at the application's credentials")
            await events.emit(subject, "RevocationUnconfirmed", _UNCONFIRMED, warning=True)
        if left := adopted_left(observation):
            _warn(revocation, "a deletion left what another cluster issued")
            await events.emit(subject, "RevocationIncomplete", _left(left), warning=True)


def _warn(revocation: Revocation, told: str) -> None:
    about = {
        "owner": str(revocation.owner),
        "client_id": revocation.client_id,
        "tenant": revocation.tenant,
    }
    log.warning(told, extra=about)


def _left(key_ids: Sequence[str]) -> str:
    return (
        "Another cluster issued credentials that the deleted resource used, and this one removes "
        f"only what it issued itself: {first_of(key_ids)}. They stay valid until their own end, "
        "federated credentials for ever. Remove them from the application in Entra."
    )
