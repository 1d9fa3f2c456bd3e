"""What T records of its former owner when it is taken over, and which of its keys stay. Pure.

Keys that the former owner wrote and we do not write go, as those of a changed preset do. When
both credentials are of one application they stay for the overlap first: whoever reads
`clientSecret` anew each time, from a mounted file or by the API, works on until it is changed.
What a client would prefer to our own credential never stays (`presets.shadowed`).
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
from appcredential.domain.secret.content import written_keys

MAX_FORMER = 16


def former_owners(facts: Facts) -> tuple[FormerOwner, ...]:
    """Return whom T was taken over from, once we publish; the last one comes last."""
    live, last = facts.live, _last_owner(facts)
    known = live.taken_from if live is not None else ()
    again = {str(facts.resource.owner), last.owner if last is not None else ""}
    kept = [former for former in known if former.owner not in again]
    return tuple([*kept, last][-MAX_FORMER:] if last is not None else kept)


def _last_owner(facts: Facts) -> FormerOwner | None:
    if facts.taken is not None:
        seen = facts.observation.target_owner or TargetOwner()
        owner = facts.taken.owner
        return FormerOwner(owner, seen.uid, seen.generation) if owner else None
    named = facts.spec.secret.take_over_from
    if facts.target is not None or not named:
        return None
    # Gone before we came: who wrote it, or would, is to know why it writes it no more.
    return FormerOwner(str(Owner(facts.resource.owner.namespace, named)))


def handed_over(facts: Facts, next_: IssuedCredential, now: datetime) -> HandedOver | None:
    """Return which keys of the former owner stay beside ours once we publish, and until when."""
    t = facts.taken
    if t is None or t.published is None or t.value is None:
        return still_handed_over(facts.target, now)
    if (t.tenant_id, t.object_id) != (facts.tenant.tenant_id, facts.application.object_id):
        return None
    rotation = facts.spec.rotation
    lead = effective_renew_before(rotation, next_.expires - next_.not_before)
    until = min(now + effective_overlap(rotation, lead), t.published.expires)
    earlier = t.handed_over.keys if t.handed_over is not None else frozenset()
    return HandedOver(keys=written_keys(t) - earlier, until=until)


def still_handed_over(t: Target | None, now: datetime) -> HandedOver | None:
    """Return what T holds of its former owner, as long as it is to stay."""
    found = t.handed_over if t is not None else None
    return found if found is not None and now < found.until else None
