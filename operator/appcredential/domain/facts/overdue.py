"""When a scheduled revocation is overdue, and what keeps it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from appcredential.domain.facts.revocation import is_reachable
from appcredential.domain.observed.revocation import RevocationObservation
from appcredential.domain.times import format_time


def overdue_for(due: datetime, now: datetime, absence: timedelta) -> timedelta:
    """Return for how long a revocation should have been done already; zero when it is not late.

    Args:
        due: the time of the revocation, which is open.
        now: the time.
        absence: its owner must have been absent for so long, which may end after its due time.
    """
    return max(now - due - absence, timedelta(0))


def overdue_note(observation: RevocationObservation) -> str:
    """Return what an Event says about an overdue revocation: what keeps it, and the remedy."""
    due = format_time(observation.revocation.due)
    return (
        f"What the deleted resource left in Entra should have been revoked at {due}, and was not. "
        f"{_cause(observation)}"
    )


def _cause(observation: RevocationObservation) -> str:
    revocation = observation.revocation
    tenant, directory = revocation.tenant, revocation.tenant_id
    if observation.is_tenant_missing:
        known = f" with tenantId {directory}" if directory else ""
        return f"There is no EntraTenant {tenant}: create it again{known}."
    if observation.tenant_id is None:
        return f"The EntraTenant {tenant} cannot be used: its conditions say why."
    if not is_reachable(revocation, observation.tenant_id):
        return (
            f"The EntraTenant {tenant} leads to another directory than the credential's: delete "
            f"it, and create it again with tenantId {directory}."
        )
    if observation.inherited:
        return (
            "Other AppCredentials of the namespace ask for the same trust and have not taken it "
            "over: their conditions say why."
        )
    return "The operator's log says why, at `revocation waits`."
