"""When a retiring credential ends, and when it may go."""

from __future__ import annotations

from datetime import datetime

from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.target import Retiring
from appcredential.domain.promised import required
from appcredential.domain.spec.model import RetireWhen


def real_end(facts: Facts, entry: Retiring) -> datetime:
    """Return when a credential expires by Entra's record; a person may have edited ours."""
    credential = facts.ours.get(entry.key_id)
    return credential.end if credential is not None else entry.end


def awaits_rollout(facts: Facts) -> bool:
    """Return whether the spec lets the pods decide when a replaced credential goes."""
    return facts.spec.rotation.retire_when is RetireWhen.ROLLED_OUT


def pods_decide(facts: Facts, entry: Retiring) -> bool:
    """Return whether a look at pods can tell that nobody uses a replaced credential any more.

    With retireWhen RolledOut it can, if this target Secret held the credential under its present
    name, and nothing else did. A stranded one, and a record of an earlier release, prove nothing.
    """
    is_its_own = entry.secret == facts.spec.secret.name
    return awaits_rollout(facts) and is_its_own and facts.can_published_sign_in


def replaced_since(facts: Facts, entry: Retiring) -> datetime:
    """Return since when a credential is replaced.

    Whoever may write the target Secret can set the recorded time back. But nothing was replaced
    before the start of the one that came next, which Entra holds; nor, if that one is published,
    before it was.
    """
    replaced = facts.ours.get(entry.key_id)
    later = [c for c in facts.ours.values() if replaced is not None and c.start > replaced.start]
    if not later:
        return entry.since
    following = min(c.start for c in later)
    times, published = [entry.since, following], facts.published
    if published is not None and (published.key_id, following) in {
        (c.key_id, c.start) for c in later
    }:
        times.append(required(facts.target).published_time or following)
    return max(times)


def retire_time(facts: Facts, entry: Retiring) -> datetime:
    """Return when an entry's overlap is over, or when it has expired.

    The latter counts with retireWhen Expired, and with RolledOut where pods cannot decide.

    Both are by Entra's clock, on which all replicas agree, whatever their own clocks say. The
    settle time covers how long writing the target Secret may have taken.
    """
    target = facts.target
    is_early = facts.spec.rotation.retire_when is RetireWhen.OVERLAP_ELAPSED
    if not (is_early or pods_decide(facts, entry)) or target is None or facts.schedule is None:
        return real_end(facts, entry) + facts.settings.expired_grace
    policy, overlap = facts.settings, facts.schedule.overlap
    published = target.published_time or target.creation_time
    latest = max(replaced_since(facts, r) for r in (*facts.retiring, entry))
    return max(
        replaced_since(facts, entry) + overlap + policy.settle,
        latest + policy.removal_floor,
        target.creation_time + overlap,
        published + policy.removal_floor,
        published + policy.settle,
    )
