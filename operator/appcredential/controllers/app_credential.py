"""One AppCredential, from gather to decide to act, one effect at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from appcredential.controllers.entra_tenant import Access
from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts, assess
from appcredential.domain.facts.takeover import owner_beside
from appcredential.domain.grants import allows_type, evaluate
from appcredential.domain.lifecycle import Decision, decide
from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.domain.observed.federated import Federation, OutputMap, ServiceAccount
from appcredential.domain.observed.observation import (
    Grant,
    Material,
    Observation,
    Policy,
    Resource,
    Target,
    TargetOwner,
    Tenant,
)
from appcredential.domain.revocation import Ticket, ticket_name
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ApplicationGrantSpec,
    ClientId,
    CredentialType,
    Mode,
    ObjectId,
    TenantId,
)
from appcredential.domain.spec.trusts import retire_time_of, trusts
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
from appcredential.gather.certificate_source import MaterialReader, derived_of
from appcredential.gather.state import Piece, View
from appcredential.ports.kube import (
    Clock,
    Events,
    IssuerSource,
    Outputs,
    Resources,
    Secrets,
    ServiceAccounts,
    Tickets,
)
from appcredential.runtime.effect_guard import Gate
from appcredential.runtime.metrics import Metrics
from appcredential.tenants.sessions import Session

log = logging.getLogger(__name__)

_MAX_PASSES = 60
_EFFECT_SECONDS = 25.0
_MINT_SECONDS = 40.0
_CONFLICT_RETRY = timedelta(seconds=1)
_FORBIDDEN_RETRY = timedelta(minutes=1)
_CLOSED_RETRY = timedelta(minutes=1)
# How old a probe has to be for another one, by what raised the doubt.
_DOUBTS = {
    Reason.TENANT_NOT_READY: timedelta(seconds=10),
    Reason.LIFETIME_OVER_POLICY: timedelta(minutes=1),
}


class GrantSource(Protocol):
    """The ApplicationGrants: as watched, and by a live list before each mint."""

    def known(self) -> dict[str, ApplicationGrantSpec]:
        """Return the valid grants as last seen."""
        ...

    async def live(self) -> dict[str, ApplicationGrantSpec]:
        """Return the valid grants by a list made now."""
        ...


class TicketBook(Protocol):
    """The open tickets, kept in memory by whoever finishes them."""

    def find(self, name: str) -> Ticket | None:
        """Return an open ticket."""
        ...

    def note(self, name: str, ticket: Ticket | None) -> None:
        """Record that a ticket was written, or deleted."""
        ...

    def leaving(self, namespace: str, client_id: ClientId) -> frozenset[str]:
        """Return the owner hashes of the tickets for federated credentials of an application."""
        ...


class Reconciler:
    """Drives every AppCredential; holds one View per resource."""

    def __init__(
        self,
        *,
        clock: Clock,
        policy: Policy,
        identity: ClusterIdentity,
        holder: str,
        gate: Gate,
        resources: Resources,
        secrets: Secrets,
        tickets: Tickets,
        book: TicketBook,
        events: Events,
        grants: GrantSource,
        access: Callable[[str], Access | Problem],
        doubt: Callable[[str, timedelta], None],
        cluster_skew: Callable[[], timedelta | None],
        metrics: Metrics,
        materials: MaterialReader,
        permission_retry: timedelta,
        service_accounts: ServiceAccounts,
        outputs: Outputs,
        issuer: IssuerSource,
        owners: Callable[[str], Iterable[Owner]],
    ) -> None:
        self._clock = clock
        self._policy = policy
        self._identity = identity
        self._holder = holder
        self._gate = gate
        self._resources = resources
        self._secrets = secrets
        self._tickets = tickets
        self._book = book
        self._events = events
        self._grants = grants
        self._access = access
        self._doubt = doubt
        self._cluster_skew = cluster_skew
        self._metrics = metrics
        self._materials = materials
        self._forbidden_retry = min(permission_retry, _FORBIDDEN_RETRY)
        self._service_accounts = service_accounts
        self._outputs = outputs
        self._issuer = issuer
        self._owners = owners
        self._views: dict[Owner, View] = {}
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

    def look_anew(self, owner: Owner) -> None:
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
        view = self._views.setdefault(owner, View())
        held = view.resource.value
        if held is not None and _is_newer(seen_version, held.resource_version):
            view.resource.drop()
        return await self._guarded(owner, view)

    async def _guarded(self, owner: Owner, view: View) -> datetime | None:
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

    async def _passes(self, owner: Owner, view: View) -> datetime | None:
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

    async def _gather(self, owner: Owner, view: View) -> Observation | None:
        resource = await self._read_resource(owner, view)
        if resource is None:
            return None
        spec = resource.spec
        federation, material = None, Material()
        if isinstance(spec, AppCredentialSpec) and spec.type is CredentialType.FEDERATED_IDENTITY:
            federation = await self._federation(owner, view, spec)
        else:
            await self._read_secrets(owner, view, resource)
            await self._read_target_owner(owner, view)
            material = await self._read_material(owner, view, resource)
        access = self._access(spec.tenant) if isinstance(spec, AppCredentialSpec) else None
        skew = access.session.directory.skew() if isinstance(access, Access) else None
        return Observation(
            now=self._clock.now(),
            policy=self._policy,
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
            ticket_uid=self._ticket_uid(resource),
            crd_deleted=view.crd_deleted,
            application=view.application,
            memory=view.memory,
            target_owner=view.target_owner.value,
            federation=federation,
            material=material,
        )

    async def _federation(self, owner: Owner, view: View, spec: AppCredentialSpec) -> Federation:
        """Read what there is instead of Secrets."""
        federated, now = spec.federated, self._clock.monotonic()
        account = federated.wired if federated is not None else ""
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
            leaving=self._book.leaving(owner.namespace, spec.client_id),
            neighbours=self._retiring_owners(owner, view),
        )

    def _retiring_owners(self, owner: Owner, view: View) -> frozenset[str]:
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

    async def _read_material(self, owner: Owner, view: View, resource: Resource) -> Material:
        spec = resource.spec
        if not isinstance(spec, AppCredentialSpec) or spec.type is not CredentialType.CERTIFICATE:
            return Material()
        if resource.deletion_time is not None:
            return Material()
        now = self._clock.monotonic()
        if view.material.value is None or not view.material.is_fresh(now, self._seconds):
            found = await self._materials.read(owner.namespace, spec.certificate, view.held)
            view.material.set(found, now)
        derived = await derived_of(spec, view.target.value, view.held)
        return replace(view.material.value or Material(), derived=derived)

    async def _read_resource(self, owner: Owner, view: View) -> Resource | None:
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

    async def _read_secrets(self, owner: Owner, view: View, resource: Resource) -> None:
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

    async def _read_target(self, namespace: str, name: str, view: View) -> Target | None:
        """Read T, whole only when it is another version than the one we hold."""
        held = view.target.value
        if held is not None and held.name == name:
            version = await self._secrets.version(namespace, name)
            if version == held.resource_version:
                return held
            if version is None:
                return None
        return await self._secrets.target(namespace, name)

    async def _read_target_owner(self, owner: Owner, view: View) -> None:
        """Look whether the resource exists that another's Secret names as its owner."""
        other, held = owner_beside(owner, view.target.value), view.target_owner
        if other is None:
            view.target_owner = Piece()
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
        return self._policy.freshness.total_seconds()

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

    async def wanted(self, ticket: Ticket) -> frozenset[tuple[str, str]]:
        """Return issuers and subjects that other resources ask for beside a ticket's.

        Only of its namespace, application and directory, and only what a grant allows: what
        a deleted resource leaves is theirs to take over.

        Raises:
            UnavailableError: nobody can say.
        """
        issuer, grants = await self._issuer.current(), self._grants.known()
        found: set[tuple[str, str]] = set()
        for resource in await self._resources.list(ticket.owner.namespace):
            tenant = self._heir_tenant(ticket, resource, grants)
            spec = resource.spec
            if tenant is None or isinstance(spec, Problem) or spec.federated is None:
                continue
            if isinstance(issuer, Problem) and spec.federated.account:
                raise UnavailableError("the cluster's issuer is not known")
            found |= {
                t.pair
                for t in trusts(
                    spec.federated,
                    resource.owner.namespace,
                    issuer.url if not isinstance(issuer, Problem) else "",
                    cloud=tenant.cloud,
                    authority_host=tenant.authority_host,
                    tenant_id=tenant.tenant_id,
                )
            }
        return frozenset(found)

    def _heir_tenant(
        self, ticket: Ticket, resource: Resource, grants: dict[str, ApplicationGrantSpec]
    ) -> Tenant | None:
        """Return the tenant of a resource that may take over what the ticket is to revoke."""
        spec = resource.spec
        if isinstance(spec, Problem) or spec.client_id != ticket.client_id:
            return None
        if resource.owner == ticket.owner or resource.deletion_time is not None:
            return None
        access = self._access(spec.tenant)
        if not isinstance(access, Access) or spec.mode is Mode.OBSERVE:
            return None
        is_granted = not isinstance(self._grant(resource, access, grants), Problem)
        is_same = access.tenant.tenant_id == ticket.tenant_id
        is_granted = is_granted and allows_type(access.tenant.limits, spec)
        return access.tenant if is_granted and is_same else None

    async def _live_grant(self, f: Facts) -> Grant | Problem:
        grants = await self._grants.live()
        return evaluate(grants, f.o.resource.owner.namespace, f.spec, f.tenant)

    def _ticket_uid(self, resource: Resource) -> str | None:
        spec = resource.spec
        if not isinstance(spec, AppCredentialSpec):
            return None
        ticket = self._book.find(_ticket_name(resource.owner, spec))
        return ticket.resource_uid if ticket is not None else None

    # --- act ------------------------------------------------------------------------------

    async def _act(self, o: Observation, decision: Decision, view: View) -> bool:
        """Perform one action; tell whether to go on."""
        action = decision.action
        name = type(action).__name__
        if view.age(self._clock.monotonic()) > self._seconds:
            view.drop()
            return True
        if isinstance(action, act.Mint) and not self._gate.allows_mint():
            return False
        seconds = _MINT_SECONDS if isinstance(action, act.Mint) else _EFFECT_SECONDS
        try:
            async with asyncio.timeout(seconds):
                await self._dispatch(o, decision, view)
        except BaseException:
            self._metrics.effects.labels(name, "error").inc()
            raise
        self._metrics.effects.labels(name, "done").inc()
        view.written(name)
        self._doubt_tenant(o, view)
        return True

    def _doubt_tenant(self, o: Observation, view: View) -> None:
        """Have the tenant probed when what Entra said concerns all who use it.

        It rejected the operator itself, or its policy allows less than was known.
        """
        problem = view.memory.directory_problem
        is_news = problem is not None and problem != o.memory.directory_problem
        if problem is not None and is_news and problem.reason in _DOUBTS:
            self._doubt(_spec(o).tenant, _DOUBTS[problem.reason])

    async def _dispatch(self, o: Observation, decision: Decision, view: View) -> None:
        match decision.action:
            case act.AddFinalizer():
                await self._set_finalizer(o, view, present=True)
            case act.ReleaseFinalizer():
                await self._set_finalizer(o, view, present=False)
            case act.ReadCrd():
                view.crd_deleted = await self._resources.is_crd_deleted()
            case act.WriteTicket():
                await self._write_ticket(o)
            case act.CancelTicket():
                await self._cancel_ticket(o)
            case act.ApplyStatus():
                await self._apply_status(o.resource, decision.status, view)
            case act.ReadApplication():
                session = self._session(o)
                client_id = _spec(o).client_id
                await self._effects.read_application(
                    view, session, client_id, decision.action.max_age
                )
            case action:
                await self._effects.perform(action, self._context(o, view))

    async def _set_finalizer(self, o: Observation, view: View, *, present: bool) -> None:
        found = await self._resources.set_finalizer(o.resource, present=present)
        view.resource.set(found, self._clock.monotonic())

    async def _write_ticket(self, o: Observation) -> None:
        spec = _spec(o)
        name = _ticket_name(o.resource.owner, spec)
        live = await self._tickets.get(name)
        written = await self._tickets.put(name, _build_ticket(o, spec), live)
        self._book.note(name, written)

    async def _cancel_ticket(self, o: Observation) -> None:
        name = _ticket_name(o.resource.owner, _spec(o))
        live = await self._tickets.get(name)
        if live is not None:
            await self._tickets.delete(name, live)
        self._book.note(name, None)

    async def _apply_status(self, resource: Resource, status: dict[str, Any], view: View) -> None:
        try:
            written = await self._resources.apply_status(resource, status)
        except NotFoundError:
            view.resource.set(None, self._clock.monotonic())
            return
        view.resource.set(written, self._clock.monotonic())
        await self._announce(resource, status, view)

    async def _announce(self, resource: Resource, status: dict[str, Any], view: View) -> None:
        """Emit one Warning when a resource becomes Stalled, or for another reason."""
        stalled = next((c for c in status["conditions"] if c["type"] == "Stalled"), None)
        reason = stalled["reason"] if stalled is not None else ""
        if stalled is not None and reason != view.stalled_reason:
            subject = subject_of(resource)
            await self._events.emit(subject, reason, stalled["message"], warning=True)
        view.stalled_reason = reason

    async def _tell_losses(self, o: Observation) -> None:
        """Emit an Event for what others lost on the application while we changed it."""
        spec, application = o.resource.spec, o.application
        if not isinstance(spec, AppCredentialSpec) or application is None:
            return
        access = self._access(spec.tenant)
        if not isinstance(access, Access):
            return
        subject = subject_of(o.resource)
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
        o: Observation,
        action: act.Action,
        view: View,
        error: SecretForbiddenError | SecretRefusedError,
    ) -> datetime:
        """Say in status why a Secret cannot be written. What was read before still holds."""
        problem = secret_problem(error)
        log.warning(
            "Secret refused",
            extra={"error": str(error), "reason": str(problem.reason), **_about(o)},
        )
        again = self._clock.now() + self._forbidden_retry
        view.refused(type(action).__name__, problem, again)
        if self._gate.problem() is None:
            status = project(o, self._facts(o), problem)
            if needs_write(o.resource.status, status):
                await self._apply_status(o.resource, status, view)
        view.drop()
        return again

    async def _say_failed(self, owner: Owner, view: View) -> None:
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
        self, owner: Owner, view: View, error: SecretForbiddenError
    ) -> datetime | None:
        """Say in status that Secrets of the namespace cannot be read."""
        resource = await self._resources.get(owner)
        if resource is None or self._gate.problem() is not None:
            return None if resource is None else self._clock.now() + self._forbidden_retry
        problem = secret_problem(error)
        o = Observation(
            now=self._clock.now(),
            policy=self._policy,
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
            ticket_uid=None,
            crd_deleted=None,
            application=None,
            memory=view.memory,
        )
        status = project(o, None, problem)
        if needs_write(resource.status, status):
            await self._apply_status(resource, status, view)
        view.drop()
        return self._clock.now() + self._forbidden_retry

    def _context(self, o: Observation, view: View) -> Context:
        facts = self._facts(o)
        if facts is None:
            raise ConflictError("the tenant changed meanwhile")
        return Context(view=view, facts=facts, session=self._session(o))

    def _facts(self, o: Observation) -> Facts | None:
        access, application = self._access(_spec(o).tenant), o.application
        if not isinstance(access, Access) or application is None:
            return None
        return assess(o, _spec(o), access.tenant, application)

    def _session(self, o: Observation) -> Session:
        access = self._access(_spec(o).tenant)
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


def _spec(o: Observation) -> AppCredentialSpec:
    spec = o.resource.spec
    if isinstance(spec, Problem):
        raise AssertionError("the gates hold an unusable spec")
    return spec


def _about(o: Observation) -> dict[str, str]:
    return {"ns": o.resource.owner.namespace, "obj": o.resource.owner.name}


def _ticket_name(owner: Owner, spec: AppCredentialSpec) -> str:
    return ticket_name(owner, spec.tenant, spec.client_id, spec.type)


def _build_ticket(o: Observation, spec: AppCredentialSpec) -> Ticket:
    t, p = o.target, o.pending
    owned = t if t is not None and t.owner == str(o.resource.owner) else None
    known = (o.resource.status.get("application") or {}).get("objectId")
    object_id = owned.object_id if owned is not None else p.object_id if p is not None else known
    held = owned.tenant_id if owned is not None else p.tenant_id if p is not None else ""
    tenant_id = held or (o.tenant.tenant_id if isinstance(o.tenant, Tenant) else "")
    return Ticket(
        owner=o.resource.owner,
        resource_uid=o.resource.uid,
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
        due=o.now + spec.deletion_grace_period,
    )
