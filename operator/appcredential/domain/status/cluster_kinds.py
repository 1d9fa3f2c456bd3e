"""The conditions of the cluster-scoped kinds: EntraTenant and ApplicationGrant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appcredential.domain.conditions import Condition, ConditionType, Problem, Reason
from appcredential.domain.spec.model import ApplicationGrantSpec, ClientId
from appcredential.domain.times import format_time


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """The result of a probe of an EntraTenant.

    Attributes:
        problem: why the tenant cannot be used; None when it can.
        warning: what is wrong although the tenant can be used: the operator's new credential.
    """

    problem: Problem | None = None
    warning: Problem | None = None


def tenant_conditions(outcome: ProbeOutcome) -> list[Condition]:
    """Return an EntraTenant's conditions, Ready first."""
    kind, problem, warning = ConditionType.READY, outcome.problem, outcome.warning
    if problem is not None:
        return [Condition.false(kind, problem.reason, problem.message), _abnormal(problem)]
    message = "The operator signs in and may read applications."
    if warning is None:
        return [Condition.true(kind, Reason.SIGNED_IN, message)]
    message = f"{message} It does so with what it had before: see the other condition."
    return [Condition.true(kind, Reason.SIGNED_IN, message), _abnormal(warning)]


def operator_identity(
    client_id: ClientId | None, thumbprint: str, expiration: datetime | None
) -> dict[str, str]:
    """Return `status.identity` of an EntraTenant: the operator's own credential in use.

    Args:
        client_id: as which the operator signs in; None when that is not known.
        thumbprint: SHA-1 of its certificate; empty for any other credential.
        expiration: when the credential ends; None when that is not known.
    """
    found = {
        "clientId": client_id or "",
        "thumbprint": thumbprint,
        "expirationTime": format_time(expiration) if expiration is not None else "",
    }
    return {name: value for name, value in found.items() if value}


def grant_conditions(grant: ApplicationGrantSpec | Problem) -> list[Condition]:
    """Return an ApplicationGrant's conditions, Ready first.

    Args:
        grant: its spec, or why it cannot be used.
    """
    if isinstance(grant, Problem):
        return [
            Condition.false(ConditionType.READY, grant.reason, grant.message),
            Condition.true(ConditionType.STALLED, grant.reason, grant.message),
        ]
    return [Condition.true(ConditionType.READY, Reason.ACCEPTED, "The grant is in force.")]


def _abnormal(problem: Problem) -> Condition:
    kind = ConditionType.STALLED if problem.stalled else ConditionType.RECONCILING
    return Condition.true(kind, problem.reason, problem.message)
