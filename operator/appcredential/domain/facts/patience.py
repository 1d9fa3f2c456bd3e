"""How long a missing object may still arrive before the resource counts as stalled."""

from __future__ import annotations

from datetime import datetime

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.observation import Observation

_MAY_ARRIVE = frozenset(
    {
        Reason.TENANT_NOT_FOUND,
        Reason.TENANT_NOT_READY,
        Reason.NOT_GRANTED,
        Reason.SOURCE_NOT_FOUND,
        Reason.KEYSTORE_PASSWORD,
        Reason.SERVICE_ACCOUNT_NOT_FOUND,
    }
)


def patient(observation: Observation, problem: Problem) -> Problem:
    """Return the problem, not yet stalled while the missing object may be in the same apply."""
    if problem.reason not in _MAY_ARRIVE or not problem.stalled:
        return problem
    if observation.now >= patience_ends(observation):
        return problem
    return Problem(reason=problem.reason, message=problem.message, stalled=False)


def patience_ends(observation: Observation) -> datetime:
    """Return when a missing tenant or grant makes the resource Stalled."""
    return (
        max(observation.resource.creation_time, observation.resource.last_applied_time)
        + observation.settings.arrival_grace
    )


def revocation_patience_ends(facts: Facts) -> datetime:
    """Return when a passing problem starts to block the revocation that the spec asks for."""
    before = facts.spec.rotation.revoke_issued_before or facts.now
    return max(patience_ends(facts.observation), before + facts.settings.arrival_grace)
