"""How far a revocation is that `revokeIssuedBefore` asks for. Pure."""

from __future__ import annotations

from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import is_published
from appcredential.domain.facts.successor import is_revoked, issued_before
from appcredential.domain.observed.target import Retiring
from appcredential.domain.spec.durations import format_duration


def revocation_progress(facts: Facts) -> str:
    """Return how many credentials are left to be revoked, and what comes next."""
    listed = sum(
        is_revoked(facts, c.start) for key, c in facts.ours.items() if not is_published(facts, key)
    )
    left = listed + (1 if _is_published_revoked(facts) else 0)
    return (
        f"The revocation that revokeIssuedBefore asks for is under way, {left} left, next: "
        f"{_next_step(facts)}."
    )


def is_to_be_revoked(facts: Facts, entry: Retiring) -> bool:
    """Return whether a retiring credential goes as soon as a newer one is published."""
    credential = facts.ours.get(entry.key_id)
    return credential is not None and is_revoked(facts, credential.start)


def _is_published_revoked(facts: Facts) -> bool:
    return facts.published is not None and is_revoked(facts, facts.published.not_before)


def _next_step(facts: Facts) -> str:
    if not _is_published_revoked(facts):
        return "the published credential signs in, and an older one is removed"
    minted = facts.successor.credential if facts.successor is not None else None
    if minted is not None and not is_revoked(facts, minted.not_before):
        return "the new credential is proven and published"
    if issued_before(facts) is None:
        spacing = format_duration(facts.settings.issued_before_spacing)
        return f"a new credential is issued, {spacing} after the last publish"
    return "a new credential is issued"
