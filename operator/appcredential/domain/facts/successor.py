"""Whether a successor is needed, and when it may be issued and published."""

from __future__ import annotations

from datetime import datetime, timedelta

from appcredential.domain.facts.adoption import needs_own_credential
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import is_gone, is_published, lacked_for
from appcredential.domain.facts.source import source_offers
from appcredential.domain.observed.entra import CERTIFICATE_LAG, Credential
from appcredential.domain.observed.target import Pending, RetireCause
from appcredential.domain.rotation import backoff
from appcredential.domain.spec.model import KeyId

MAX_UNPUBLISHED = 3
MAX_UNPUBLISHED_NOTHING_VALID = 5
SLOW_MINTS_PER_LIFETIME = 20


def needs_successor(facts: Facts) -> bool:
    """Return whether a new credential has to be issued."""
    if _is_needed(facts):
        return True
    before = issued_before(facts)
    return (
        before is not None and facts.published is not None and facts.published.not_before < before
    )


def _is_needed(facts: Facts) -> bool:
    """Return whether a successor is needed without regard to an `…IssuedBefore`."""
    if facts.spec.is_supplied:
        return source_offers(facts)
    target = facts.target
    if target is None or target.value is None or facts.published is None or facts.schedule is None:
        return True
    if facts.published.expires <= facts.entra_now or is_gone(facts) or needs_own_credential(facts):
        return True
    if not facts.can_published_sign_in:
        return True  # others supplied it before, and only they hold its private key
    return facts.entra_now >= facts.schedule.renewal_time


def issued_before(facts: Facts) -> datetime | None:
    """Return the later `…IssuedBefore` that is past; None within the spacing after a publish."""
    times = (facts.spec.rotation.rotate_issued_before, facts.spec.rotation.revoke_issued_before)
    past = [time for time in times if time is not None and time <= facts.entra_now]
    published = facts.target.published_time if facts.target is not None else None
    spaced = published is None or facts.now - published >= facts.settings.issued_before_spacing
    return max(past) if past and spaced else None


def is_revoked(facts: Facts, issued: datetime) -> bool:
    """Return whether a past `revokeIssuedBefore` is later than this time of issue."""
    before = facts.spec.rotation.revoke_issued_before
    return before is not None and issued < before <= facts.entra_now


def is_revoking(facts: Facts) -> bool:
    """Return whether a credential that `revokeIssuedBefore` revokes is published or listed."""
    held = [facts.published.not_before] if facts.published is not None else []
    listed = [c.start for key, c in facts.ours.items() if not is_published(facts, key)]
    return any(is_revoked(facts, issued) for issued in (*held, *listed))


def unproven_publish_time(facts: Facts, pending: Pending) -> datetime:
    """Return when a successor may be published without a proof (verification Disabled)."""
    return pending.intent_time + (facts.settings.settle if facts.is_in_use else timedelta(0))


def needs_reads(facts: Facts, pending: Pending) -> bool:
    """Return whether only reads can show that an unproven successor exists.

    A concurrent update of the list may have dropped a certificate. Anything that has waited,
    such as for a window, may have been removed since it was issued.
    """
    has_waited = facts.now >= unproven_publish_time(facts, pending) + facts.settings.settle
    return has_waited or facts.spec.type.is_certificate or seems_vanished(facts, pending)


def seems_vanished(facts: Facts, pending: Pending) -> bool:
    """Return whether a read that was made well after the issue lacks the successor."""
    minted, read = pending.credential, facts.application.read_time
    return (
        minted is not None
        and not facts.is_listed(minted.key_id)
        and read - pending.intent_time > facts.settings.settle
    )


def is_vanished(facts: Facts, pending: Pending) -> bool:
    """Return whether several reads confirm that the successor is gone."""
    if pending.credential is None or not seems_vanished(facts, pending):
        return False
    is_certificate, window = facts.spec.type.is_certificate, facts.settings.gone_window
    lag = max(window, CERTIFICATE_LAG) if is_certificate else window
    return lacked_for(facts, pending.credential.key_id) >= lag


def mint_time(facts: Facts) -> datetime:
    """Return when the next credential may be issued. The backoff survives both Secrets' loss.

    Soon after the last one a read may not list that one yet, which would hide it from the backoff.
    """
    policy, pending = facts.settings, facts.pending
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
    if pending is not None:
        times.append(
            pending.intent_time
            + backoff(pending.attempt_number, policy.mint_backoff, cap, pending.attempt)
        )
    if facts.memory.retry_time is not None:
        times.append(facts.memory.retry_time)
    if facts.memory.issued is not None:
        times.append(facts.memory.issued + facts.settings.settle)
    if is_at_limit(facts):
        times.append(_time_beyond_limit(facts))
    return max(times, default=facts.now)


def _replaced(facts: Facts) -> set[KeyId]:
    return {r.key_id for r in facts.retiring if r.cause is RetireCause.REPLACED}


def _counted(facts: Facts) -> list[Credential]:
    """Return our listed credentials that count for the limit: valid and not published.

    Replaced credentials have served. They count only when a person asks for the rotation,
    because a person could ask without end. A renewal that is due never waits for them, and
    neither does a revocation, which removes them.
    """
    served = _replaced(facts) if _is_needed(facts) or is_revoking(facts) else set()
    return [
        c
        for key, c in facts.ours.items()
        if not is_published(facts, key) and key not in served and c.end > facts.entra_now
    ]


def is_at_limit(facts: Facts) -> bool:
    """Return whether one more credential would leave too many unpublished ones of ours."""
    limit = MAX_UNPUBLISHED if facts.has_valid_published else MAX_UNPUBLISHED_NOTHING_VALID
    return len(_counted(facts)) + 1 > limit


def _time_beyond_limit(facts: Facts) -> datetime:
    """Return when a credential may be issued beyond the limit; see docs/decisions/0006.

    Without such a time, earlier failures would prevent a renewal for ever. So once half of the
    renewal window is over, or nothing valid is published, issuing goes on, a twentieth of the
    lifetime apart: counted credentials then expire as fast as new ones come.
    """
    slowly = max(facts.settings.mint_backoff, facts.lifetime / SLOW_MINTS_PER_LIFETIME)
    newest = max((c.start for c in _counted(facts)), default=facts.now)
    if facts.schedule is None or not facts.has_valid_published:
        return newest + slowly
    half = facts.schedule.renewal_time + (facts.schedule.end - facts.schedule.renewal_time) / 2
    return max(newest + slowly, half)
