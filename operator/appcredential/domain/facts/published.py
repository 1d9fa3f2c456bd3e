"""Whether the published credential still exists, and which keys must be listed."""

from __future__ import annotations

from appcredential.domain.facts.facts import Facts
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


def is_unlisted(facts: Facts) -> bool:
    """Return whether several reads, well after the publish, lack the published key.

    Its value may sign in all the same: a supplied certificate may have other entries.
    """
    published = facts.published
    if published is None or not seems_gone(facts):
        return False
    return facts.memory.absences.get(published.key_id, 0) >= ABSENT_READS


def is_gone(facts: Facts) -> bool:
    """Return whether failing sign-ins, or several reads, confirm that the published key is gone."""
    proof = facts.memory.published_proof
    if not seems_gone(facts) or facts.published is None:
        return False
    if not facts.can_published_sign_in:
        return is_unlisted(facts)
    if proof is None:
        return False
    return (
        proof.attempt == facts.published.attempt
        and proof.refusals >= GONE_FAILURES
        and proof.refused_for >= facts.settings.gone_window
    )


def gone_keys(facts: Facts) -> frozenset[KeyId]:
    """Return the published key if it is confirmed to be gone: no list can show it any more."""
    is_lost = is_gone(facts) or is_unlisted(facts)
    return frozenset({facts.published.key_id} if facts.published is not None and is_lost else ())


def known_keys(facts: Facts) -> frozenset[KeyId]:
    """Return the keys that the Secrets record: a list without one of them is stale."""
    if facts.target is not None and facts.target.value is None:
        # Nobody signs in with a lost value, and a damaged Secret cannot record what is gone.
        return frozenset()
    known = {r.key_id for r in facts.retiring if r.removed is None}
    if facts.published is not None:
        known |= {facts.published.key_id} - gone_keys(facts)
    if facts.successor is not None and facts.successor.credential is not None:
        known.add(facts.successor.credential.key_id)
    return frozenset(known)
