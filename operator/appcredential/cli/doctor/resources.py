"""Checks of the AppCredentials, by reason, and of the revocations of those that were deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from appcredential.cli.app_credential import AppCredential
from appcredential.cli.doctor.findings import Finding, Gravity, fine, unchecked
from appcredential.cli.doctor.gathered import Gathered
from appcredential.cli.doctor.operators import operators
from appcredential.cli.text import span, when
from appcredential.domain.attention import Attention, attention, has_expired, headline
from appcredential.domain.conditions import ConditionType
from appcredential.domain.facts.overdue import overdue_for
from appcredential.domain.spec.durations import parse_duration

_SHOWN: Final = 3
_STUCK: Final = timedelta(hours=1)
_SOON: Final = timedelta(days=14)
_LATE: Final = timedelta(minutes=10)
_ABSENCE: Final = timedelta(minutes=10)
_GRAVITIES: Final = {
    Attention.BROKEN: Gravity.BROKEN,
    Attention.STALLED: Gravity.WRONG,
    Attention.EXPIRING: Gravity.WRONG,
}


def resources(gathered: Gathered) -> Iterator[Finding]:
    """Check what the AppCredentials say, and what the clock says of them: one finding a reason."""
    if gathered.resources_missing:
        yield unchecked("AppCredentials", gathered.resources_missing)
        return
    if gathered.namespace:
        why = f"you may read only those of {gathered.namespace}"
        yield unchecked("AppCredentials of other namespaces", why)
    by_reason: dict[tuple[Gravity, str], list[AppCredential]] = defaultdict(list)
    for resource in gathered.resources:
        gravity = _gravity(resource, gathered)
        if gravity is not None:
            by_reason[gravity, _reason(resource, gathered)].append(resource)
    for (gravity, reason), found in by_reason.items():
        yield _group(gathered, gravity, reason, found)
    well = len(gathered.resources) - sum(map(len, by_reason.values()))
    yield fine("AppCredentials", f"{well} of {len(gathered.resources)} need nobody.")


def _gravity(resource: AppCredential, gathered: Gathered) -> Gravity | None:
    """Return how grave a resource's state is; None where nothing is wrong."""
    now = gathered.now
    found = _GRAVITIES.get(attention(resource.situation, now))
    if found is not None:
        return found
    is_ending = resource.expires is not None and resource.expires - now < _SOON
    if resource.is_suspended and is_ending:
        return Gravity.RISK
    return Gravity.RISK if _is_stuck(resource, gathered) else None


def _is_stuck(resource: AppCredential, gathered: Gathered) -> bool:
    """Return whether something is under way for so long that it may never end by itself."""
    if resource.is_suspended:
        return False
    begun = resource.time("status", "pending", "startTime")
    waits = resource.time("status", "pending", "publishTime")
    is_waiting = waits is not None and waits > gathered.now
    if begun is not None and gathered.now - begun > _STUCK and not is_waiting:
        return True
    created = resource.time("metadata", "creationTimestamp")
    is_old = created is not None and gathered.now - created > _LATE
    return is_old and resource.condition(ConditionType.READY) is None


def _reason(resource: AppCredential, gathered: Gathered) -> str:
    if (
        _is_stuck(resource, gathered)
        and _GRAVITIES.get(attention(resource.situation, gathered.now)) is None
    ):
        return "NotLookedAt" if resource.at("status", "pending") is None else "Stuck"
    return headline(resource.situation, gathered.now)


def _group(
    gathered: Gathered, gravity: Gravity, reason: str, found: Sequence[AppCredential]
) -> Finding:
    names = ", ".join(resource.full_name for resource in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    first = found[0]
    remedy = f"kubectl appcredential status {first.name} -n {first.namespace}"
    return Finding(gravity, f"{reason}: {names}{more}", _says(first, gathered), remedy)


def _says(resource: AppCredential, gathered: Gathered) -> str:
    """Return why a resource is as it is, with the remedy that the operator's message has."""
    for kind in (ConditionType.STALLED, ConditionType.EXPIRING, ConditionType.READY):
        found = resource.condition(kind)
        wanted = "False" if kind is ConditionType.READY else "True"
        if found is not None and found.status == wanted:
            return found.message
    if has_expired(resource.situation, gathered.now):
        return "The credential has expired, and status does not say so: is an operator running?"
    if resource.is_suspended:
        end = when(resource.expires, gathered.now)
        return f"It is suspended, so its credential ends {end} without a successor."
    begun = resource.time("status", "pending", "startTime")
    if begun is not None:
        waits = resource.text("status", "pending", "waitingFor")
        told = f", and waits for {waits}" if waits else ""
        return f"Its successor was issued {when(begun, gathered.now)}{told}."
    if resource.condition(ConditionType.READY) is None:
        return "No operator has looked at it: is its namespace served?"
    return "A successor was due an hour ago, and nothing shows one: is an operator running?"


def revocations(gathered: Gathered) -> Iterator[Finding]:
    """Look for revocations of deleted AppCredentials that should be done."""
    about = "revocations of what was deleted"
    if gathered.tickets.missing:
        metric = "the metric appcredential_ticket_overdue_seconds tells, too"
        yield unchecked(about, f"{gathered.tickets.missing}; {metric}")
        return
    late = 0
    for ticket in gathered.tickets.items:
        due = ticket.time("data", "due")
        if due is None:
            place = f"{ticket.text('metadata', 'namespace')}/{ticket.name}"
            text = "It cannot be read, so it is never done."
            remedy = f"Mend it, or kubectl delete configmap {ticket.name}"
            yield Finding(Gravity.WRONG, f"ConfigMap {place}", text, remedy)
            continue
        age = overdue_for(due, gathered.now, _absence(gathered))
        if age > _LATE:
            late += 1
            yield _overdue(gathered, age, ticket.text("data", "tenant"), _owner(ticket.at("data")))
    if not late:
        yield fine(about, f"{len(gathered.tickets.items)} wait, none of them too long.")


def _overdue(gathered: Gathered, age: timedelta, tenant: str, owner: str) -> Finding:
    text = f"What {owner} left in Entra should have been revoked {span(age)} ago, and was not."
    remedy = f"kubectl describe entratenant {tenant}, and the log at `revocation waits`."
    if not gathered.tenants.missing and gathered.tenants.named(tenant) is None:
        text = f"{text} Its EntraTenant {tenant} does not exist."
        remedy = f"Create EntraTenant {tenant} again."
    return Finding(Gravity.WRONG, f"revocation of {owner}", text, remedy)


def _owner(data: object) -> str:
    found = AppCredential({"metadata": data if isinstance(data, dict) else {}})
    return found.full_name


def _absence(gathered: Gathered) -> timedelta:
    """Return for how long an owner must have been absent, as the operator's settings say."""
    for operator in operators(gathered):
        try:
            return parse_duration(operator.setting("TICKET_ABSENCE"))
        except ValueError:
            continue
    return _ABSENCE
