"""The conditions of the cluster-scoped kinds: EntraTenant and ApplicationGrant."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    if outcome.problem is not None:
        return [
            _condition(ConditionType.READY, "False", outcome.problem),
            _abnormal(outcome.problem),
        ]
    message = "The operator signs in and may read applications."
    signed_in = Condition(
        type=ConditionType.READY, status="True", reason=Reason.SIGNED_IN, message=message
    )
    if outcome.warning is None:
        return [signed_in]
    message = f"{message} It does so with what it had before: see the other condition."
    return [replace(signed_in, message=message), _abnormal(outcome.warning)]


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
            _condition(ConditionType.READY, "False", grant),
            _condition(ConditionType.STALLED, "True", grant),
        ]
    return [
        Condition(
            type=ConditionType.READY,
            status="True",
            reason=Reason.ACCEPTED,
            message="The grant is in force.",
        )
    ]


def _abnormal(problem: Problem) -> Condition:
    kind = ConditionType.STALLED if problem.stalled else ConditionType.RECONCILING
    return _condition(kind, "True", problem)


def _condition(kind: ConditionType, status: str, problem: Problem) -> Condition:
    return Condition(type=kind, status=status, reason=problem.reason, message=problem.message)
