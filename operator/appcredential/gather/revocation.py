"""Observes one scheduled revocation: its owner, its tenant, what the namespace holds, and Entra.

Called by `controllers/revocation.py`, and by `effects/` for the re-checks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.revocation import (
    as_credentials,
    credentials_to_revoke,
    is_gone,
    is_of_revocation,
    is_reachable,
    with_missing_read,
)
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import ClusterIdentity
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.revocation import Revocation, RevocationObservation
from appcredential.domain.spec.model import AppCredentialSpec, KeyId, TenantId
from appcredential.errors import NotFoundError, PermissionDeniedError
from appcredential.gather.application import read_application
from appcredential.gather.heirs import Heirs
from appcredential.gather.revocation_state import NamespaceRead, RevocationState
from appcredential.ports.kube import Outputs, Resources, Secrets
from appcredential.ports.local import Clock
from appcredential.ports.session import Access, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationReads:
    """What the observer reads from.

    Attributes:
        access: returns a tenant that the operator can sign in to, or why there is none.
    """

    resources: Resources
    secrets: Secrets
    outputs: Outputs
    heirs: Heirs
    access: Callable[[str], Access | Problem]


class RevocationObserver:
    """Looks at what one revocation is about. Changes nothing outside its state."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: LifecycleSettings,
        absence: timedelta,
        identity: ClusterIdentity,
        reads: RevocationReads,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._absence = absence
        self._identity = identity
        self._reads = reads

    def observe(self, revocation: Revocation, state: RevocationState) -> RevocationObservation:
        """Return all that is known now. Nothing but the tenant's access is looked up."""
        tenant_id = self._see_tenant(revocation, state)
        namespace = state.namespace
        return RevocationObservation(
            now=self._clock.now(),
            identity=self._identity,
            revocation=revocation,
            owner_absent_since=state.absent_since,
            successor=state.successor,
            tenant_id=tenant_id,
            is_tenant_missing=self._is_tenant_missing(revocation),
            application=state.application,
            application_gone=is_gone(state.missing, self._settings.missing_application_window),
            target=namespace.target if namespace is not None else None,
            pending=namespace.pending if namespace is not None else None,
            has_secrets=namespace is not None,
            output=namespace.output if namespace is not None else None,
            clean_reads=state.clean_reads,
            inherited=state.inherited,
            is_annotation_removed=state.is_annotation_removed,
            absence=self._absence,
            intent_respect=self._settings.intent_respect,
            freshness=self._settings.freshness,
        )

    # --- the owner ------------------------------------------------------------------------

    async def look_for_owner(self, revocation: Revocation, state: RevocationState) -> None:
        """Note since when the owner is absent.

        Raises:
            AppCredentialError: it could not be looked for, which says nothing of its absence.
        """
        found = await self._reads.resources.get(revocation.owner)
        state.is_owner_present = found is not None and self._is_owner(revocation, found)
        if state.is_owner_present:
            state.absent_since = state.successor = None
            return
        # What is of another application has a spec that can be read.
        state.successor = (
            found.spec if found and isinstance(found.spec, AppCredentialSpec) else None
        )
        if state.absent_since is None:
            state.absent_since = self._clock.now()

    def _is_owner(self, revocation: Revocation, found: Resource) -> bool:
        spec = found.spec
        access = self._reads.access(spec.tenant) if isinstance(spec, AppCredentialSpec) else None
        known = access.tenant.tenant_id if isinstance(access, Access) else None
        return is_of_revocation(revocation, spec, known)

    # --- the tenant -----------------------------------------------------------------------

    def _see_tenant(self, revocation: Revocation, state: RevocationState) -> TenantId | None:
        """Return the tenant's id; what was seen in another directory counts no more."""
        access = self._reads.access(revocation.tenant)
        if not isinstance(access, Access):
            return None
        found = access.tenant.tenant_id
        if state.tenant_id not in {None, found}:
            state.forget_directory()
        state.tenant_id = found
        return found

    def _is_tenant_missing(self, revocation: Revocation) -> bool:
        access = self._reads.access(revocation.tenant)
        return isinstance(access, Problem) and access.reason is Reason.TENANT_NOT_FOUND

    def session(self, revocation: Revocation) -> Session | None:
        """Return the open session with the directory of the credentials; None without one."""
        access = self._reads.access(revocation.tenant)
        if isinstance(access, Access) and is_reachable(revocation, access.tenant.tenant_id):
            return access.session
        return None

    # --- the namespace --------------------------------------------------------------------

    async def read_namespace(self, revocation: Revocation, state: RevocationState) -> None:
        """Read the Secrets, or the output ConfigMap.

        Raises:
            PermissionDeniedError: the operator may not, and the namespace stays.
        """
        try:
            state.namespace = await self._read_namespace(revocation)
        except PermissionDeniedError:
            if not await self.is_namespace_leaving(revocation):
                raise
            state.namespace = NamespaceRead(self._clock.monotonic())

    async def is_namespace_leaving(self, revocation: Revocation) -> bool:
        """Return whether a refusal is due to the deletion of the namespace.

        It takes all objects of the namespace along, and with them the Role that let us read
        them. Something else may hold the namespace for long; the revocation does not wait for it.
        """
        return await self._reads.resources.is_namespace_leaving(revocation.owner.namespace)

    async def _read_namespace(self, revocation: Revocation) -> NamespaceRead:
        now, namespace = self._clock.monotonic(), revocation.owner.namespace
        if revocation.type.is_federated:
            name = revocation.config_map
            output = await self._reads.outputs.get(namespace, name) if name else None
            return NamespaceRead(now, output=output)
        target = await self._reads.secrets.target(namespace, revocation.secret_name)
        return NamespaceRead(now, target, await self._reads.secrets.pending(revocation.owner))

    # --- Entra ----------------------------------------------------------------------------

    async def read_application(self, revocation: Revocation, state: RevocationState) -> bool:
        """Read the application directly; return whether it was found.

        At most once in a sixth of the settle time: reads that count as evidence are apart, so
        that replication to the one that answers has had time.

        Raises:
            AppCredentialError: it could not be read, or nobody knows who inherits its trusts.
        """
        session, now = self.session(revocation), self._clock.now()
        if session is None or (state.next_read_time is not None and now < state.next_read_time):
            return False
        state.next_read_time = now + self._settings.settle / 6
        try:
            found = await read_application(
                session.directory, revocation.client_id, timedelta(0), self._clock
            )
            if revocation.type.is_federated:
                found = await self._with_federated(found, session, revocation, state)
        except NotFoundError:
            state.missing = with_missing_read(state.missing, now)
            return False
        state.missing = ()
        state.application = found
        is_clean = not credentials_to_revoke(self.observe(revocation, state))
        state.clean_reads = (*state.clean_reads, found.read_time) if is_clean else ()
        return True

    async def _with_federated(
        self, found: Application, session: Session, revocation: Revocation, state: RevocationState
    ) -> Application:
        """Return the application with its federated credentials, and note which are inherited."""
        listed = await session.directory.federated(found.object_id, timedelta(0))
        wanted = await self._reads.heirs.wanted(revocation) if listed.credentials else frozenset()
        state.federated = listed
        state.inherited = frozenset(KeyId(c.id) for c in listed.credentials if c.pair in wanted)
        return replace(found, credentials=(*found.credentials, *as_credentials(listed)))
