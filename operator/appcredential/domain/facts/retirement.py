"""When a retiring credential ends, and when it may go."""

from __future__ import annotations

from datetime import datetime

from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.target import Retiring
from appcredential.domain.spec.model import RetireWhen


def real_end(facts: Facts, entry: Retiring) -> datetime:
    """Return when a credential expires by Entra's record; a person may have edited ours."""
    credential = facts.ours.get(entry.key_id)
    return credential.end if credential is not None else entry.end


def retire_time(facts: Facts, entry: Retiring) -> datetime:
    """Return when an entry's overlap is over; with retireWhen Expired, when it has expired.

    Both are by Entra's clock, on which all replicas agree, whatever their own clocks say. The
    settle time covers how long writing the target Secret may have taken.
    """
    target = facts.target
    if (
        facts.spec.rotation.retire_when is RetireWhen.EXPIRED
        or target is None
        or facts.schedule is None
    ):
        return real_end(facts, entry) + facts.settings.expired_grace
    policy, overlap = facts.settings, facts.schedule.overlap
    published = target.published_time or target.creation_time
    latest = max(r.since for r in (*facts.retiring, entry))
    return max(
        entry.since + overlap + policy.settle,
        latest + policy.removal_floor,
        target.creation_time + overlap,
        published + policy.removal_floor,
        published + policy.settle,
    )
