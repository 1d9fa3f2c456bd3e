"""What the rules ask about a resource: is a successor needed, when may it be minted or retired."""

from __future__ import annotations

from datetime import datetime, timedelta

from appcredential.domain.facts import Facts
from appcredential.domain.observed import Pending, RetireCause, Retiring
from appcredential.domain.rotation import backoff
from appcredential.domain.spec import KeyId, RetireWhen

MAX_UNPUBLISHED = 3
MAX_UNPUBLISHED_NOTHING_VALID = 5
GONE_FAILURES = 3


def is_published(f: Facts, key: KeyId) -> bool:
    """Tell whether T holds this credential."""
    return f.published is not None and f.published.key_id == key


def needs_successor(f: Facts) -> bool:
    """Tell whether something new has to be issued."""
    t = f.o.target
    if t is None or t.value is None or f.published is None or f.plan is None:
        return True
    if f.published.expires <= f.entra_now or is_gone(f):
        return True
    before = rotate_before(f)
    if before is not None and f.published.not_before < before:
        return True
    return f.entra_now >= f.plan.renewal_time


def rotate_before(f: Facts) -> datetime | None:
    """Return `rotateIssuedBefore` when it is past and the spacing since the last publish over."""
    before, t = f.spec.rotation.rotate_issued_before, f.o.target
    if before is None or before > f.entra_now:
        return None
    published = t.published_time if t is not None else None
    spaced = published is None or f.o.now - published >= f.o.policy.issued_before_spacing
    return before if spaced else None


def seems_gone(f: Facts) -> bool:
    """Tell whether a read made well after the publish lacks the published key."""
    p, t = f.published, f.o.target
    return (
        p is not None
        and t is not None
        and t.value is not None
        and not f.is_listed(p.key_id)
        and f.application.read_time - (t.published_time or t.creation_time) > f.o.policy.settle
    )


def is_gone(f: Facts) -> bool:
    """Tell whether failing sign-ins confirm that the published key is gone."""
    proof = f.o.memory.published_proof
    if not seems_gone(f) or proof is None or f.published is None:
        return False
    return (
        proof.attempt == f.published.attempt
        and proof.refusals >= GONE_FAILURES
        and proof.refused_for >= f.o.policy.gone_window
    )


def unproven_publish_time(f: Facts, p: Pending) -> datetime:
    """Return when an unproven successor may be published (verification Disabled)."""
    return p.intent_time + (f.o.policy.settle if f.has_valid_published else timedelta(0))


def mint_time(f: Facts) -> datetime:
    """Return when the next mint may start: backoff, also after losing both Secrets."""
    policy, p = f.o.policy, f.pending
    cap = policy.mint_backoff_cap if f.has_valid_published else policy.mint_backoff_cap_unpublished
    replaced = {r.key_id for r in f.retiring if r.cause is RetireCause.REPLACED}
    fruitless = [c for k, c in f.exact.items() if not is_published(f, k) and k not in replaced]
    times = [
        c.start + backoff(len(fruitless), policy.mint_backoff, cap, c.key_id) for c in fruitless
    ]
    if p is not None:
        times.append(p.intent_time + backoff(p.attempt_number, policy.mint_backoff, cap, p.attempt))
    if f.o.memory.retry_time is not None:
        times.append(f.o.memory.retry_time)
    return max(times, default=f.o.now)


def _unpublished(f: Facts) -> int:
    return sum(not is_published(f, key) for key in f.exact)


def is_at_limit(f: Facts) -> bool:
    """Tell whether one more mint would leave too many unpublished ones of ours."""
    limit = MAX_UNPUBLISHED if f.has_valid_published else MAX_UNPUBLISHED_NOTHING_VALID
    return _unpublished(f) + 1 > limit


def retire_time(f: Facts, r: Retiring) -> datetime:
    """Return when an entry's overlap is over; its end when it is never removed early."""
    t = f.o.target
    if f.spec.rotation.retire_when is RetireWhen.EXPIRED or t is None or f.plan is None:
        return r.end + f.o.policy.expired_grace
    policy, overlap = f.o.policy, f.plan.overlap
    published = t.published_time or t.creation_time
    return max(
        r.since + overlap,
        t.creation_time + overlap,
        published + policy.removal_floor,
        published + policy.settle,
    )
