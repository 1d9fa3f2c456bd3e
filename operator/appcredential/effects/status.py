"""Writes the status, and says there and in Events what keeps the operator from its work."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from appcredential.domain.action_names import secret_write
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.marker import Owner
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.promised import required
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.status.not_owner import newly_unowned
from appcredential.domain.status.problems_kube import failed_status, secret_problem
from appcredential.domain.status.projection import needs_write, project
from appcredential.domain.status.restart import newly_stopped
from appcredential.domain.status.retiring import newly_held, newly_unreadable
from appcredential.effects import audit
from appcredential.effects.context import Step, Tools
from appcredential.effects.events import about, subject_of
from appcredential.errors import NotFoundError, SecretForbiddenError, SecretRefusedError
from appcredential.gather.state import ResourceState
from appcredential.ports.entra import CertificateLoss
from appcredential.ports.session import Access

log = logging.getLogger(__name__)


async def apply_decided(step: Step) -> None:
    """Write the status that was decided to be true.

    Raises:
        ConflictError: the resource changed meanwhile.
    """
    resource, facts = step.observation.resource, step.decision.facts
    await _apply_status(step.tools, resource, step.decision.status, step.state)
    if facts is not None:
        await _announce_pods(step.tools, resource, facts)
    if unowned := newly_unowned(resource.status, step.decision.status):
        subject, events = subject_of(resource), step.tools.kube.events
        await events.emit(subject, Reason.NOT_OWNER, unowned, warning=True)


async def _announce_pods(tools: Tools, resource: Resource, facts: Facts) -> None:
    """Emit an Event when pods, or what keeps them from a look or a restart, hold a credential."""
    subject, events = subject_of(resource), tools.kube.events
    for note in newly_held(facts, resource.status):
        await events.emit(subject, "RetirementWaits", note, warning=False)
    problem = newly_unreadable(facts, resource.status)
    if problem is not None:
        await events.emit(subject, problem.reason, problem.message, warning=True)
    if (stopped := newly_stopped(facts, resource.status)) is not None:
        await events.emit(subject, stopped.reason, stopped.message, warning=True)


async def _apply_status(
    tools: Tools, resource: Resource, status: dict[str, Any], state: ResourceState
) -> None:
    """Write a status to exactly this version of the resource."""
    try:
        written = await tools.kube.resources.apply_status(resource, status)
    except NotFoundError:
        state.resource.set(None, tools.clock.monotonic())
        return
    state.resource.set(written, tools.clock.monotonic())
    await _announce(tools, resource, status, state)


async def _announce(
    tools: Tools, resource: Resource, status: dict[str, Any], state: ResourceState
) -> None:
    """Emit one Warning when a resource becomes Stalled, or for another reason.

    Of a tenant that cannot be used its own Event tells, once for all that use it.
    """
    stalled = next((c for c in status["conditions"] if c["type"] == "Stalled"), None)
    reason = stalled["reason"] if stalled is not None else ""
    is_news = reason not in {state.stalled_reason, str(Reason.TENANT_NOT_READY)}
    if stalled is not None and is_news:
        subject = subject_of(resource)
        await tools.kube.events.emit(subject, reason, stalled["message"], warning=True)
    state.stalled_reason = reason


# --- certificates of others -----------------------------------------------------------------


async def announce_losses(tools: Tools, observation: Observation) -> None:
    """Emit an Event for what others lost on the application while we changed it."""
    spec, application = observation.resource.spec, observation.application
    if not isinstance(spec, AppCredentialSpec) or application is None:
        return
    access = tools.access(spec.tenant)
    if not isinstance(access, Access):
        return
    for loss in access.session.directory.take_losses(application.object_id):
        await audit.emit(
            tools.kube.events,
            "CertificateRestored" if loss.is_restored else "CertificateLost",
            _loss(loss),
            audit.record_of_loss(observation.resource, application, access, loss),
            warning=True,
        )


def _loss(loss: CertificateLoss) -> str:
    if loss.is_restored:
        return (
            f"Certificate {loss.key_id} of another owner was added while this operator "
            "changed the list, and was lost by that; it was put back."
        )
    return (
        f"Certificate {loss.key_id} of another owner is gone from the application: "
        "removed by its owner, or lost between two writers. Add it again if it is "
        "needed."
    )


# --- what keeps the operator from its work --------------------------------------------------


async def say_unwritable(step: Step, error: SecretForbiddenError | SecretRefusedError) -> datetime:
    """Say in status why a Secret cannot be written. What was read before still holds.

    Returns:
        When to try again.

    Raises:
        ConflictError: the resource changed meanwhile.
    """
    tools, state, problem = step.tools, step.state, secret_problem(error)
    resource, decision = step.observation.resource, step.decision
    cause = {"error": str(error), "reason": str(problem.reason)}
    log.warning("Secret refused", extra={**cause, **about(resource.owner)})
    again = tools.clock.now() + tools.secrets_retry
    operation = required(secret_write(decision.action))
    state.memory = state.memory.failed(operation, problem, again)
    if tools.process.guard.problem() is None:
        status = project(step.observation, decision.facts, problem)
        await _apply_news(tools, resource, status, state)
    state.drop()
    return again


async def say_unreadable(
    tools: Tools, resource: Resource, state: ResourceState, error: SecretForbiddenError
) -> None:
    """Say in status that Secrets of the namespace cannot be read.

    Raises:
        ConflictError: the resource changed meanwhile.
    """
    problem = secret_problem(error)
    status = project(_unseen(tools, resource, state, problem), None, problem)
    await _apply_news(tools, resource, status, state)
    state.drop()


def _unseen(
    tools: Tools, resource: Resource, state: ResourceState, problem: Problem
) -> Observation:
    """Return an observation of the resource alone."""
    process = tools.process
    return Observation(
        now=process.clock.now(),
        settings=process.settings,
        identity=process.identity,
        holder=process.holder,
        process_started=process.started,
        blocked=None,
        directory_skew=None,
        cluster_skew=None,
        resource=resource,
        tenant=problem,
        grant=problem,
        target=None,
        is_target_read=False,
        pending=None,
        revocation_uid=None,
        crd_deleted=None,
        application=None,
        memory=state.memory,
    )


async def say_failed(tools: Tools, owner: Owner, state: ResourceState) -> None:
    """Say in status that something unexpected went wrong, if that can still be done."""
    if tools.process.guard.problem() is not None:
        return
    try:
        resource = await tools.kube.resources.get(owner)
        if resource is None:
            return
        status = failed_status(resource, tools.clock.now())
        await _apply_news(tools, resource, status, state)
    except Exception:  # what went wrong first is what counts
        log.exception("a failure was not told in status", extra={"owner": str(owner)})
    state.drop()


async def _apply_news(
    tools: Tools, resource: Resource, status: dict[str, Any], state: ResourceState
) -> None:
    if needs_write(resource.status, status):
        await _apply_status(tools, resource, status, state)
