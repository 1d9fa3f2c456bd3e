"""One AppCredential, from gather to decide to act, one effect at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from appcredential.cache.open_revocations import OpenRevocations
from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts, assess
from appcredential.domain.facts.takeover import other_owner
from appcredential.domain.grants import evaluate
from appcredential.domain.lifecycle import Decision, decide
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.domain.observed.certificate import CertificateInputs
from appcredential.domain.observed.entra import Grant, Tenant
from appcredential.domain.observed.federated import Federation, OutputMap, ServiceAccount
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.observed.target import Target, TargetOwner
from appcredential.domain.revocation import Revocation, revocation_name
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ApplicationGrantSpec,
    CredentialType,
    ObjectId,
    TenantId,
)
from appcredential.domain.spec.trusts import retire_time_of
from appcredential.domain.status.problems_kube import failed_status, secret_problem
from appcredential.domain.status.projection import needs_write, project
from appcredential.effects.dispatch import Context, Effects, subject_of
from appcredential.effects.federated import account_problem, output_problem
from appcredential.errors import (
    ConflictError,
    NamespaceTerminatingError,
    NotFoundError,
    PermissionDeniedError,
    SecretForbiddenError,
    SecretRefusedError,
    ThrottledError,
    UnavailableError,
)
from appcredential.gather.certificate_source import CertificateInputsReader, derived_of
from appcredential.gather.state import CachedRead, ResourceState
from appcredential.ports.entra import Access, Session
from appcredential.ports.kube import (
    Events,
    IssuerSource,
    Outputs,
    Resources,
    Revocations,
    Secrets,
    ServiceAccounts,
)
from appcredential.ports.local import Clock, GrantSource
from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.metrics import Metrics

log = logging.getLogger(__name__)

_MAX_PASSES = 60
_EFFECT_SECONDS = 25.0
_MINT_SECONDS = 40.0
_CONFLICT_RETRY = timedelta(seconds=1)
_FORBIDDEN_RETRY = timedelta(minutes=1)
_CLOSED_RETRY = timedelta(minutes=1)
# How old a probe has to be for another one, by what raised the doubt.
_PROBE_AGES = {
    Reason.TENANT_NOT_READY: timedelta(seconds=10),
    Reason.LIFETIME_OVER_POLICY: timedelta(minutes=1),
}


class AppCredentialController:
    """Drives every AppCredential; holds one ResourceState per resource."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: LifecycleSettings,
        identity: ClusterIdentity,
        holder: str,
        gate: EffectGuard,
        resources: Resources,
        secrets: Secrets,
        revocations: Revocations,
        open_revocations: OpenRevocations,
        events: Events,
        grants: GrantSource,
        access: Callable[[str], Access | Problem],
        request_probe: Callable[[str, timedelta], None],
        cluster_skew: Callable[[], timedelta | None],
        metrics: Metrics,
        certificate_inputs_reader: CertificateInputsReader,
        permission_retry: timedelta,
        service_accounts: ServiceAccounts,
        outputs: Outputs,
        issuer: IssuerSource,
        owners: Callable[[str], Iterable[Owner]],
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._identity = identity
        self._holder = holder
        self._gate = gate
        self._resources = resources
        self._secrets = secrets
        self._revocations = revocations
        self._open_revocations = open_revocations
        self._events = events
        self._grants = grants
        self._access = access
        self._request_probe = request_probe
        self._cluster_skew = cluster_skew
        self._metrics = metrics
        self._certificate_inputs_reader = certificate_inputs_reader
        self._forbidden_retry = min(permission_retry, _FORBIDDEN_RETRY)
        self._service_accounts = service_accounts
        self._outputs = outputs
        self._issuer = issuer
        self._owners = owners
        self._views: dict[Owner, ResourceState] = {}
        self._effects = Effects(
            clock=clock,
            holder=holder,
            secrets=secrets,
            resources=resources,
            events=events,
            permission_retry=permission_retry,
            live_grant=self._live_grant,
            is_open=lambda: gate.problem() is None,
            service_accounts=service_accounts,
            outputs=outputs,
        )

    def invalidate(self, owner: Owner) -> None:
        """Have the next pass read the Secret again: somebody beside the resource may have it."""
        view = self._views.get(owner)
        if view is not None:
            view.target.drop()

    def forget(self, owner: Owner) -> None:
        """Drop what is held of a resource that is gone."""
        self._views.pop(owner, None)

    async def reconcile(self, owner: Owner, seen_version: str) -> datetime | None:
        """Do what is due for one resource.

        Args:
            owner: its namespace and name.
            seen_version: the resourceVersion a watch last showed; another one than
                we hold makes us read it again.

        Returns:
            When to look again; None when the resource is gone.
        """
        if self._gate.problem() is not None:
            # A standby reads nothing: whoever becomes the leader queues every key anew.
            return self._clock.now() + _CLOSED_RETRY
        view = self._views.setdefault(owner, ResourceState())
        held = view.resource.value
        if held is not None and _is_newer(seen_version, held.resource_version):
            view.resource.drop()
        return await self._guarded(owner, view)

    async def _guarded(self, owner: Owner, view: ResourceState) -> datetime | None:
        """Do it; after an error all that Kubernetes holds is read anew."""
        try:
            return await self._passes(owner, view)
        except (ConflictError, NotFoundError):
            view.drop()  # it changed, or went, between our read and our write
            return self._clock.now() + _CONFLICT_RETRY
        except NamespaceTerminatingError:
            view.drop()
            return self._clock.now() + _FORBIDDEN_RETRY
        except SecretForbiddenError as exc:
            view.drop()
            return await self._unreadable(owner, view, exc)
        except (UnavailableError, ThrottledError, TimeoutError):
            view.drop()  # expected at times; the queue tries again later and later
            raise
        except Exception:  # the one outer guard: it goes on to the queue, which logs it
            view.drop()
            await self._say_failed(owner, view)
            raise
        except BaseException:
            view.drop()
            raise

    async def _passes(self, owner: Owner, view: ResourceState) -> datetime | None:
        for _ in range(_MAX_PASSES):
            observation = await self._gather(owner, view)
            if observation is None:
                self.forget(owner)
                return None
            await self._tell_losses(observation)
            decision = decide(observation)
            if isinstance(decision.action, act.Sleep):
                return decision.look_again
            try:
                goes_on = await self._act(observation, decision, view)
            except (SecretForbiddenError, SecretRefusedError) as exc:
                if isinstance(exc, SecretForbiddenError) and not exc.is_write:
                    raise
                return await self._unwritable(observation, decision.action, view, exc)
            if not goes_on:
                return self._clock.now() + _CONFLICT_RETRY
        return self._clock.now() + _CONFLICT_RETRY

    # --- gather ---------------------------------------------------------------------------

    async def _gather(self, owner: Owner, view: ResourceState) -> Observation | None:
        resource = await self._read_resource(owner, view)
        if resource is None:
            return None
        spec = resource.spec
        federation, certificate_inputs = None, CertificateInputs()
        if isinstance(spec, AppCredentialSpec) and spec.type is CredentialType.FEDERATED_IDENTITY:
            federation = await self._federation(owner, view, spec)
        else:
            await self._read_secrets(owner, view, resource)
            await self._read_target_owner(owner, view)
            certificate_inputs = await self._read_certificate_inputs(owner, view, resource)
        access = self._access(spec.tenant) if isinstance(spec, AppCredentialSpec) else None
        skew = access.session.directory.skew() if isinstance(access, Access) else None
        return Observation(
            now=self._clock.now(),
            settings=self._settings,
            identity=self._identity,
            holder=self._holder,
            blocked=self._gate.problem(),
            directory_skew=skew,
            cluster_skew=self._cluster_skew(),
            resource=resource,
            tenant=access.tenant if isinstance(access, Access) else access or _no_tenant(),
            grant=self._grant(resource, access, self._grants.known()),
            target=view.target.value,
            pending=view.pending.value,
            revocation_uid=self._revocation_uid(resource),
            crd_deleted=view.crd_deleted,
            application=view.application,
            memory=view.memory,
            target_owner=view.target_owner.value,
            federation=federation,
            certificate_inputs=certificate_inputs,
        )

    async def _federation(
        self, owner: Owner, view: ResourceState, spec: AppCredentialSpec
    ) -> Federation:
        """Read what there is instead of Secrets."""
        federated, now = spec.federated, self._clock.monotonic()
        account = federated.annotated_account if federated is not None else ""
        output = federated.config_map if federated is not None else ""
        if account and not view.service_account.is_fresh(now, self._seconds):
            view.service_account.set(await self._account(owner.namespace, account), now)
        if output and not view.output.is_fresh(now, self._seconds):
            view.output.set(await self._output(owner.namespace, output), now)
        return Federation(
            issuer=await self._issuer.current(),
            listed=view.federated,
            service_account=view.service_account.value if account else None,
            output=view.output.value if output else None,
            leaving=self._open_revocations.leaving(owner.namespace, spec.client_id),
            neighbours=self._retiring_owners(owner, view),
        )

    def _retiring_owners(self, owner: Owner, view: ResourceState) -> frozenset[str]:
        """Return the namespace's other owners, where some credential is past being wanted."""
        listed = view.federated.credentials if view.federated is not None else ()
        if not any(retire_time_of(c.description) is not None for c in listed):
            return frozenset()
        return frozenset(o.hash for o in self._owners(owner.namespace) if o != owner)

    async def _account(self, namespace: str, name: str) -> ServiceAccount | Problem | None:
        try:
            return await self._service_accounts.get(namespace, name)
        except PermissionDeniedError as exc:
            return account_problem(exc)

    async def _output(self, namespace: str, name: str) -> OutputMap | Problem | None:
        try:
            return await self._outputs.get(namespace, name)
        except PermissionDeniedError as exc:
            return output_problem(exc)

    async def _read_certificate_inputs(
        self, owner: Owner, view: ResourceState, resource: Resource
    ) -> CertificateInputs:
        spec = resource.spec
        if not isinstance(spec, AppCredentialSpec) or spec.type is not CredentialType.CERTIFICATE:
            return CertificateInputs()
        if resource.deletion_time is not None:
            return CertificateInputs()
        now = self._clock.monotonic()
        if view.certificate_inputs.value is None or not view.certificate_inputs.is_fresh(
            now, self._seconds
        ):
            found = await self._certificate_inputs_reader.read(
                owner.namespace, spec.certificate, view.held
            )
            view.certificate_inputs.set(found, now)
        derived = await derived_of(spec, view.target.value, view.held)
        return replace(view.certificate_inputs.value or CertificateInputs(), derived=derived)

    async def _read_resource(self, owner: Owner, view: ResourceState) -> Resource | None:
        now = self._clock.monotonic()
        if not view.resource.is_fresh(now, self._seconds):
            found = await self._resources.get(owner)
            held = view.resource.value
            if found is not None and held is not None and found.uid != held.uid:
                view.start_anew()  # same name, another resource
            elif found is not None and held is not None and found.generation != held.generation:
                view.spec_changed()
            view.resource.set(found, now)
        return view.resource.value

    async def _read_secrets(self, owner: Owner, view: ResourceState, resource: Resource) -> None:
        now = self._clock.monotonic()
        if isinstance(resource.spec, AppCredentialSpec) and not view.target.is_fresh(
            now, self._seconds
        ):
            name = resource.spec.secret.name
            view.target.set(await self._read_target(owner.namespace, name, view), now)
        # Only we make P. Where there was none, its age keeps any effect from resting on
        # that: `_act` has all of it read anew first.
        if not view.pending.is_fresh(now, self._seconds) and not view.pending.is_absent:
            view.pending.set(await self._secrets.pending(owner), now)

    async def _read_target(self, namespace: str, name: str, view: ResourceState) -> Target | None:
        """Read T, whole only when it is another version than the one we hold."""
        held = view.target.value
        if held is not None and held.name == name:
            version = await self._secrets.version(namespace, name)
            if version == held.resource_version:
                return held
            if version is None:
                return None
        return await self._secrets.target(namespace, name)

    async def _read_target_owner(self, owner: Owner, view: ResourceState) -> None:
        """Look whether the resource exists that another's Secret names as its owner."""
        other, held = other_owner(owner, view.target.value), view.target_owner
        if other is None:
            view.target_owner = CachedRead()
            return
        known = held.value if held.value is not None and held.value.owner == str(other) else None
        now = self._clock.monotonic()
        if known is not None and held.is_fresh(now, self._seconds):
            return
        found = await self._resources.get(other)
        if found is not None:
            held.set(TargetOwner(str(other), found.uid, found.generation), now)
        else:
            since = known.absent_since if known is not None else None
            held.set(TargetOwner(str(other), absent_since=since or self._clock.now()), now)

    @property
    def _seconds(self) -> float:
        return self._settings.freshness.total_seconds()

    def _grant(
        self,
        resource: Resource,
        access: Access | Problem | None,
        grants: dict[str, ApplicationGrantSpec],
    ) -> Grant | Problem:
        spec = resource.spec
        if not isinstance(spec, AppCredentialSpec) or not isinstance(access, Access):
            return Problem(reason=Reason.NOT_GRANTED, message="Not looked at.", stalled=False)
        return evaluate(grants, resource.owner.namespace, spec, access.tenant)

    async def _live_grant(self, facts: Facts) -> Grant | Problem:
        grants = await self._grants.live()
        return evaluate(grants, facts.resource.owner.namespace, facts.spec, facts.tenant)

    def _revocation_uid(self, resource: Resource) -> str | None:
        spec = resource.spec
        if not isinstance(spec, AppCredentialSpec):
            return None
        revocation = self._open_revocations.find(_revocation_name(resource.owner, spec))
        return revocation.resource_uid if revocation is not None else None

    # --- act ------------------------------------------------------------------------------

    async def _act(self, observation: Observation, decision: Decision, view: ResourceState) -> bool:
        """Perform one action; tell whether to go on."""
        action = decision.action
        name = act.label(action)
        if view.age(self._clock.monotonic()) > self._seconds:
            view.drop()
            return True
        if isinstance(action, act.Mint) and not self._gate.allows_mint():
            return False
        seconds = _MINT_SECONDS if isinstance(action, act.Mint) else _EFFECT_SECONDS
        try:
            async with asyncio.timeout(seconds):
                await self._dispatch(observation, decision, view)
        except BaseException:
            self._metrics.effects.labels(name, "error").inc()
            raise
        self._metrics.effects.labels(name, "done").inc()
        view.written(name)
        self._probe_tenant(observation, view)
        return True

    def _probe_tenant(self, observation: Observation, view: ResourceState) -> None:
        """Have the tenant probed when what Entra said concerns all who use it.

        It rejected the operator itself, or its policy allows less than was known.
        """
        problem = view.memory.directory_problem
        is_news = problem is not None and problem != observation.memory.directory_problem
        if problem is not None and is_news and problem.reason in _PROBE_AGES:
            self._request_probe(_spec(observation).tenant, _PROBE_AGES[problem.reason])

    async def _dispatch(
        self, observation: Observation, decision: Decision, view: ResourceState
    ) -> None:
        match decision.action:
            case act.AddFinalizer():
                await self._set_finalizer(observation, view, present=True)
            case act.ReleaseFinalizer():
                await self._set_finalizer(observation, view, present=False)
            case act.ReadCrd():
                view.crd_deleted = await self._resources.is_crd_deleted()
            case act.ScheduleRevocation():
                await self._schedule_revocation(observation)
            case act.CancelRevocation():
                await self._cancel_revocation(observation)
            case act.ApplyStatus():
                await self._apply_status(observation.resource, decision.status, view)
            case act.ReadApplication():
                session = self._session(observation)
                client_id = _spec(observation).client_id
                await self._effects.read_application(
                    view, session, client_id, decision.action.max_age
                )
            case action:
                await self._effects.perform(action, self._context(observation, view))

    async def _set_finalizer(
        self, observation: Observation, view: ResourceState, *, present: bool
    ) -> None:
        found = await self._resources.set_finalizer(observation.resource, present=present)
        view.resource.set(found, self._clock.monotonic())

    async def _schedule_revocation(self, observation: Observation) -> None:
        spec = _spec(observation)
        name = _revocation_name(observation.resource.owner, spec)
        live = await self._revocations.get(name)
        written = await self._revocations.put(name, _build_revocation(observation, spec), live)
        self._open_revocations.note(name, written)

    async def _cancel_revocation(self, observation: Observation) -> None:
        name = _revocation_name(observation.resource.owner, _spec(observation))
        live = await self._revocations.get(name)
        if live is not None:
            await self._revocations.delete(name, live)
        self._open_revocations.note(name, None)

    async def _apply_status(
        self, resource: Resource, status: dict[str, Any], view: ResourceState
    ) -> None:
        try:
            written = await self._resources.apply_status(resource, status)
        except NotFoundError:
            view.resource.set(None, self._clock.monotonic())
            return
        view.resource.set(written, self._clock.monotonic())
        await self._announce(resource, status, view)

    async def _announce(
        self, resource: Resource, status: dict[str, Any], view: ResourceState
    ) -> None:
        """Emit one Warning when a resource becomes Stalled, or for another reason."""
        stalled = next((c for c in status["conditions"] if c["type"] == "Stalled"), None)
        reason = stalled["reason"] if stalled is not None else ""
        if stalled is not None and reason != view.stalled_reason:
            subject = subject_of(resource)
            await self._events.emit(subject, reason, stalled["message"], warning=True)
        view.stalled_reason = reason

    async def _tell_losses(self, observation: Observation) -> None:
        """Emit an Event for what others lost on the application while we changed it."""
        spec, application = observation.resource.spec, observation.application
        if not isinstance(spec, AppCredentialSpec) or application is None:
            return
        access = self._access(spec.tenant)
        if not isinstance(access, Access):
            return
        subject = subject_of(observation.resource)
        for loss in access.session.directory.take_losses(application.object_id):
            if loss.is_restored:
                note = (
                    f"Certificate {loss.key_id} of another owner was added while this operator "
                    "changed the list, and was lost by that; it was put back."
                )
                await self._events.emit(subject, "CertificateRestored", note, warning=True)
            else:
                note = (
                    f"Certificate {loss.key_id} of another owner is gone from the application: "
                    "removed by its owner, or lost between two writers. Add it again if it is "
                    "needed."
                )
                await self._events.emit(subject, "CertificateLost", note, warning=True)

    async def _unwritable(
        self,
        observation: Observation,
        action: act.Action,
        view: ResourceState,
        error: SecretForbiddenError | SecretRefusedError,
    ) -> datetime:
        """Say in status why a Secret cannot be written. What was read before still holds."""
        problem = secret_problem(error)
        log.warning(
            "Secret refused",
            extra={"error": str(error), "reason": str(problem.reason), **_about(observation)},
        )
        again = self._clock.now() + self._forbidden_retry
        view.refused(type(action).__name__, problem, again)
        if self._gate.problem() is None:
            status = project(observation, self._facts(observation), problem)
            if needs_write(observation.resource.status, status):
                await self._apply_status(observation.resource, status, view)
        view.drop()
        return again

    async def _say_failed(self, owner: Owner, view: ResourceState) -> None:
        """Say in status that something unexpected went wrong, if that can still be done."""
        if self._gate.problem() is not None:
            return
        try:
            resource = await self._resources.get(owner)
            if resource is None:
                return
            status = failed_status(resource, self._clock.now())
            if needs_write(resource.status, status):
                await self._apply_status(resource, status, view)
        except Exception:  # what went wrong first is what counts
            log.exception("a failure was not told in status", extra={"owner": str(owner)})
        view.drop()

    async def _unreadable(
        self, owner: Owner, view: ResourceState, error: SecretForbiddenError
    ) -> datetime | None:
        """Say in status that Secrets of the namespace cannot be read."""
        resource = await self._resources.get(owner)
        if resource is None or self._gate.problem() is not None:
            return None if resource is None else self._clock.now() + self._forbidden_retry
        problem = secret_problem(error)
        observation = Observation(
            now=self._clock.now(),
            settings=self._settings,
            identity=self._identity,
            holder=self._holder,
            blocked=None,
            directory_skew=None,
            cluster_skew=None,
            resource=resource,
            tenant=problem,
            grant=problem,
            target=None,
            pending=None,
            revocation_uid=None,
            crd_deleted=None,
            application=None,
            memory=view.memory,
        )
        status = project(observation, None, problem)
        if needs_write(resource.status, status):
            await self._apply_status(resource, status, view)
        view.drop()
        return self._clock.now() + self._forbidden_retry

    def _context(self, observation: Observation, view: ResourceState) -> Context:
        facts = self._facts(observation)
        if facts is None:
            raise ConflictError("the tenant changed meanwhile")
        return Context(view=view, facts=facts, session=self._session(observation))

    def _facts(self, observation: Observation) -> Facts | None:
        access, application = self._access(_spec(observation).tenant), observation.application
        if not isinstance(access, Access) or application is None:
            return None
        return assess(observation)

    def _session(self, observation: Observation) -> Session:
        access = self._access(_spec(observation).tenant)
        if not isinstance(access, Access):
            raise ConflictError("the tenant changed meanwhile")
        return access.session


def _is_newer(seen: str, held: str) -> bool:
    """Tell whether a watch showed something later than what we hold.

    Our own writes come back through the watch, and older events late. Resource
    versions of one kind compare as integers (KEP-5504); anything else counts as newer.
    """
    if seen.isdigit() and held.isdigit():
        return int(seen) > int(held)
    return bool(seen) and seen != held


def _no_tenant() -> Problem:
    return Problem(reason=Reason.TENANT_NOT_FOUND, message="Not looked at.", stalled=False)


def _spec(observation: Observation) -> AppCredentialSpec:
    spec = observation.resource.spec
    if isinstance(spec, Problem):
        raise AssertionError("the gates hold an unusable spec")
    return spec


def _about(observation: Observation) -> dict[str, str]:
    return {"ns": observation.resource.owner.namespace, "obj": observation.resource.owner.name}


def _revocation_name(owner: Owner, spec: AppCredentialSpec) -> str:
    return revocation_name(owner, spec.tenant, spec.client_id, spec.type)


def _build_revocation(observation: Observation, spec: AppCredentialSpec) -> Revocation:
    t, p = observation.target, observation.pending
    owned = t if t is not None and t.owner == str(observation.resource.owner) else None
    known = (observation.resource.status.get("application") or {}).get("objectId")
    object_id = owned.object_id if owned is not None else p.object_id if p is not None else known
    held = owned.tenant_id if owned is not None else p.tenant_id if p is not None else ""
    tenant_id = held or (
        observation.tenant.tenant_id if isinstance(observation.tenant, Tenant) else ""
    )
    return Revocation(
        owner=observation.resource.owner,
        resource_uid=observation.resource.uid,
        tenant=spec.tenant,
        tenant_id=TenantId(tenant_id),
        client_id=spec.client_id,
        object_id=ObjectId(object_id) if object_id else None,
        type=spec.type,
        policy=spec.deletion_policy,
        secret_name=spec.secret.name,
        service_account=spec.federated.account if spec.federated is not None else "",
        config_map=spec.federated.config_map if spec.federated is not None else "",
        secret_uid=owned.uid if owned is not None else "",
        pending_attempt=str(p.attempt) if p is not None else "",
        due=observation.now + spec.deletion_grace_period,
    )
