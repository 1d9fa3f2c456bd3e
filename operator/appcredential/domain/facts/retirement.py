"""When a retiring credential ends, and when it may go."""

from __future__ import annotations

from datetime import datetime

from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.target import Retiring
from appcredential.domain.spec.model import RetireWhen


def real_end(facts: Facts, r: Retiring) -> datetime:
    """Return when it expires as Entra says; what T records of it can be anything."""
    credential = facts.ours.get(r.key_id)
    return credential.end if credential is not None else r.end


def retire_time(facts: Facts, r: Retiring) -> datetime:
    """Return when an entry's overlap is over; its end when it is never removed early."""
    t = facts.target
    if facts.spec.rotation.retire_when is RetireWhen.EXPIRED or t is None or facts.schedule is None:
        return real_end(facts, r) + facts.settings.expired_grace
    policy, overlap = facts.settings, facts.schedule.overlap
    published = t.published_time or t.creation_time
    return max(
        r.since + overlap,
        t.creation_time + overlap,
        published + policy.removal_floor,
        published + policy.settle,
    )
