"""What a target Secret records of its former owner, and which former keys stay for a while. Pure.

Keys that only the former owner wrote go, and so do those of a former preset or template. When both
credentials belong to one application, these keys stay for the overlap: a workload that reads
`clientSecret` from a mounted file or by the API goes on working until somebody changes it. A key
that a client would prefer to our own credential never stays (`presets.shadowed`).
"""

from __future__ import annotations

from datetime import datetime

from appcredential.domain.facts.facts import Facts
from appcredential.domain.marker import Owner
from appcredential.domain.observed.target import (
    FormerOwner,
    HandedOver,
    IssuedCredential,
    Target,
    TargetOwner,
)
from appcredential.domain.rotation import effective_overlap, effective_renew_before
from appcredential.domain.secret.content import templates_of, written_keys
from appcredential.domain.secret.size import MAX_SECRET, secret_bytes
from appcredential.domain.secret.value import can_sign_in
from appcredential.domain.secret_value import SecretValue

MAX_FORMER = 16


def former_owners(facts: Facts) -> tuple[FormerOwner, ...]:
    """Return the former owners that the next publish records; the last one comes last."""
    live, last = facts.live, _last_owner(facts)
    known = live.taken_from if live is not None else ()
    again = {str(facts.resource.owner), last.owner if last is not None else ""}
    kept = [former for former in known if former.owner not in again]
    return tuple([*kept, last][-MAX_FORMER:] if last is not None else kept)


def _last_owner(facts: Facts) -> FormerOwner | None:
    if facts.taken is not None:
        seen = facts.observation.target_owner or TargetOwner()
        owner = facts.taken.owner
        is_another = owner not in {"", str(facts.resource.owner)}
        return FormerOwner(owner, seen.uid, seen.generation) if is_another else None
    named = facts.spec.secret.take_over_from
    if facts.target is not None or not named:
        return None
    # The Secret was gone before. Its former owner shall learn why it writes it no more.
    return FormerOwner(str(Owner(facts.resource.owner.namespace, named)))


def handed_over(facts: Facts, next_: IssuedCredential, now: datetime) -> HandedOver | None:
    """Return which keys of the former owner stay after the next publish, and until when."""
    target, pending = facts.taken, facts.pending
    if target is None or target.published is None or target.value is None:
        return kept_keys(facts, now, pending.value if pending is not None else None)
    if (target.tenant_id, target.object_id) != (
        facts.tenant.tenant_id,
        facts.application.object_id,
    ):
        return None
    rotation = facts.spec.rotation
    lead = effective_renew_before(rotation, next_.expires - next_.not_before)
    until = min(now + effective_overlap(rotation, lead), target.published.expires)
    earlier = target.handed_over.keys if target.handed_over is not None else frozenset()
    return HandedOver(keys=written_keys(target) - earlier, until=until)


def kept_keys(facts: Facts, now: datetime, value: SecretValue | None) -> HandedOver | None:
    """Return which keys of our target Secret stay although the spec asks for them no more.

    Args:
        facts: with our own target Secret, or without one.
        now: by Entra's clock.
        value: of the credential that is written now; None when there is none.
    """
    target, current = facts.target, still_handed_over(facts.target, now)
    if target is None or facts.published is None or facts.schedule is None or value is None:
        return current
    wanted = _wanted_keys(facts, value)
    earlier = target.handed_over.keys if target.handed_over is not None else frozenset()
    dropped = (written_keys(target) - wanted - earlier) & target.data.keys()
    kept = dropped | (current.keys - wanted if current is not None else frozenset())
    if not dropped or not _fit(facts, value, kept):
        return current
    until = min(now + facts.schedule.overlap, facts.published.expires)
    return HandedOver(keys=kept, until=max(until, current.until) if current is not None else until)


def _wanted_keys(facts: Facts, value: SecretValue) -> frozenset[str]:
    templates = templates_of(facts.spec, private=can_sign_in(value))
    return frozenset({*templates, *facts.spec.secret.data})


def _fit(facts: Facts, value: SecretValue, keys: frozenset[str]) -> bool:
    """Return whether the Secret may hold these, too: what is asked for goes before what was."""
    held = facts.target.data if facts.target is not None else {}
    kept = {key: held[key] for key in keys & held.keys()}
    return secret_bytes(facts.spec, facts.tenant, value, kept) <= MAX_SECRET


def still_handed_over(target: Target | None, now: datetime) -> HandedOver | None:
    """Return the former owner's keys in the target Secret while their time is not over."""
    found = target.handed_over if target is not None else None
    return found if found is not None and now < found.until else None
