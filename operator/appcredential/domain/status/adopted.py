"""What status says of credentials that another cluster issued and this one uses. Pure."""

from __future__ import annotations

from typing import Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.adoption import (
    is_adopted,
    is_adopted_credential,
    is_adopted_trust,
    is_of_adopted_cluster,
)
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.federated import FederatedFacts
from appcredential.domain.facts.published import is_published
from appcredential.domain.facts.successor import is_revoked
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.observation import Observation
from appcredential.domain.shown_text import first_of

_ISSUED: Final = (
    " Another cluster issued it, and this one replaces it at its renewal and never removes it."
)
_MADE: Final = (
    " Another cluster made at least one of these trusts, and this one never changes or removes it."
)


def adopted_note(observation: Observation, facts: Facts | None) -> str:
    """Return what Ready says of a published credential of another cluster; empty without one.

    Behind a closed gate, records alone tell of it.
    """
    is_known = is_of_adopted_cluster(observation) if facts is None else is_adopted(facts)
    return _ISSUED if is_known else ""


def adopted_trusts_note(facts: FederatedFacts) -> str:
    """Return what Ready says of trusts that another cluster made; empty without one."""
    found = (facts.exists(trust) for trust in facts.trusts)
    is_any = any(c is not None and is_adopted_trust(facts.common, c) for c in found)
    return _MADE if is_any else ""


def unrevoked_problem(facts: Facts) -> Problem | None:
    """Return why what `revokeIssuedBefore` asks for is not done, if only others may do it."""
    found = [c.key_id for c in facts.application.credentials if _is_unrevoked(facts, c)]
    if not found:
        return None
    return Problem(
        reason=Reason.REVOCATION_BLOCKED,
        message="What revokeIssuedBefore should revoke stays valid, because another cluster issued "
        f"it, and this one removes only what it issued itself: {first_of(found)}. Remove it from "
        "the application in Entra.",
    )


def _is_unrevoked(facts: Facts, credential: Credential) -> bool:
    """Return whether it is of a cluster we adopt from, and still a leak: not what is published."""
    if not is_revoked(facts, credential.start) or is_published(facts, credential.key_id):
        return False
    if credential.type is not facts.spec.type or credential.end <= facts.entra_now:
        return False
    return is_adopted_credential(facts, credential)
