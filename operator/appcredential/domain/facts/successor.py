"""What the rules ask about a resource: is a successor needed, when may it be minted or retired."""

from __future__ import annotations

from datetime import datetime, timedelta

from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.observation import (
    Brought,
    Credential,
    Pending,
    RetireCause,
    Retiring,
)
from appcredential.domain.rotation import backoff
from appcredential.domain.secret.content import can_sign_in, leaf_of, needs_private_key
from appcredential.domain.spec.model import KeyId, RetireWhen

MAX_UNPUBLISHED = 3
MAX_UNPUBLISHED_NOTHING_VALID = 5
SLOW_MINTS_PER_LIFETIME = 20
GONE_FAILURES = 3
ABSENT_READS = 3
_SECOND = timedelta(seconds=1)


def is_published(f: Facts, key: KeyId) -> bool:
    """Tell whether T holds this credential."""
    return f.published is not None and f.published.key_id == key


def needs_successor(f: Facts) -> bool:
    """Tell whether something new has to be issued."""
    if _is_needed(f):
        return True
    before = issued_before(f)
    return before is not None and f.published is not None and f.published.not_before < before


def _is_needed(f: Facts) -> bool:
    """Tell whether it is, whatever an `…IssuedBefore` asks for."""
    if f.spec.is_brought:
        return _source_offers(f)
    t = f.o.target
    if t is None or t.value is None or f.published is None or f.plan is None:
        return True
    if f.published.expires <= f.entra_now or is_gone(f) or f.is_from_another_cluster:
        return True
    if not f.can_published_sign_in:
        return True  # brought by others before, who still hold its private key
    return f.entra_now >= f.plan.renewal_time


def _source_offers(f: Facts) -> bool:
    """Tell whether what lies at the source is to be registered, for the first time or again.

    What an administrator removed is not registered again: it may have leaked.
    """
    brought, t = usable_source(f), f.o.target
    if brought is None:
        return False
    if t is None or t.value is None or f.published is None or f.plan is None:
        return True
    if f.is_from_another_cluster or is_new_at_source(f, brought):
        return True
    is_due = f.entra_now >= f.plan.renewal_time and not is_gone(f)
    return is_due and source_end(f, brought) > f.plan.end


def is_new_at_source(f: Facts, brought: Brought) -> bool:
    """Tell whether the source holds another certificate than T, or its private key at last."""
    t = f.o.target
    if t is None or t.value is None or leaf_of(t.value) != leaf_of(brought.value):
        return True
    return can_sign_in(brought.value) and not can_sign_in(t.value)


def source_end(f: Facts, brought: Brought) -> datetime:
    """Return until when a brought certificate would be registered now.

    A second before its own end, as azure-cli does it: Graph refuses what is not within.
    """
    wanted = min(brought.end - _SECOND, f.entra_now + f.lifetime)
    return wanted.replace(microsecond=0)


def usable_source(f: Facts) -> Brought | None:
    """Return what lies at the source when it can be registered now."""
    brought = f.o.material.brought
    if brought is None or f.o.material.problem is not None or lacks_private_key(f, brought):
        return None
    if not brought.start <= f.entra_now:
        return None
    life = source_end(f, brought) - f.entra_now
    return brought if life >= f.o.policy.min_lifetime else None


def lacks_private_key(f: Facts, brought: Brought) -> bool:
    """Tell whether a certificate's private key is elsewhere, and the Secret cannot do without."""
    return not can_sign_in(brought.value) and must_sign_in(f)


def must_sign_in(f: Facts) -> bool:
    """Tell whether the Secret is to hold what it takes to sign in.

    What users ask for may need it, and workloads that sign in with what the Secret holds now
    must never find it gone.
    """
    if not f.spec.is_brought or needs_private_key(f.spec) or f.taken is not None:
        return True
    t = f.o.target
    return t is not None and t.value is not None and can_sign_in(t.value)


def issued_before(f: Facts) -> datetime | None:
    """Return the later past `…IssuedBefore`, when the spacing since the last publish is over."""
    times = (f.spec.rotation.rotate_issued_before, f.spec.rotation.revoke_issued_before)
    past = [time for time in times if time is not None and time <= f.entra_now]
    published = f.o.target.published_time if f.o.target is not None else None
    spaced = published is None or f.o.now - published >= f.o.policy.issued_before_spacing
    return max(past) if past and spaced else None


def is_revoked(f: Facts, issued: datetime) -> bool:
    """Tell whether `revokeIssuedBefore`, which must be past, is later than this time of issue."""
    before = f.spec.rotation.revoke_issued_before
    return before is not None and issued < before <= f.entra_now


def is_revoking(f: Facts) -> bool:
    """Tell whether something that `revokeIssuedBefore` concerns is still published or listed."""
    held = [f.published.not_before] if f.published is not None else []
    listed = [c.start for key, c in f.exact.items() if not is_published(f, key)]
    return any(is_revoked(f, issued) for issued in (*held, *listed))


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
    """Tell whether failing sign-ins, or several reads, confirm that the published key is gone."""
    proof = f.o.memory.published_proof
    if not seems_gone(f) or f.published is None:
        return False
    if not f.can_published_sign_in:
        return f.o.memory.absences.get(f.published.key_id, 0) >= ABSENT_READS
    if proof is None:
        return False
    return (
        proof.attempt == f.published.attempt
        and proof.refusals >= GONE_FAILURES
        and proof.refused_for >= f.o.policy.gone_window
    )


def gone_keys(f: Facts) -> frozenset[KeyId]:
    """Return the published key when it is confirmed to be gone: no list has to wait for it."""
    return frozenset({f.published.key_id} if f.published is not None and is_gone(f) else ())


def known_keys(f: Facts) -> frozenset[KeyId]:
    """Return the keys that are recorded to exist: a list without one of them is stale."""
    if f.o.target is not None and f.o.target.value is None:
        # Nobody signs in with what T lost, and nothing can note there what is gone.
        return frozenset()
    known = {r.key_id for r in f.retiring if r.removed is None}
    if f.published is not None and not is_gone(f):
        known.add(f.published.key_id)
    if f.minted is not None and f.minted.minted is not None:
        known.add(f.minted.minted.key_id)
    return frozenset(known)


def unproven_publish_time(f: Facts, p: Pending) -> datetime:
    """Return when an unproven successor may be published (verification Disabled)."""
    return p.intent_time + (f.o.policy.settle if f.is_in_use else timedelta(0))


def mint_time(f: Facts) -> datetime:
    """Return when the next mint may start: backoff, also after losing both Secrets."""
    policy, p = f.o.policy, f.pending
    cap = policy.mint_backoff_cap if f.has_valid_published else policy.mint_backoff_cap_unpublished
    fruitless = [c for k, c in f.exact.items() if not is_published(f, k) and k not in _replaced(f)]
    times = [
        c.start + backoff(len(fruitless), policy.mint_backoff, cap, c.key_id) for c in fruitless
    ]
    if p is not None:
        times.append(p.intent_time + backoff(p.attempt_number, policy.mint_backoff, cap, p.attempt))
    if f.o.memory.retry_time is not None:
        times.append(f.o.memory.retry_time)
    if is_at_limit(f):
        times.append(_time_beyond_limit(f))
    return max(times, default=f.o.now)


def _replaced(f: Facts) -> set[KeyId]:
    return {r.key_id for r in f.retiring if r.cause is RetireCause.REPLACED}


def _counted(f: Facts) -> list[Credential]:
    """Return the listed credentials of ours that the limit counts: valid and not published.

    Replaced ones did serve; they count only when a person asked for the rotation,
    who could ask without end. A renewal that is due never waits for them, nor does
    a revocation, after which they are gone.
    """
    served = _replaced(f) if _is_needed(f) or is_revoking(f) else set()
    return [
        c
        for key, c in f.exact.items()
        if not is_published(f, key) and key not in served and c.end > f.entra_now
    ]


def is_at_limit(f: Facts) -> bool:
    """Tell whether one more mint would leave too many unpublished ones of ours."""
    limit = MAX_UNPUBLISHED if f.has_valid_published else MAX_UNPUBLISHED_NOTHING_VALID
    return len(_counted(f)) + 1 > limit


def _time_beyond_limit(f: Facts) -> datetime:
    """Return when a mint may go beyond the limit; see docs/decisions/0006.

    Never would mean that a renewal is missed for what once failed. So when half of
    the renewal's time is gone, or nothing is valid, minting goes on, by a
    twentieth of the lifetime apart: what is counted expires as fast as it grows.
    """
    slowly = max(f.o.policy.mint_backoff, f.lifetime / SLOW_MINTS_PER_LIFETIME)
    newest = max((c.start for c in _counted(f)), default=f.o.now)
    if f.plan is None or not f.has_valid_published:
        return newest + slowly
    half = f.plan.renewal_time + (f.plan.end - f.plan.renewal_time) / 2
    return max(newest + slowly, half)


def real_end(f: Facts, r: Retiring) -> datetime:
    """Return when it expires as Entra says; what T records of it can be anything."""
    credential = f.exact.get(r.key_id)
    return credential.end if credential is not None else r.end


def retire_time(f: Facts, r: Retiring) -> datetime:
    """Return when an entry's overlap is over; its end when it is never removed early."""
    t = f.o.target
    if f.spec.rotation.retire_when is RetireWhen.EXPIRED or t is None or f.plan is None:
        return real_end(f, r) + f.o.policy.expired_grace
    policy, overlap = f.o.policy, f.plan.overlap
    published = t.published_time or t.creation_time
    return max(
        r.since + overlap,
        t.creation_time + overlap,
        published + policy.removal_floor,
        published + policy.settle,
    )
