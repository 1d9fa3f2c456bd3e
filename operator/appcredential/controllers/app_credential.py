"""One AppCredential, from gather to decide to act, one effect at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from appcredential.cache.open_revocations import OpenRevocations
from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.assessment import assess
from appcredential.domain.facts.deletion import scheduled_name, scheduled_revocation
from appcredential.domain.facts.facts import Facts
from appcredential.domain.grants import evaluate
from appcredential.domain.lifecycle import Decision, decide
from appcredential.domain.marker import Owner
from appcredential.domain.observed.entra import Grant
from appcredential.domain.observed.memory import Operation
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.spec.model import (
    AppCredentialSpec,
)
from appcredential.domain.status.problems_kube import failed_status, secret_problem
from appcredential.domain.status.projection import needs_write, project
from appcredential.effects.dispatch import Context, Effects, subject_of
from appcredential.errors import (
    ConflictError,
    NamespaceTerminatingError,
    NotFoundError,
    SecretForbiddenError,
    SecretRefusedError,
    ThrottledError,
    UnavailableError,
)
from appcredential.gather.gatherer import Gatherer
from appcredential.gather.state import ResourceState
from appcredential.ports.entra import Access, Session
from appcredential.ports.kube import (
    Events,
    Outputs,
    Resources,
    Revocations,
    Secrets,
    ServiceAccounts,
)
from appcredential.ports.local import GrantSource
from appcredential.runtime.metrics import Metrics
from appcredential.runtime.this_process import ThisProcess

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


_SECRET_WRITES: Final[Mapping[type[act.Action], Operation]] = MappingProxyType(
    {
        act.Mint: Operation.STORE_MINTED,
        act.Register: Operation.STORE_REGISTERED,
        act.Fence: Operation.FENCE,
        act.DeletePending: Operation.DELETE_PENDING,
        act.Publish: Operation.PUBLISH,
        act.WriteTarget: Operation.WRITE_TARGET,
    }
)
"""The actions that write a Secret, which a quota, a role or an admission rule may refuse."""


class AppCredentialController:
    """Drives every AppCredential; holds one ResourceState per resource."""

    def __init__(
        self,
        *,
        process: ThisProcess,
        gatherer: Gatherer,
        resources: Resources,
        secrets: Secrets,
        revocations: Revocations,
        open_revocations: OpenRevocations,
        events: Events,
        grants: GrantSource,
        access: Callable[[str], Access | Problem],
        request_probe: Callable[[str, timedelta], None],
        metrics: Metrics,
        permission_retry: timedelta,
        service_accounts: ServiceAccounts,
        outputs: Outputs,
    ) -> None:
        self._process = process
        self._gatherer = gatherer
        self._clock = process.clock
        self._gate = process.guard
        self._resources = resources
        self._revocations = revocations
        self._open_revocations = open_revocations
        self._events = events
        self._grants = grants
        self._access = access
        self._request_probe = request_probe
        self._metrics = metrics
        self._forbidden_retry = min(permission_retry, _FORBIDDEN_RETRY)
        self._views: dict[Owner, ResourceState] = {}
        self._effects = Effects(
            clock=process.clock,
            holder=process.holder,
            secrets=secrets,
            resources=resources,
            events=events,
            permission_retry=permission_retry,
            live_grant=self._live_grant,
            is_open=lambda: process.guard.problem() is None,
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
            observation = await self._gatherer.gather(owner, view)
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

    async def _live_grant(self, facts: Facts) -> Grant | Problem:
        grants = await self._grants.live()
        return evaluate(grants, facts.resource.owner.namespace, facts.spec, facts.tenant)

    # --- act ------------------------------------------------------------------------------

    async def _act(self, observation: Observation, decision: Decision, view: ResourceState) -> bool:
        """Perform one action; tell whether to go on."""
        action = decision.action
        name = act.label(action)
        if view.age(self._clock.monotonic()) > self._process.freshness:
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
        operation = _SECRET_WRITES.get(type(action))
        if operation is not None:
            view.memory = view.memory.succeeded(operation)
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
        name = scheduled_name(observation.resource.owner, spec)
        live = await self._revocations.get(name)
        written = await self._revocations.put(name, scheduled_revocation(observation), live)
        self._open_revocations.note(name, written)

    async def _cancel_revocation(self, observation: Observation) -> None:
        name = scheduled_name(observation.resource.owner, _spec(observation))
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
        view.memory = view.memory.failed(_SECRET_WRITES[type(action)], problem, again)
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
            settings=self._process.settings,
            identity=self._process.identity,
            holder=self._process.holder,
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


def _spec(observation: Observation) -> AppCredentialSpec:
    spec = observation.resource.spec
    if isinstance(spec, Problem):
        raise AssertionError("the gates hold an unusable spec")
    return spec


def _about(observation: Observation) -> dict[str, str]:
    return {"ns": observation.resource.owner.namespace, "obj": observation.resource.owner.name}
