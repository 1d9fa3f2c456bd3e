"""Whether the published credential still exists, and which keys must be listed."""

from __future__ import annotations

from datetime import datetime, timedelta

from appcredential.domain import proof as signin
from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.entra import CERTIFICATE_LAG
from appcredential.domain.spec.model import KeyId

GONE_FAILURES = 3
ABSENT_READS = 3
"""Direct reads in a row without a key that count as proof that it is gone."""


def is_published(facts: Facts, key: KeyId) -> bool:
    """Return whether the target Secret holds this credential."""
    return facts.published is not None and facts.published.key_id == key


def seems_gone(facts: Facts) -> bool:
    """Return whether a read that was made well after the publish lacks the published key."""
    published, target = facts.published, facts.target
    return (
        published is not None
        and target is not None
        and target.value is not None
        and not facts.is_listed(published.key_id)
        and facts.application.read_time - (target.published_time or target.creation_time)
        > facts.settings.settle
    )


def confirming_time(facts: Facts) -> datetime:
    """Return when a sign-in may show whether the published key is gone, which reads lack.

    A success from before the first of these reads says nothing of what is so now.
    """
    proof, published = facts.memory.published_proof, facts.published
    assert published is not None  # noqa: S101 - callers checked
    lacking = facts.memory.absent_since.get(published.key_id)
    was_proven = proof is not None and not proof.tries_failed
    if proof is not None and was_proven and lacking is not None and proof.last_try < lacking:
        return facts.now
    return signin.next_try(proof, published.attempt, facts.now, signin.SLOW_RETRY)


def is_missing(facts: Facts) -> bool:
    """Return whether reads lack the published key, and a sign-in or a second read bears it out.

    That is enough to say so, and not yet to do anything: see `is_gone`.
    """
    published, memory = facts.published, facts.memory
    if published is None or not seems_gone(facts):
        return False
    if not facts.can_published_sign_in:
        return memory.absences.get(published.key_id, 0) > 1
    proof = memory.published_proof
    return proof is not None and proof.attempt == published.attempt and proof.refusals > 0


def is_gone(facts: Facts) -> bool:
    """Return whether failing sign-ins, or several reads, confirm that the published key is gone.

    Only what was refused since reads lack the key counts: see `Memory.saw_application`.
    """
    published, proof = facts.published, facts.memory.published_proof
    if published is None or not seems_gone(facts):
        return False
    if not facts.can_published_sign_in:
        return lacked_for(facts, published.key_id) >= facts.settings.gone_window
    return (
        proof is not None
        and proof.attempt == published.attempt
        and proof.refusals >= GONE_FAILURES
        and proof.refused_for >= facts.settings.gone_window
    )


def is_lost(facts: Facts) -> bool:
    """Return whether the published key is gone, also if its value may sign in all the same.

    A supplied certificate may have other entries, which let it sign in. Where the operator
    made the certificate, a sign-in proves that the published entry exists.
    """
    return is_gone(facts) or _is_unlisted(facts)


def _is_unlisted(facts: Facts) -> bool:
    """Return whether no sign-in can tell of the key, and reads lacked it longer than any lag."""
    published = facts.published
    if published is None or not seems_gone(facts):
        return False
    may_have_others = facts.spec.is_supplied or not facts.can_published_sign_in
    return may_have_others and lacked_for(facts, published.key_id) > CERTIFICATE_LAG


def lacked_for(facts: Facts, key: KeyId) -> timedelta:
    """Return the time between the first and the last of several reads that lack a key.

    It is zero for fewer than three reads.
    """
    memory, read = facts.memory, facts.application.read_time
    if memory.absences.get(key, 0) < ABSENT_READS:
        return timedelta(0)
    return read - memory.absent_since.get(key, read)


def gone_keys(facts: Facts) -> frozenset[KeyId]:
    """Return the published key if refused sign-ins prove that no list can show it any more.

    Reads alone do not prove that: they may all come from a replica that lags.
    """
    is_refused = facts.can_published_sign_in and is_gone(facts)
    return frozenset({facts.published.key_id} if facts.published and is_refused else ())


def known_keys(facts: Facts) -> frozenset[KeyId]:
    """Return the keys that the Secrets record: a list without one of them is stale."""
    if facts.target is not None and facts.target.value is None:
        # Nobody signs in with a lost value, and a damaged Secret cannot record what is gone.
        return frozenset()
    known = {r.key_id for r in facts.retiring if r.removed is None}
    if facts.published is not None and not (gone_keys(facts) or _is_unlisted(facts)):
        known.add(facts.published.key_id)
    if facts.successor is not None and facts.successor.credential is not None:
        known.add(facts.successor.credential.key_id)
    return frozenset(known)
