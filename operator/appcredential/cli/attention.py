"""Which AppCredentials need attention first, and the word that says why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final

from appcredential.cli.app_credential import AppCredential
from appcredential.domain.conditions import ConditionType, Reason

OVERDUE: Final = timedelta(hours=1)
"""For how long a renewal may be due before the tool doubts that an operator is at work."""
_FAR: Final = datetime.max.replace(tzinfo=UTC)


class Attention(IntEnum):
    """How much attention a resource needs; the most urgent is the lowest."""

    BROKEN = 0
    """Workloads have no valid credential."""
    STALLED = 1
    """A person has to do something, and what is published still works."""
    EXPIRING = 2
    """A successor should be there and is not."""
    WORKING = 3
    """Work is under way, or the operator has not looked yet."""
    PAUSED = 4
    """Suspended."""
    FINE = 5
    """Nothing to do."""


def attention(resource: AppCredential, now: datetime) -> Attention:
    """Return how much attention a resource needs.

    The clock counts besides the conditions: where no operator runs, status stays as it was.
    """
    ready = resource.condition(ConditionType.READY)
    if has_expired(resource, now):
        return Attention.BROKEN
    is_reconciling = resource.is_true(ConditionType.RECONCILING)
    if ready is not None and ready.status == "False" and not _is_first_issue(resource):
        return Attention.BROKEN
    if resource.is_true(ConditionType.STALLED):
        return Attention.STALLED
    if resource.is_true(ConditionType.EXPIRING) or is_renewal_overdue(resource, now):
        return Attention.EXPIRING
    if resource.is_suspended:
        return Attention.PAUSED
    is_well = ready is not None and ready.status == "True" and resource.is_current
    if is_reconciling or resource.is_being_deleted or not is_well:
        return Attention.WORKING
    return Attention.FINE


def has_expired(resource: AppCredential, now: datetime) -> bool:
    """Return whether the published credential is over, whatever the conditions say."""
    return resource.expires is not None and resource.expires <= now


def is_renewal_overdue(resource: AppCredential, now: datetime) -> bool:
    """Return whether a successor was due an hour ago, none is on its way, and nothing says why."""
    due = resource.time("status", "renewalTime")
    if due is None or now - due < OVERDUE:
        return False
    is_explained = (
        resource.is_suspended
        or resource.at("status", "pending") is not None
        or resource.is_true(ConditionType.RECONCILING)
        or resource.at("spec", "mode") == "Observe"
    )
    return not is_explained


def _is_first_issue(resource: AppCredential) -> bool:
    """Return whether nothing was published yet and work goes on by itself."""
    return not resource.key_id and resource.is_true(ConditionType.RECONCILING)


def headline(resource: AppCredential, now: datetime) -> str:
    """Return the one reason that says most of a resource's state."""
    ready = resource.condition(ConditionType.READY)
    if has_expired(resource, now):
        return Reason.EXPIRED
    for kind in (ConditionType.STALLED, ConditionType.EXPIRING):
        found = resource.condition(kind)
        if found is not None and found.status == "True":
            return found.reason
    if resource.is_being_deleted:
        return "Terminating"
    if resource.is_suspended:
        return Reason.SUSPENDED
    if is_renewal_overdue(resource, now):
        return Reason.RENEWAL_DUE
    return ready.reason if ready is not None else "NotLookedAt"


def in_order(resources: list[AppCredential], now: datetime) -> list[AppCredential]:
    """Return resources so that what needs attention comes first, then what expires first."""
    return sorted(
        resources,
        key=lambda r: (attention(r, now), r.expires or _FAR, r.namespace, r.name),
    )
