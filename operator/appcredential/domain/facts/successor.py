"""What the rules ask about a resource: is a successor needed, when may it be minted or retired."""

from __future__ import annotations

from datetime import datetime, timedelta

from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import is_gone, is_published
from appcredential.domain.facts.source import source_offers
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.target import Pending, RetireCause
from appcredential.domain.rotation import backoff
from appcredential.domain.spec.model import KeyId

MAX_UNPUBLISHED = 3
MAX_UNPUBLISHED_NOTHING_VALID = 5
SLOW_MINTS_PER_LIFETIME = 20


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
        return source_offers(facts)
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
