"""EntraTenants: their sessions with Entra, their status, and the finalizer that keeps them.

Every shard signs in to each of them. The first one alone writes what a tenant holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from appcredential.controllers.tenant_documents import has_finalizer, stalled_reason, subject_of
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.own.renewal import NO_RENEWAL, OwnRenewal
from appcredential.domain.spec.model import EntraTenantSpec
from appcredential.domain.spec.parse import parse_entra_tenant
from appcredential.domain.status.cluster_kinds import (
    Holders,
    ProbeOutcome,
    operator_identity,
    tenant_conditions,
)
from appcredential.domain.status.problems_tenant import NOT_KEPT_YET, trial_problem
from appcredential.domain.status.projection import needs_write
from appcredential.domain.status.tenant import tenant_status
from appcredential.domain.status.write_permitted import write_permitted
from appcredential.domain.write_permission import write_permission
from appcredential.errors import AppCredentialError, ConflictError, InvalidSpecError
from appcredential.kube.custom_resources import TENANTS, KubeObjects
from appcredential.ports.events import Events
from appcredential.ports.local import Clock
from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.ready import Key
from appcredential.tenants import unexpected
from appcredential.tenants.access import TenantAccess
from appcredential.tenants.own_identity import OwnIdentity
from appcredential.tenants.waking import TenantQueue

# How soon a new credential of the operator's own is noticed.
_RECHECK = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSettings:
    """How EntraTenants are reconciled.

    Attributes:
        retry: how soon a tenant that cannot be used is reconciled again.
        trial: whether the operator runs as a trial, which signs in to no real tenant.
    """

    retry: timedelta
    trial: bool


class EntraTenantController:
    """Signs in to each EntraTenant and writes its status."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: TenantSettings,
        objects: KubeObjects,
        identity: OwnIdentity,
        tenants: TenantAccess,
        events: Events,
        guard: EffectGuard,
        queue: TenantQueue,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._objects = objects
        self._identity = identity
        self._tenants = tenants
        self._events = events
        self._guard = guard
        self._queue = queue
        self._told_held: dict[str, Reason] = {}

    async def reconcile(self, key: Key) -> datetime | None:
        """Bring one EntraTenant's session and status up to date.

        Returns:
            When to look again; None when the tenant is gone.
        """
        retry = self._settings.retry
        document = await self._objects.get(TENANTS, "", key.name)
        if document is None:
            await self._forget(key.name)
            return None
        try:
            if self._guard.problem(key.namespace) is None and await self._finalize(
                key.name, document
            ):
                return self._clock.now() + retry
            outcome = await self._connect(key.name, document)
        except AppCredentialError:
            self._tenants.note_unread(key.name)
            raise
        except Exception as exc:  # noqa: BLE001 - an outer guard: the users wait for an outcome
            outcome = await self._tenants.go_on(key.name, unexpected.told(key.name, exc))
        if outcome is None:
            return self._second_try(key.name) or self._clock.now() + retry
        self._tenants.note(key.name, outcome.problem)
        self._tenants.note_skew(key.name)
        if outcome.problem is not None:
            await self._tell(key.name, document, outcome, NO_RENEWAL)
            return self._clock.now() + retry
        renewal = await self._renew(key.name, document)
        await self._tell(key.name, document, replace(outcome, renewal=renewal.problem), renewal)
        again = self._clock.now() + _RECHECK
        return again if renewal.look is None else min(again, renewal.look)

    async def _finalize(self, name: str, document: Mapping[str, Any]) -> bool:
        """Keep a tenant while AppCredentials refer to it, or left something to be revoked.

        Returns:
            Whether this pass ends here: the finalizer changed, or the tenant goes away.
        """
        metadata = document["metadata"]
        deleting = "deletionTimestamp" in metadata
        wanted = not deleting or await self._is_held(name, document)
        if wanted == has_finalizer(document):
            return not wanted  # a tenant that is kept still serves its users
        try:
            await self._objects.set_finalizer(TENANTS, metadata, present=wanted)
        except ConflictError:
            return True
        self._queue.wake(name)
        return True

    async def _is_held(self, name: str, document: Mapping[str, Any]) -> bool:
        """Return whether an EntraTenant stays although it is being deleted.

        Not for revocations alone once the CRD itself is being deleted: whoever deletes that does
        not expect to wait for a grace period. The revocations wait for an EntraTenant instead.
        A CRD that cannot be found proves nothing: the tenant was just read.
        """
        holders = self._holders(name, document)
        if not holders.users:  # what they left may be another shard's, which tells nobody
            await self._queue.refresh_left()
            holders = self._holders(name, document)
        if holders.users or not holders.left:
            return holders.problem is not None
        crd = await self._objects.crd(TENANTS)
        return crd is None or "deletionTimestamp" not in crd["metadata"]

    async def _connect(self, name: str, document: Mapping[str, Any]) -> ProbeOutcome | None:
        if not self._guard.shard.is_first and not has_finalizer(document):
            return ProbeOutcome(NOT_KEPT_YET)
        try:
            spec = parse_entra_tenant(document)
        except InvalidSpecError as exc:
            return ProbeOutcome(Problem(reason=Reason.INVALID_SPEC, message=str(exc)))
        refused = trial_problem(spec.cloud, trial=self._settings.trial)
        if refused is not None:
            await self._tenants.close(name)
            return ProbeOutcome(refused)
        return await self._use(name, spec)

    async def _use(self, name: str, spec: EntraTenantSpec) -> ProbeOutcome | None:
        if self._tenants.is_of_another(name, spec):
            await self._forget(name)  # deleted and created again between two passes
        self._tenants.note_spec(name, spec)
        return await self._identity.sign_in(name, spec, self._tenants.use)

    async def _renew(self, name: str, document: Mapping[str, Any]) -> OwnRenewal:
        """Renew the operator's own credential, where that is due and its part.

        Also of an EntraTenant that is being deleted: its users keep it, and need it, for months.
        """
        if self._guard.problem("") is not None:
            return NO_RENEWAL
        identity, tenant = self._tenants.identity(name), self._tenants.held(name)
        return await self._identity.renew(subject_of(document), identity, tenant)

    def _second_try(self, name: str) -> datetime | None:
        held = self._tenants.held(name)
        return held.second_try if held is not None else None

    async def _tell(
        self,
        name: str,
        document: Mapping[str, Any],
        outcome: ProbeOutcome,
        renewal: OwnRenewal,
    ) -> None:
        """Write status and Events, if that is this process's part."""
        if self._guard.problem("") is not None:
            return
        metadata, current = document["metadata"], document.get("status") or {}
        held, client_ids = self._tenants.held(name), self._tenants.client_ids(name)
        identity = operator_identity(
            client_ids[0] if client_ids else None,
            held.credential.thumbprint if held is not None else "",
            held.expiration if held is not None else None,
            renewal,
        )
        conditions = tenant_conditions(outcome, self._holders(name, document))
        if outcome.problem is None and held is not None:
            permission, told = write_permission(held.roles), current.get("conditions") or ()
            conditions.append(write_permitted(permission, held.unowned, told))
        wanted = tenant_status(
            document,
            conditions,
            identity,
            held.policy if held is not None else None,
            now=self._clock.now(),
            trial=self._settings.trial,
        )
        if not needs_write(current, wanted):
            return
        try:
            await self._objects.apply_status(TENANTS, metadata, wanted)
        except ConflictError:
            self._queue.wake(name)
            return
        subject, problem = subject_of(document), outcome.told
        if problem is not None and problem.stalled and problem.reason != stalled_reason(current):
            await self._events.emit(subject, str(problem.reason), problem.message, warning=True)
        stays = self._holders(name, document).problem
        if stays is not None and self._told_held.get(name) is not stays.reason:
            self._told_held[name] = stays.reason  # once each: what holds it goes one by one
            await self._events.emit(subject, str(stays.reason), stays.message, warning=True)

    def _holders(self, name: str, document: Mapping[str, Any]) -> Holders:
        """Return for what the tenant stays although it is being deleted."""
        if "deletionTimestamp" not in document["metadata"]:
            return Holders()
        return self._queue.holders(name, str((document.get("spec") or {}).get("tenantId") or ""))

    async def _forget(self, name: str) -> None:
        self._told_held.pop(name, None)
        self._identity.forget(name)
        await self._tenants.forget(name)
