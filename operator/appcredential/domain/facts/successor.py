"""What the rules ask about a resource: is a successor needed, when may it be minted or retired."""

from __future__ import annotations

from datetime import datetime, timedelta

from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.observation import (
    Credential,
    Pending,
    RetireCause,
    Retiring,
    SuppliedCertificate,
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


def is_published(facts: Facts, key: KeyId) -> bool:
    """Tell whether T holds this credential."""
    return facts.published is not None and facts.published.key_id == key


def needs_successor(facts: Facts) -> bool:
    """Tell whether something new has to be issued."""
    if _is_needed(facts):
        return True
    before = issued_before(facts)
    return (
        before is not None and facts.published is not None and facts.published.not_before < before
    )


def _is_needed(facts: Facts) -> bool:
    """Tell whether it is, whatever an `…IssuedBefore` asks for."""
    if facts.spec.is_supplied:
        return _source_offers(facts)
    t = facts.target
    if t is None or t.value is None or facts.published is None or facts.schedule is None:
        return True
    if (
        facts.published.expires <= facts.entra_now
        or is_gone(facts)
        or facts.is_from_another_cluster
    ):
        return True
    if not facts.can_published_sign_in:
        return True  # brought by others before, who still hold its private key
    return facts.entra_now >= facts.schedule.renewal_time


def _source_offers(facts: Facts) -> bool:
    """Tell whether what lies at the source is to be registered, for the first time or again.

    What an administrator removed is not registered again: it may have leaked.
    """
    supplied, t = usable_source(facts), facts.target
    if supplied is None:
        return False
    if t is None or t.value is None or facts.published is None or facts.schedule is None:
        return True
    if facts.is_from_another_cluster or is_new_at_source(facts, supplied):
        return True
    is_due = facts.entra_now >= facts.schedule.renewal_time and not is_gone(facts)
    return is_due and source_end(facts, supplied) > facts.schedule.end


def is_new_at_source(facts: Facts, supplied: SuppliedCertificate) -> bool:
    """Tell whether the source holds another certificate than T, or its private key at last."""
    t = facts.target
    if t is None or t.value is None or leaf_of(t.value) != leaf_of(supplied.value):
        return True
    return can_sign_in(supplied.value) and not can_sign_in(t.value)


def source_end(facts: Facts, supplied: SuppliedCertificate) -> datetime:
    """Return until when a brought certificate would be registered now.

    A second before its own end, as azure-cli does it: Graph refuses what is not within.
    """
    wanted = min(supplied.end - _SECOND, facts.entra_now + facts.lifetime)
    return wanted.replace(microsecond=0)


def usable_source(facts: Facts) -> SuppliedCertificate | None:
    """Return what lies at the source when it can be registered now."""
    supplied = facts.certificate_inputs.supplied
    if (
        supplied is None
        or facts.certificate_inputs.problem is not None
        or lacks_private_key(facts, supplied)
    ):
        return None
    if not supplied.start <= facts.entra_now:
        return None
    life = source_end(facts, supplied) - facts.entra_now
    return supplied if life >= facts.settings.min_lifetime else None


def lacks_private_key(facts: Facts, supplied: SuppliedCertificate) -> bool:
    """Tell whether a certificate's private key is elsewhere, and the Secret cannot do without."""
    return not can_sign_in(supplied.value) and must_sign_in(facts)


def must_sign_in(facts: Facts) -> bool:
    """Tell whether the Secret is to hold what it takes to sign in.

    What users ask for may need it, and workloads that sign in with what the Secret holds now
    must never find it gone.
    """
    if not facts.spec.is_supplied or needs_private_key(facts.spec) or facts.taken is not None:
        return True
    t = facts.target
    return t is not None and t.value is not None and can_sign_in(t.value)


def issued_before(facts: Facts) -> datetime | None:
    """Return the later past `…IssuedBefore`, when the spacing since the last publish is over."""
    times = (facts.spec.rotation.rotate_issued_before, facts.spec.rotation.revoke_issued_before)
    past = [time for time in times if time is not None and time <= facts.entra_now]
    published = facts.target.published_time if facts.target is not None else None
    spaced = published is None or facts.now - published >= facts.settings.issued_before_spacing
    return max(past) if past and spaced else None


def is_revoked(facts: Facts, issued: datetime) -> bool:
    """Tell whether `revokeIssuedBefore`, which must be past, is later than this time of issue."""
    before = facts.spec.rotation.revoke_issued_before
    return before is not None and issued < before <= facts.entra_now


def is_revoking(facts: Facts) -> bool:
    """Tell whether something that `revokeIssuedBefore` concerns is still published or listed."""
    held = [facts.published.not_before] if facts.published is not None else []
    listed = [c.start for key, c in facts.ours.items() if not is_published(facts, key)]
    return any(is_revoked(facts, issued) for issued in (*held, *listed))


def seems_gone(facts: Facts) -> bool:
    """Tell whether a read made well after the publish lacks the published key."""
    p, t = facts.published, facts.target
    return (
        p is not None
        and t is not None
        and t.value is not None
        and not facts.is_listed(p.key_id)
        and facts.application.read_time - (t.published_time or t.creation_time)
        > facts.settings.settle
    )


def is_gone(facts: Facts) -> bool:
    """Tell whether failing sign-ins, or several reads, confirm that the published key is gone."""
    proof = facts.memory.published_proof
    if not seems_gone(facts) or facts.published is None:
        return False
    if not facts.can_published_sign_in:
        return facts.memory.absences.get(facts.published.key_id, 0) >= ABSENT_READS
    if proof is None:
        return False
    return (
        proof.attempt == facts.published.attempt
        and proof.refusals >= GONE_FAILURES
        and proof.refused_for >= facts.settings.gone_window
    )


def gone_keys(facts: Facts) -> frozenset[KeyId]:
    """Return the published key when it is confirmed to be gone: no list has to wait for it."""
    return frozenset(
        {facts.published.key_id} if facts.published is not None and is_gone(facts) else ()
    )


def known_keys(facts: Facts) -> frozenset[KeyId]:
    """Return the keys that are recorded to exist: a list without one of them is stale."""
    if facts.target is not None and facts.target.value is None:
        # Nobody signs in with what T lost, and nothing can note there what is gone.
        return frozenset()
    known = {r.key_id for r in facts.retiring if r.removed is None}
    if facts.published is not None and not is_gone(facts):
        known.add(facts.published.key_id)
    if facts.successor is not None and facts.successor.credential is not None:
        known.add(facts.successor.credential.key_id)
    return frozenset(known)


def unproven_publish_time(facts: Facts, p: Pending) -> datetime:
    """Return when an unproven successor may be published (verification Disabled)."""
    return p.intent_time + (facts.settings.settle if facts.is_in_use else timedelta(0))


def mint_time(facts: Facts) -> datetime:
    """Return when the next mint may start: backoff, also after losing both Secrets."""
    policy, p = facts.settings, facts.pending
    cap = (
        policy.mint_backoff_cap
        if facts.has_valid_published
        else policy.mint_backoff_cap_unpublished
    )
    fruitless = [
        c for k, c in facts.ours.items() if not is_published(facts, k) and k not in _replaced(facts)
    ]
    times = [
        c.start + backoff(len(fruitless), policy.mint_backoff, cap, c.key_id) for c in fruitless
    ]
    if p is not None:
        times.append(p.intent_time + backoff(p.attempt_number, policy.mint_backoff, cap, p.attempt))
    if facts.memory.retry_time is not None:
        times.append(facts.memory.retry_time)
    if is_at_limit(facts):
        times.append(_time_beyond_limit(facts))
    return max(times, default=facts.now)


def _replaced(facts: Facts) -> set[KeyId]:
    return {r.key_id for r in facts.retiring if r.cause is RetireCause.REPLACED}


def _counted(facts: Facts) -> list[Credential]:
    """Return the listed credentials of ours that the limit counts: valid and not published.

    Replaced ones did serve; they count only when a person asked for the rotation,
    who could ask without end. A renewal that is due never waits for them, nor does
    a revocation, after which they are gone.
    """
    served = _replaced(facts) if _is_needed(facts) or is_revoking(facts) else set()
    return [
        c
        for key, c in facts.ours.items()
        if not is_published(facts, key) and key not in served and c.end > facts.entra_now
    ]


def is_at_limit(facts: Facts) -> bool:
    """Tell whether one more mint would leave too many unpublished ones of ours."""
    limit = MAX_UNPUBLISHED if facts.has_valid_published else MAX_UNPUBLISHED_NOTHING_VALID
    return len(_counted(facts)) + 1 > limit


def _time_beyond_limit(facts: Facts) -> datetime:
    """Return when a mint may go beyond the limit; see docs/decisions/0006.

    Never would mean that a renewal is missed for what once failed. So when half of
    the renewal's time is gone, or nothing is valid, minting goes on, by a
    twentieth of the lifetime apart: what is counted expires as fast as it grows.
    """
    slowly = max(facts.settings.mint_backoff, facts.lifetime / SLOW_MINTS_PER_LIFETIME)
    newest = max((c.start for c in _counted(facts)), default=facts.now)
    if facts.schedule is None or not facts.has_valid_published:
        return newest + slowly
    half = facts.schedule.renewal_time + (facts.schedule.end - facts.schedule.renewal_time) / 2
    return max(newest + slowly, half)


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
