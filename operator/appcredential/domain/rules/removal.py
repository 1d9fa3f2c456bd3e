"""Rules that remove a credential from the application, and their preconditions."""

from __future__ import annotations

from dataclasses import replace

from appcredential.domain.actions import Action, ReadPods, Remove, SignInPublished
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import is_published
from appcredential.domain.facts.restart import is_restart_open
from appcredential.domain.facts.retirement import awaits_rollout, real_end, retire_time
from appcredential.domain.facts.rolled_out import (
    is_rolled_out,
    next_pod_look,
    secrets_in_use,
    seen_pods,
)
from appcredential.domain.facts.successor import is_revoked
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.memory import READ_SPACING, REQUIRED_READS
from appcredential.domain.observed.target import IssuedCredential, RetireCause, Retiring
from appcredential.domain.rules.reading import first_due, next_spaced_read, read_again
from appcredential.domain.rules.survivor import may_sign_in, signs_in
from appcredential.domain.spec.model import KeyId


def older_credential_is_revoked(facts: Facts) -> Action | None:
    """12: the published credential satisfies revokeIssuedBefore: remove older ones at once.

    It must sign in now; without such a survivor nothing goes. The pending Secret's own attempt
    is no concern of this rule.
    """
    if not facts.has_valid_published or is_revoked(facts, _published(facts).not_before):
        return None
    leaked = (
        r
        for r in facts.retiring
        if r.key_id in facts.ours and is_revoked(facts, facts.ours[r.key_id].start)
    )
    action = first_due(_proven_removal(facts, r) for r in leaked)
    return replace(action, is_revocation=True) if isinstance(action, Remove) else action


def abandoned_attempt_is_listed(facts: Facts) -> Action | None:
    """13: remove the credential of an attempt that was certainly never published."""
    found = (c.key_id for c in facts.ours.values() if facts.is_abandoned(c))
    return first_due(_removal(facts, key, None) for key in found)


def credential_has_expired(facts: Facts) -> Action | None:
    """21: remove a credential that has expired by Entra's clock, also if no record names it."""
    grace = facts.settings.expired_grace
    past = {
        r.key_id: r.cause for r in facts.retiring if facts.entra_now >= real_end(facts, r) + grace
    }
    lost = (k for k, c in facts.ours.items() if facts.entra_now >= c.end + grace)
    causes = {**dict.fromkeys(lost, RetireCause.STRANDED), **past}
    return first_due(_removal(facts, key, cause) for key, cause in causes.items())


def retirement_is_due(facts: Facts) -> Action | None:
    """22: the overlap is over, and the published credential signs in now and lives longer.

    With retireWhen RolledOut, no pod from before the publish uses the Secret either. Workloads that
    are still to be restarted may hold it.
    """
    if is_restart_open(facts):
        return None
    due = [
        r
        for r in facts.retiring
        if facts.entra_now >= retire_time(facts, r) and _may_retire(facts, r)
    ]
    if awaits_rollout(facts):
        return _removal_after_rollout(facts, due)
    return first_due(_proven_removal(facts, r) for r in due)


def _removal_after_rollout(facts: Facts, due: list[Retiring]) -> Action | None:
    """Look at the pods, seldom while some stay, and once more right before a removal.

    Nothing is due while an answer is to come: it has the resource looked at again.
    """
    due = [r for r in due if r.key_id in facts.ours]
    if not due or facts.is_paused or facts.observation.awaits_pods:
        return None
    look, seen = ReadPods(secrets_in_use(facts)), seen_pods(facts)
    again = next_pod_look(facts, due)
    if seen is None or (again is not None and facts.now >= again):
        return look
    gone = (r for r in due if is_rolled_out(facts, r))
    action = first_due(_proven_removal(facts, r) for r in gone)
    is_old = facts.now - seen.time > facts.settings.freshness
    return look if is_old and isinstance(action, Remove) else action


def _may_retire(facts: Facts, entry: Retiring) -> bool:
    """Return whether the published credential may survive alone, and an early removal is useful."""
    if facts.published is None or facts.schedule is None or not facts.has_valid_published:
        return False
    keep, end = (
        max(facts.settings.min_remaining, facts.schedule.overlap / 10),
        real_end(facts, entry),
    )
    return (
        end - facts.entra_now >= keep
        and facts.published.not_before <= facts.entra_now
        and facts.published.expires >= end + facts.schedule.overlap
    )


def _proven_removal(facts: Facts, entry: Retiring) -> Action | None:
    """Remove by a fresh read, after a sign-in with the published value."""
    if not facts.can_published_sign_in:
        return _remove_after_reads(facts, entry)
    is_proven = signs_in(facts, facts.settings.freshness)
    if not is_proven and not may_sign_in(facts):
        return None
    removal = _removal(facts, entry.key_id, entry.cause)
    if not isinstance(removal, Remove):
        return removal
    if not _is_published_listed(facts):
        return None
    return removal if is_proven else SignInPublished()


def _is_published_listed(facts: Facts) -> bool:
    """Return whether Entra lists the published credential with our exact marker."""
    published = _published(facts)
    listed = facts.ours.get(published.key_id)
    return listed is not None and facts.attempt_of(listed) == published.attempt


def _remove_after_reads(facts: Facts, entry: Retiring) -> Action | None:
    """Remove once three reads in a row list the published certificate, which cannot sign in."""
    if len(facts.memory.consecutive_reads.get(_published(facts).key_id, ())) >= REQUIRED_READS:
        removal = _removal(facts, entry.key_id, entry.cause)
        is_safe = not isinstance(removal, Remove) or _is_published_listed(facts)
        return removal if is_safe else None
    return read_again(facts, READ_SPACING / 2) if facts.now >= next_spaced_read(facts) else None


def _published(facts: Facts) -> IssuedCredential:
    assert facts.published is not None  # noqa: S101 - callers checked
    return facts.published


def _removal(facts: Facts, key: KeyId, cause: RetireCause | None) -> Action | None:
    """Remove a listed credential with our exact marker, by a fresh read, and not twice in a row.

    The published and the pending credential never go, no matter what the records say.
    """
    credential = facts.ours.get(key)
    if credential is None or is_published(facts, key) or facts.is_pending(credential):
        return None
    return remove_listed(facts, credential, cause)


def remove_listed(facts: Facts, credential: Credential, cause: RetireCause | None) -> Action | None:
    """Return the removal of a listed credential of ours, by a fresh read, not twice in a row.

    The caller has made sure that nobody needs it.
    """
    key = credential.key_id
    removed = facts.memory.removals.get(key)
    if facts.is_paused or (removed is not None and facts.now - removed < facts.settings.settle):
        return None
    if not facts.is_fresh:
        return read_again(facts, facts.settings.freshness)
    if removed is not None and facts.application.read_time < removed:
        return read_again(facts, facts.now - removed)  # the last read is older than the removal
    return Remove(key, facts.attempt_of(credential), cause)
