"""Why a credential is replaced, or issued at all."""

from __future__ import annotations

from enum import StrEnum

from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.successor import is_revoked


class Trigger(StrEnum):
    """Why a new credential is issued."""

    INITIAL = "initial"
    """Nothing was published yet, or nothing that is known."""
    RENEWAL = "renewal"
    """The published one nears its end."""
    REQUESTED = "requested"
    """`rotateIssuedBefore` asks for it."""
    REVOKED = "revoked"
    """`revokeIssuedBefore` asks for it."""
    SOURCE = "source"
    """Who supplies the certificate has renewed it."""
    LOST = "lost"
    """The published one expired, is gone, or cannot be used any more."""


def trigger(facts: Facts) -> Trigger:
    """Return why a new credential is issued now."""
    published, plan = facts.published, facts.schedule
    if published is None or plan is None:
        return Trigger.INITIAL
    if is_revoked(facts, published.not_before):
        return Trigger.REVOKED
    if published.expires <= facts.entra_now:
        return Trigger.LOST
    if facts.spec.is_supplied:
        return Trigger.SOURCE
    if facts.entra_now >= plan.renewal_time:
        return Trigger.RENEWAL
    before = facts.spec.rotation.rotate_issued_before
    if before is not None and published.not_before < before <= facts.entra_now:
        return Trigger.REQUESTED
    return Trigger.LOST
