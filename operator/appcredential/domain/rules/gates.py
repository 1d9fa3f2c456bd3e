"""Rules 0 and 4 of the lifecycle, of its gates: where one matches, no rule is asked.

No gate before 6 needs an answer of Graph, so that a resource without a grant causes no call
about its application.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.actions import (
    Action,
    Hold,
    ReadApplication,
)
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.clocks import clock_problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.limits import limits_problem
from appcredential.domain.facts.patience import patience_ends, patient
from appcredential.domain.facts.takeover import absence_ends
from appcredential.domain.grants import limit_problem
from appcredential.domain.observed.entra import Grant
from appcredential.domain.observed.observation import Observation
from appcredential.domain.rules.gates_deletion import (
    is_at_revocation_limit,
    resource_is_being_deleted,
)
from appcredential.domain.spec.model import AppCredentialSpec

OBSERVING: Final = Problem(
    reason=Reason.OBSERVING,
    message="spec.mode is Observe: nothing is written to Entra or the cluster.",
    stalled=False,
)
_HELD_LOOK: Final = timedelta(minutes=1)
"""How soon to look again at a deletion that is held: no event tells that another one ended."""


SUSPENDED: Final = Problem(
    reason=Reason.SUSPENDED,
    message="spec.suspend is true: nothing is renewed or removed.",
    stalled=False,
)


def effects_are_blocked(observation: Observation) -> Action | None:
    """0: the lists are incomplete, another replica leads, or the clocks differ too much."""
    if observation.blocked is not None:
        return Hold(observation.blocked)
    wrong = clock_problem(observation)
    return Hold(wrong) if wrong is not None else None


def is_admitted(observation: Observation) -> bool:
    """Return whether the gates before the Secrets are open, so that sources may be read."""
    before = (effects_are_blocked, resource_is_being_deleted, spec_tenant_or_grant_is_unusable)
    return all(gate(observation) is None for gate in before)


def spec_tenant_or_grant_is_unusable(observation: Observation) -> Action | None:
    """4: the spec or the tenant cannot be used, or no grant ever matched."""
    problem = _unusable(observation)
    if problem is None:
        return None
    if problem.reason is Reason.GRANT_UNKNOWN and not observation.resource.is_suspended:
        read = _read_for_tags(observation)
        if read is not None:
            return read
        problem = observation.memory.directory_problem or problem
    return Hold(SUSPENDED if observation.resource.is_suspended else patient(observation, problem))


def _read_for_tags(observation: Observation) -> Action | None:
    """Read the application for its tags; None where that may not be, or not yet."""
    if not observation.may_read_tags or _tenant_problem(observation) is not None:
        return None
    held, longest = observation.application, observation.settings.freshness
    doubted = held.doubted if held is not None else None
    return ReadApplication(longest if doubted is None else min(longest, observation.now - doubted))


def _unusable(observation: Observation) -> Problem | None:
    spec = observation.resource.spec
    if isinstance(spec, Problem):
        return spec
    tenant = _tenant_problem(observation)
    if tenant is not None and tenant.reason is not Reason.TENANT_NOT_READY:
        return tenant
    own = _refusal(observation, spec)
    if own is not None and tenant is not None:
        # A tenant's fault concerns many, and must not hide what this one has to mend.
        return replace(own, message=f"{own.message} {tenant.message}")
    return own or tenant


def _tenant_problem(observation: Observation) -> Problem | None:
    tenant = observation.tenant
    return tenant if isinstance(tenant, Problem) else tenant.problem


def _refusal(observation: Observation, spec: AppCredentialSpec) -> Problem | None:
    """Return why the grant, or the tenant's limits as far as they are known, refuse."""
    tenant, grant = observation.tenant, observation.grant
    limits = None if isinstance(tenant, Problem) else limits_problem(observation, spec, tenant)
    refusal = limits or (grant if isinstance(grant, Problem) else None)
    if refusal is not None:
        return None if _was_granted(observation, spec) else refusal
    assert isinstance(grant, Grant)  # noqa: S101 - else it refuses
    return limit_problem(grant, observation.standing, observation.resource.status)


def _was_granted(observation: Observation, spec: AppCredentialSpec) -> bool:
    """Return whether the grant was withdrawn, or limits lowered, after a credential was issued.

    The evidence is in status, which only the operator writes. Many people may create Secrets,
    and a Secret must not open what no grant ever allowed.
    """
    refusal = observation.grant
    if isinstance(refusal, Problem) and refusal.reason is Reason.OPERATOR_IDENTITY:
        return False
    known = observation.resource.status.get("application") or {}
    target = observation.own_target
    issued = observation.pending is not None or (
        target is not None and target.published is not None
    )
    if spec.type.is_federated:
        issued = bool(observation.resource.status.get("federatedIdentities"))
    return issued and known.get("clientId") == spec.client_id


def observing(facts: Facts) -> Problem | None:
    """Return why nothing is issued or published behind the gates; None when it may be."""
    if facts.resource.is_suspended:
        return SUSPENDED
    return OBSERVING if facts.observes else facts.conflict


def told(observation: Observation, problem: Problem) -> Problem:
    """Return what a closed gate says: of a suspended resource little but that it is suspended."""
    is_paused = observation.resource.is_suspended and problem.reason is not Reason.CLOCK_SKEW
    return SUSPENDED if is_paused else problem


def is_silent(observation: Observation, problem: Problem) -> bool:
    """Return whether a closed gate leaves status alone: effects are blocked, or it is leaving."""
    leaves = observation.resource.deletion_time is not None and not problem.stalled
    return observation.blocked is not None or leaves


def next_gate_look(observation: Observation) -> datetime:
    """Return when to look at a closed gate again."""
    return min(_gate_times(observation))


def _gate_times(observation: Observation) -> list[datetime]:
    times: list[datetime] = [patience_ends(observation)]
    if observation.resource.deletion_time is not None:
        times.append(observation.resource.deletion_time + observation.settings.deletion_settle)
        if is_at_revocation_limit(observation):
            times.append(observation.now + _HELD_LOOK)
    if observation.memory.retry_time is not None:
        times.append(observation.memory.retry_time)
    ends = absence_ends(observation)
    if ends is not None:
        times.append(ends)
    # No event tells that a Secret in the way is gone.
    return [t for t in times if t > observation.now] or [
        observation.now + observation.settings.secret_check
    ]
