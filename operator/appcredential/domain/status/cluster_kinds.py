"""The conditions of the cluster-scoped kinds: EntraTenant and ApplicationGrant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appcredential.domain.conditions import Condition, ConditionType, Problem, Reason
from appcredential.domain.spec.model import ApplicationGrantSpec, ClientId
from appcredential.domain.times import format_time

_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """The result of a probe of an EntraTenant.

    Attributes:
        problem: why the tenant cannot be used; None when it can.
        warning: what is wrong although the tenant can be used: the operator's new credential.
    """

    problem: Problem | None = None
    warning: Problem | None = None


def tenant_conditions(outcome: ProbeOutcome, users: Sequence[str] = ()) -> list[Condition]:
    """Return an EntraTenant's conditions, Ready first.

    Args:
        outcome: of its last probe.
        users: the AppCredentials for which it stays although it is being deleted.
    """
    kind, problem, warning = ConditionType.READY, outcome.problem, outcome.warning
    held = in_use(users) if users else None
    if problem is not None:
        ready = Condition.false(kind, problem.reason, problem.message)
        return [ready, _abnormal(problem, held)]
    message = "The operator signs in and may read applications."
    if warning is None:
        ready = Condition.true(kind, Reason.SIGNED_IN, message)
        return [ready] if held is None else [ready, _abnormal(held)]
    message = f"{message} It does so with what it had before: see the other condition."
    return [Condition.true(kind, Reason.SIGNED_IN, message), _abnormal(warning, held)]


def in_use(users: Sequence[str]) -> Problem:
    """Return why an EntraTenant stays although it is being deleted.

    Args:
        users: the AppCredentials that name it, as `namespace/name`; at least one.
    """
    named, more = ", ".join(users[:_NAMED]), len(users) - _NAMED
    others = f" and {more} more" if more > 0 else ""
    return Problem(
        reason=Reason.IN_USE,
        message=f"The EntraTenant is being deleted, and stays while AppCredentials use it: {named}"
        f"{others} ({len(users)} in all). Delete them, or create them anew for another one.",
        stalled=False,
    )


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


def _abnormal(problem: Problem, also: Problem | None = None) -> Condition:
    kind = ConditionType.STALLED if problem.stalled else ConditionType.RECONCILING
    message = problem.message if also is None else f"{problem.message} {also.message}"
    return Condition.true(kind, problem.reason, message)
