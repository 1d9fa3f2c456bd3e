"""Which AppCredentials need attention first, and the word that says why.

For people alone: the tool's list and the report go by it. The operator decides by nothing of this.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final, Protocol, TypeVar

from appcredential.domain.conditions import ConditionType, Reason
from appcredential.domain.document import ShownResource

OVERDUE: Final = timedelta(hours=1)
"""For how long a renewal may be due before it is doubtful that an operator is at work."""
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
    """Suspended, or only observed before anything was published."""
    FINE = 5
    """Nothing to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What of a resource says how much attention it needs.

    Attributes:
        ready: the status of Ready; empty before the first look.
        ready_reason: its reason.
        stalled: the reason of Stalled while that is True, else None.
        expiring: the reason of Expiring while that is True, else None.
        is_reconciling: whether Reconciling is True.
        is_current: whether status speaks of the spec as it is now.
        is_suspended: whether `spec.suspend` is set.
        is_observed: whether the mode is Observe, so that nothing is renewed.
        is_being_deleted: whether somebody deleted it.
        is_published: whether a credential is published.
        is_pending: whether a successor is on its way.
        expires: when the published credential ends.
        renewal: when a successor is due.
    """

    ready: str
    ready_reason: str
    stalled: str | None
    expiring: str | None
    is_reconciling: bool
    is_current: bool
    is_suspended: bool
    is_observed: bool
    is_being_deleted: bool
    is_published: bool
    is_pending: bool
    expires: datetime | None
    renewal: datetime | None


def situation_of(resource: ShownResource) -> Situation:
    """Read the situation of a resource."""
    ready = resource.condition(ConditionType.READY)
    return Situation(
        ready=ready.status if ready is not None else "",
        ready_reason=ready.reason if ready is not None else "",
        stalled=_reason_while_true(resource, ConditionType.STALLED),
        expiring=_reason_while_true(resource, ConditionType.EXPIRING),
        is_reconciling=resource.is_true(ConditionType.RECONCILING),
        is_current=resource.is_current,
        is_suspended=resource.is_suspended,
        is_observed=resource.at("spec", "mode") == "Observe",
        is_being_deleted=resource.is_being_deleted,
        is_published=bool(resource.key_id),
        is_pending=resource.at("status", "pending") is not None,
        expires=resource.expires,
        renewal=resource.time("status", "renewalTime"),
    )


def _reason_while_true(resource: ShownResource, kind: ConditionType) -> str | None:
    found = resource.condition(kind)
    return found.reason if found is not None and found.status == "True" else None


def attention(situation: Situation, now: datetime) -> Attention:
    """Return how much attention a resource needs.

    The clock counts besides the conditions: where no operator runs, status stays as it was.
    """
    if has_expired(situation, now):
        return Attention.BROKEN
    if _only_reports(situation):
        return Attention.PAUSED
    # Work on a first credential goes on by itself.
    is_first_issue = not situation.is_published and situation.is_reconciling
    if situation.ready == "False" and not is_first_issue:
        return Attention.BROKEN
    if situation.stalled is not None:
        return Attention.STALLED
    if situation.expiring is not None or is_renewal_overdue(situation, now):
        return Attention.EXPIRING
    if situation.is_suspended:
        return Attention.PAUSED
    is_well = situation.ready == "True" and situation.is_current
    if situation.is_reconciling or situation.is_being_deleted or not is_well:
        return Attention.WORKING
    return Attention.FINE


def _only_reports(situation: Situation) -> bool:
    """Return whether nothing is in the way and the spec asks for a report alone.

    Ready is False then, as nothing is published. Workloads have what others made meanwhile.
    """
    is_observing = situation.is_observed and situation.ready_reason == Reason.OBSERVING
    return is_observing and situation.stalled is None and not situation.is_published


def has_expired(situation: Situation, now: datetime) -> bool:
    """Return whether the published credential is over, whatever the conditions say."""
    return situation.expires is not None and situation.expires <= now


def is_renewal_overdue(situation: Situation, now: datetime) -> bool:
    """Return whether a successor was due an hour ago, none is on its way, and nothing says why."""
    if situation.renewal is None or now - situation.renewal < OVERDUE:
        return False
    is_explained = (
        situation.is_suspended
        or situation.is_pending
        or situation.is_reconciling
        or situation.is_observed
        or situation.stalled is not None
        or situation.expiring is not None
    )
    return not is_explained


def headline(situation: Situation, now: datetime) -> str:
    """Return the one reason that says most of a resource's state."""
    if has_expired(situation, now):
        return Reason.EXPIRED
    for reason in (situation.stalled, situation.expiring):
        if reason is not None:
            return reason
    if situation.is_being_deleted:
        return "Terminating"
    if situation.is_suspended:
        return Reason.SUSPENDED
    if is_renewal_overdue(situation, now):
        return Reason.RENEWAL_DUE
    return situation.ready_reason if situation.ready else "NotLookedAt"


class Attended(Protocol):
    """What is put into order: a resource, or what is kept of one."""

    @property
    def namespace(self) -> str:
        """Its namespace."""
        ...

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def situation(self) -> Situation:
        """What says how much attention it needs."""
        ...


A = TypeVar("A", bound=Attended)


def in_order(found: Iterable[A], now: datetime) -> list[A]:
    """Return resources so that what needs attention comes first, then what expires first."""

    def place(resource: A) -> tuple[Attention, datetime, str, str]:
        situation = resource.situation
        ends = situation.expires or _FAR
        return attention(situation, now), ends, resource.namespace, resource.name

    return sorted(found, key=place)
