"""Finishes deletions: watches the open tickets and does what each one asks for, when due."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from appcredential import strategies
from appcredential.cache.open_revocations import OpenRevocations
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.revocation import (
    as_credentials,
    credentials_to_revoke,
    is_of_revocation,
    is_reachable,
    is_unconfirmed,
)
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import ClusterIdentity
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList, OutputMap
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.revocation import Revocation, RevocationObservation
from appcredential.domain.observed.target import Pending, Target
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
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    CredentialType,
    KeyId,
    TenantId,
)
from appcredential.domain.spec.trusts import service_account_of, service_account_subject
from appcredential.effects.federated import remove_annotations
from appcredential.errors import (
    AppCredentialError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
)
from appcredential.gather.heirs import Heirs
from appcredential.ports.entra import Access, Session
from appcredential.ports.kube import (
    Events,
    EventSubject,
    Outputs,
    Resources,
    Revocations,
    Secrets,
    ServiceAccounts,
)
from appcredential.ports.local import Clock
from appcredential.runtime.effect_guard import EffectGuard

log = logging.getLogger(__name__)

_MAX_STEPS = 40
_GONE_READS = 3


@dataclass(slots=True)
class _Progress:
    """What this process saw of one ticket."""

    uid: str
    absent_since: datetime | None = None
    successor: AppCredentialSpec | None = None
    tenant_id: TenantId | None = None
    application: Application | None = None
    missing: tuple[datetime, ...] = ()
    clean: tuple[datetime, ...] = ()
    next_time: datetime | None = None
    secrets: _Secrets | None = None
    federated: FederatedList | None = None
    inherited: frozenset[KeyId] = frozenset()
    is_annotation_removed: bool = False


@dataclass(frozen=True, slots=True)
class _Secrets:
    """What the namespace holds, as read in this round, and when by the monotonic clock."""

    read: float
    target: Target | None = None
    pending: Pending | None = None
    output: OutputMap | None = None


class RevocationController:
    """Works on the open revocations one by one."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: LifecycleSettings,
        absence: timedelta,
        identity: ClusterIdentity,
        gate: EffectGuard,
        resources: Resources,
        secrets: Secrets,
        revocations: Revocations,
        open_revocations: OpenRevocations,
        events: Events,
        access: Callable[[str], Access | Problem],
        service_accounts: ServiceAccounts,
        outputs: Outputs,
        heirs: Heirs,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._absence = absence
        self._identity = identity
        self._gate = gate
        self._resources = resources
        self._secrets = secrets
        self._revocations = revocations
        self._events = events
        self._access = access
        self._service_accounts = service_accounts
        self._outputs = outputs
        self._heirs = heirs
        self._open_revocations = open_revocations
        self._progress: dict[str, _Progress] = {}

    async def run_once(self) -> None:
        """Look at every open revocation once; one that fails waits for the next round."""
        await self._open_revocations.refresh()
        found = self._open_revocations.items()
        names = {name for name, _ in found}
        self._progress = {n: p for n, p in self._progress.items() if n in names}
        for name, revocation in found:
            try:
                await self._work(name, revocation)
            except ConflictError:
                self._progress.pop(name, None)
            except AppCredentialError as exc:
                log.warning("ticket waits", extra={"ticket": name, "error": str(exc)})
            except Exception:  # an outer guard: the other tickets have their turn
                log.exception("ticket failed", extra={"ticket": name})

    async def _work(self, name: str, revocation: Revocation) -> None:
        if self._clock.now() < revocation.due - self._absence:
            return  # nothing that is seen before then counts
        progress = self._progress_of(name, revocation)
        progress.secrets = None
        await self._see_owner(revocation, progress)
        for _ in range(_MAX_STEPS):
            if self._gate.problem() is not None:
                return
            observation = self._observe(revocation, progress)
            action = decide_revocation(observation)
            if isinstance(action, Wait):
                return
            if not await self._perform(name, action, observation, progress):
                return

    def _progress_of(self, name: str, revocation: Revocation) -> _Progress:
        """Return what was seen so far of this very ConfigMap; nothing once it was cancelled."""
        progress, live = self._progress.get(name), self._open_revocations.find(name)
        is_cancelled = live is None or live.uid != revocation.uid
        if progress is None or progress.uid != revocation.uid or is_cancelled:
            progress = self._progress[name] = _Progress(revocation.uid)
        return progress

    async def _see_owner(self, revocation: Revocation, progress: _Progress) -> None:
        """Note since when the owner is absent; an error while looking is unknown, not absent."""
        found = await self._resources.get(revocation.owner)
        if found is not None and self._is_of_revocation(revocation, found):
            progress.absent_since = progress.successor = None
            return
        # What is of another application has a spec that can be read.
        progress.successor = (
            found.spec if found and isinstance(found.spec, AppCredentialSpec) else None
        )
        if progress.absent_since is None:
            progress.absent_since = self._clock.now()

    def _is_of_revocation(self, revocation: Revocation, found: Resource) -> bool:
        spec = found.spec
        access = self._access(spec.tenant) if isinstance(spec, AppCredentialSpec) else None
        known = access.tenant.tenant_id if isinstance(access, Access) else None
        return is_of_revocation(revocation, spec, known)

    def _observe(self, revocation: Revocation, progress: _Progress) -> RevocationObservation:
        held = progress.secrets
        tenant_id = self._see_tenant(revocation, progress)
        missing = progress.missing
        lasting = len(missing) >= _GONE_READS and (
            missing[-1] - missing[0] >= self._settings.missing_application_window
        )
        return RevocationObservation(
            now=self._clock.now(),
            identity=self._identity,
            revocation=revocation,
            owner_absent_since=progress.absent_since,
            successor=progress.successor,
            tenant_id=tenant_id,
            is_tenant_missing=self._is_tenant_missing(revocation),
            application=progress.application,
            application_gone=lasting,
            target=held.target if held is not None else None,
            pending=held.pending if held is not None else None,
            has_secrets=held is not None,
            output=held.output if held is not None else None,
            clean_reads=progress.clean,
            inherited=progress.inherited,
            is_annotation_removed=progress.is_annotation_removed,
            absence=self._absence,
            intent_respect=self._settings.intent_respect,
            freshness=self._settings.freshness,
        )

    def _see_tenant(self, revocation: Revocation, progress: _Progress) -> TenantId | None:
        """Return the tenant's id; what was seen in another directory counts no more."""
        access = self._access(revocation.tenant)
        if not isinstance(access, Access):
            return None
        found = access.tenant.tenant_id
        if progress.tenant_id not in {None, found}:
            progress.application, progress.missing, progress.clean = None, (), ()
        progress.tenant_id = found
        return found

    def _is_tenant_missing(self, revocation: Revocation) -> bool:
        access = self._access(revocation.tenant)
        return isinstance(access, Problem) and access.reason is Reason.TENANT_NOT_FOUND

    async def _read_secrets(self, revocation: Revocation) -> _Secrets:
        try:
            return await self._read_kept(revocation)
        except PermissionDeniedError:
            if not await self._is_namespace_gone(revocation):
                raise
            return _Secrets(self._clock.monotonic())

    async def _is_namespace_gone(self, revocation: Revocation) -> bool:
        """Tell why something in a namespace is refused.

        One that is gone has taken its objects along, and with them the Role that let us read
        them: only where rights come from Roles is this not a plain 404.
        """
        return await self._resources.is_namespace_gone(revocation.owner.namespace)

    async def _read_kept(self, revocation: Revocation) -> _Secrets:
        now, namespace = self._clock.monotonic(), revocation.owner.namespace
        if revocation.type is CredentialType.FEDERATED_IDENTITY:
            name = revocation.config_map
            output = await self._outputs.get(namespace, name) if name else None
            return _Secrets(now, output=output)
        target = await self._secrets.target(namespace, revocation.secret_name)
        return _Secrets(now, target, await self._secrets.pending(revocation.owner))

    async def _perform(
        self,
        name: str,
        action: RevocationAction,
        observation: RevocationObservation,
        progress: _Progress,
    ) -> bool:
        """Do one step; tell whether to go on in this round."""
        revocation = observation.revocation
        if isinstance(action, ReadRevokedApplication):
            return await self._read_application(revocation, progress)
        if isinstance(action, ReadRevokedSecrets):
            progress.secrets = await self._read_secrets(revocation)
            return True
        if not await self._is_still_due(name, observation, progress):
            return False
        if isinstance(action, RevokeCredential):
            await self._remove(action, revocation, progress)
        elif isinstance(action, DeletePendingSecret) and observation.pending is not None:
            await self._secrets.delete_pending(revocation.owner, observation.pending)
            progress.secrets = None
        elif isinstance(action, DeleteTarget) and observation.target is not None:
            await self._secrets.delete_target(revocation.owner.namespace, observation.target)
            progress.secrets = None
        elif isinstance(action, DeleteRevocation):
            await self._finish(name, observation)
            return False
        else:
            await self._tidy(action, observation, progress)
        return True

    async def _tidy(
        self, action: RevocationAction, observation: RevocationObservation, progress: _Progress
    ) -> None:
        """Take away what told workloads of a federated credential."""
        revocation = observation.revocation
        if isinstance(action, RemoveAnnotations):
            await self._remove_annotations(revocation, revocation.service_account)
            progress.is_annotation_removed = True
        elif isinstance(action, DeleteOutput) and observation.output is not None:
            await self._outputs.delete(observation.output)
            progress.secrets = None

    async def _remove_annotations(self, revocation: Revocation, name: str) -> None:
        """Unless another resource has the account trusted too: it writes its own name there."""
        subject = service_account_subject(revocation.owner.namespace, name)
        try:
            if subject not in {wanted for _, wanted in await self._heirs.wanted(revocation)}:
                await remove_annotations(
                    self._service_accounts, revocation.owner, revocation.client_id, name
                )
        except PermissionDeniedError:
            if not await self._is_namespace_gone(revocation):
                raise

    async def _finish(self, name: str, observation: RevocationObservation) -> None:
        revocation = observation.revocation
        await self._revocations.delete(name, revocation)
        self._open_revocations.note(name, None)
        log.info("deletion finished", extra={"owner": str(revocation.owner)})
        if not is_unconfirmed(observation):
            return
        about = {
            "owner": str(revocation.owner),
            "client_id": revocation.client_id,
            "tenant": revocation.tenant,
        }
        log.warning("a deletion ended without a look at the application's credentials", extra=about)
        note = (
            "The application could not be found in Entra, so nothing of the deleted resource was "
            "seen or removed there. If it still exists, remove its credentials by hand."
        )
        await self._events.emit(_subject(revocation), "RevocationUnconfirmed", note, warning=True)

    async def _is_still_due(
        self, name: str, observation: RevocationObservation, progress: _Progress
    ) -> bool:
        """Look live: all is as it was decided about, and this very ticket is still there."""
        await self._see_owner(observation.revocation, progress)
        if progress.absent_since is None or progress.successor != observation.successor:
            return False
        live, wanted = await self._revocations.get(name), observation.revocation
        if live is None or (live.uid, live.resource_version) != (
            wanted.uid,
            wanted.resource_version,
        ):
            return False
        return self._is_fresh(progress)

    def _is_fresh(self, progress: _Progress) -> bool:
        """Tell whether an effect may still rest on this round: the process may have been paused."""
        held = progress.secrets
        age = self._clock.monotonic() - held.read if held is not None else 0.0
        return age <= self._settings.freshness.total_seconds() and self._gate.problem() is None

    def _session(self, revocation: Revocation) -> Session | None:
        access = self._access(revocation.tenant)
        if isinstance(access, Access) and is_reachable(revocation, access.tenant.tenant_id):
            return access.session
        return None

    async def _read_application(self, revocation: Revocation, progress: _Progress) -> bool:
        session, now = self._session(revocation), self._clock.now()
        if session is None or (progress.next_time is not None and now < progress.next_time):
            return False
        progress.next_time = now + self._settings.settle / 6
        try:
            found = await session.directory.application(revocation.client_id, timedelta(0))
            if revocation.type is CredentialType.FEDERATED_IDENTITY:
                found = await self._with_federated(found, session, revocation, progress)
        except NotFoundError:
            # The first one stays: it tells for how long.
            progress.missing = (*progress.missing[:1], *progress.missing[1:][-8:], now)
            return False
        progress.missing = ()
        progress.application = found
        observation = self._observe(revocation, progress)
        clean = not credentials_to_revoke(observation)
        progress.clean = (*progress.clean, found.read_time) if clean else ()
        return True

    async def _with_federated(
        self, found: Application, session: Session, revocation: Revocation, progress: _Progress
    ) -> Application:
        """Return the application with its federated credentials, and note who inherits some."""
        listed = await session.directory.federated(found.object_id, timedelta(0))
        wanted = await self._heirs.wanted(revocation) if listed.credentials else frozenset()
        progress.federated = listed
        progress.inherited = frozenset(KeyId(c.id) for c in listed.credentials if c.pair in wanted)
        return replace(found, credentials=(*found.credentials, *as_credentials(listed)))

    async def _remove_annotations_for(
        self, revocation: Revocation, key_id: KeyId, listed: FederatedList | None
    ) -> None:
        """Also a ServiceAccount that the deleted resource named before."""
        for c in listed.credentials if listed is not None else ():
            account = service_account_of(c.subject, revocation.owner.namespace)
            if c.id == key_id and account:
                await self._remove_annotations(revocation, account)

    async def _is_still_left(
        self,
        revocation: Revocation,
        session: Session,
        application: Application,
        action: RevokeCredential,
        progress: _Progress,
    ) -> bool:
        """Look at a trust once more: somebody may have taken it over since the decision."""
        if revocation.type is not CredentialType.FEDERATED_IDENTITY or progress.federated is None:
            return True
        listed = await session.directory.federated(application.object_id, timedelta(0))
        known = {c.id: c for c in progress.federated.credentials}
        return any(c.id == action.key_id and known.get(c.id) == c for c in listed.credentials)

    async def _remove(
        self, action: RevokeCredential, revocation: Revocation, progress: _Progress
    ) -> None:
        session, application = self._session(revocation), progress.application
        if session is None or application is None:
            return
        if not await self._is_still_left(revocation, session, application, action, progress):
            progress.application = None
            return
        # Unknown there means gone, or not known to that replica: the reads that follow decide.
        with contextlib.suppress(NotFoundError):
            await strategies.remove(
                session.directory,
                revocation.type,
                application.object_id,
                action.key_id,
                frozenset(),
            )
        if revocation.type is CredentialType.FEDERATED_IDENTITY:
            await self._remove_annotations_for(revocation, action.key_id, progress.federated)
        kept = tuple(c for c in application.credentials if c.key_id != action.key_id)
        progress.application = replace(application, credentials=kept)
        progress.clean = ()
        note = f"Credential {action.key_id} of the deleted resource was removed."
        await self._events.emit(_subject(revocation), "Revoked", note, warning=False)
        log.info("revoked", extra={"key_id": action.key_id, "owner": str(revocation.owner)})


def _subject(revocation: Revocation) -> EventSubject:
    return EventSubject(
        kind="AppCredential",
        namespace=revocation.owner.namespace,
        name=revocation.owner.name,
        uid=revocation.resource_uid,
    )
