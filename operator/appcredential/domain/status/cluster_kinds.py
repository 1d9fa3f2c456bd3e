"""The conditions of the cluster-scoped kinds: EntraTenant and ApplicationGrant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from appcredential.domain.conditions import Condition, ConditionType, Problem, Reason
from appcredential.domain.own.renewal import NO_RENEWAL, OwnRenewal
from appcredential.domain.shown_text import first_of
from appcredential.domain.spec.grant import SelectedNamespaces
from appcredential.domain.spec.model import ApplicationGrantSpec, ClientId
from appcredential.domain.times import format_time

_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """The result of a probe of an EntraTenant.

    Attributes:
        problem: why the tenant cannot be used; None when it can.
        warning: what is wrong although the tenant can be used: the operator's new credential.
        renewal: why the operator's own credential is not renewed, although it works.
    """

    problem: Problem | None = None
    warning: Problem | None = None
    renewal: Problem | None = None

    @property
    def told(self) -> Problem | None:
        """The gravest of them."""
        return self.problem or self.warning or self.renewal


@dataclass(frozen=True, slots=True)
class Holders:
    """For what an EntraTenant stays although it is being deleted, each as `namespace/name`.

    Attributes:
        users: the AppCredentials that name it.
        left: the deleted AppCredentials whose revocation needs it.
    """

    users: Sequence[str] = ()
    left: Sequence[str] = ()

    @property
    def problem(self) -> Problem | None:
        """Why it stays; None when nothing holds it."""
        told = in_use(self.users) if self.users else None
        if not self.left:
            return told
        waits = revocations_open(self.left)
        return waits if told is None else replace(told, message=f"{told.message} {waits.message}")


def tenant_conditions(outcome: ProbeOutcome, holders: Holders | None = None) -> list[Condition]:
    """Return an EntraTenant's conditions, Ready first.

    Args:
        outcome: of its last probe.
        holders: for what it stays although it is being deleted; None when it is not.
    """
    kind, problem, warning = ConditionType.READY, outcome.problem, outcome.warning
    held = holders.problem if holders is not None else None
    if problem is not None:
        ready = Condition.false(kind, problem.reason, problem.message)
        return [ready, _abnormal(problem, held)]
    message = "The operator signs in and may read applications."
    if warning is None:
        ready = Condition.true(kind, Reason.SIGNED_IN, message)
        late = outcome.renewal if outcome.renewal is not None and outcome.renewal.stalled else held
        return [ready] if late is None else [ready, _abnormal(late, held if late != held else None)]
    message = f"{message} It does so with what it had before: see the other condition."
    return [Condition.true(kind, Reason.SIGNED_IN, message), _abnormal(warning, held)]


def in_use(users: Sequence[str]) -> Problem:
    """Return why an EntraTenant stays although it is being deleted.

    Args:
        users: the AppCredentials that name it, as `namespace/name`; at least one.
    """
    return Problem(
        reason=Reason.IN_USE,
        message="The EntraTenant is being deleted, and stays while AppCredentials use it: "
        f"{_first_of(users)}. Delete them, or create them anew for another one.",
        stalled=False,
    )


def revocations_open(left: Sequence[str]) -> Problem:
    """Return why an EntraTenant stays although nothing uses it any more.

    Args:
        left: the deleted AppCredentials that are not revoked yet, as `namespace/name`; at least
            one.
    """
    return Problem(
        reason=Reason.REVOCATIONS_OPEN,
        message="The EntraTenant is being deleted, and stays until what deleted AppCredentials "
        f"left in Entra is revoked: {_first_of(left)}. That happens after their "
        "deletionGracePeriod, and needs the operator's identity in this EntraTenant. If it "
        "cannot be had, delete their ConfigMaps in the operator's namespace (label "
        "appcredential.io/ticket): the credentials then stay valid in Entra.",
        stalled=False,
    )


def _first_of(names: Sequence[str]) -> str:
    return f"{first_of(names, _NAMED)} ({len(names)} in all)"


def operator_identity(
    client_id: ClientId | None,
    thumbprint: str,
    expiration: datetime | None,
    renewal: OwnRenewal = NO_RENEWAL,
) -> dict[str, str]:
    """Return `status.identity` of an EntraTenant: the operator's own credential in use.

    Args:
        client_id: as which the operator signs in; None when that is not known.
        thumbprint: SHA-1 of its certificate; empty for any other credential.
        expiration: when the credential ends; None when that is not known.
        renewal: how its renewal by the operator stands.
    """
    found = {
        "clientId": client_id or "",
        "thumbprint": thumbprint,
        "expirationTime": format_time(expiration) if expiration is not None else "",
        "renewalTime": format_time(renewal.renewal) if renewal.renewal is not None else "",
        "renewalProblem": renewal.problem.message if renewal.problem is not None else "",
    }
    return {name: value for name, value in found.items() if value}


def grant_conditions(
    grant: ApplicationGrantSpec | Problem, now: datetime, unreadable: str = ""
) -> list[Condition]:
    """Return an ApplicationGrant's conditions, Ready first.

    Args:
        grant: its spec, or why it cannot be used.
        now: our time.
        unreadable: why the operator cannot read the labels of namespaces; empty if it can, or
            nobody tried.
    """
    problem = grant if isinstance(grant, Problem) else _grant_problem(grant, now, unreadable)
    if problem is not None:
        return [
            Condition.false(ConditionType.READY, problem.reason, problem.message),
            Condition.true(ConditionType.STALLED, problem.reason, problem.message),
        ]
    return [Condition.true(ConditionType.READY, Reason.ACCEPTED, "The grant is in force.")]


def _grant_problem(grant: ApplicationGrantSpec, now: datetime, unreadable: str) -> Problem | None:
    if grant.expires is not None and now >= grant.expires:
        return Problem(
            reason=Reason.GRANT_EXPIRED,
            message="spec.expires has passed, so the grant allows nothing new any more. Set a "
            "later time, or delete the grant.",
        )
    if unreadable and isinstance(grant.namespaces, SelectedNamespaces):
        return Problem(
            reason=Reason.NAMESPACES_UNREADABLE,
            message=f"The grant cannot be used: {unreadable}",
        )
    return None


def _abnormal(problem: Problem, also: Problem | None = None) -> Condition:
    kind = ConditionType.STALLED if problem.stalled else ConditionType.RECONCILING
    message = problem.message if also is None else f"{problem.message} {also.message}"
    return Condition.true(kind, problem.reason, message)
