"""Rules for a resource whose target Secret is another's: give up what it issued for it in vain.

Two resources that want one Secret may both issue, and only one of them publishes. What the other
one issued is valid, and nobody has it. Only an attempt that certainly was never published goes
like that: one that was fenced from its intent, or that this process made and did not publish.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from appcredential.domain.actions import Action, DeletePending, Fence
from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.target import Pending, PendingState
from appcredential.domain.rules.pending import carried_attempts, pending_secret_is_a_copy
from appcredential.domain.rules.reading import first_due, read_again
from appcredential.domain.rules.removal import remove_listed


def attempt_is_in_vain(facts: Facts) -> Action | None:
    """D2: nobody is to publish it: fence it."""
    pending = facts.pending
    if pending is None or pending.state is PendingState.ABANDONED:
        return None
    is_old = facts.now - pending.intent_time >= facts.settings.intent_respect
    if not _is_unpublished(facts, pending) and (
        pending.state is not PendingState.INTENT or pending.is_staged or not is_old
    ):
        return None
    return Fence("the target Secret is another's")


def attempt_in_vain_is_listed(facts: Facts) -> Action | None:
    """D3: remove the credential of an attempt that was given up."""
    return first_due(remove_listed(facts, c, None) for c in _in_vain(facts))


def attempt_in_vain_is_gone(facts: Facts) -> Action | None:
    """D4: a read that was made late enough lists none of them: delete the pending Secret."""
    pending = facts.pending
    if pending is None or not _is_given_up(facts, pending) or _in_vain(facts):
        return None
    if facts.application.read_time >= _known_from(facts, pending):
        return DeletePending("its attempt is gone")
    return read_again(facts, facts.settings.freshness) if _is_late(facts, pending) else None


RULES: Final = (
    pending_secret_is_a_copy,  # 7
    attempt_is_in_vain,  # D2
    attempt_in_vain_is_listed,  # D3
    attempt_in_vain_is_gone,  # D4
)
"""For client secrets and certificates while the target Secret is another's."""


def next_discard(facts: Facts) -> datetime | None:
    """Return when one of these rules may match that does not match now; None for never."""
    pending = facts.pending
    if facts.conflict is None or pending is None:
        return None
    if pending.state is PendingState.INTENT:
        return pending.intent_time + facts.settings.intent_respect
    return _known_from(facts, pending) if _is_given_up(facts, pending) else None


def _in_vain(facts: Facts) -> list[Credential]:
    """Return our listed credentials that no Secret of anybody ever held."""
    pending = facts.pending
    if pending is None or not _is_given_up(facts, pending):
        return []
    attempts = {pending.attempt, *(entry.attempt for entry in pending.abandoned)}
    return [c for c in facts.ours.values() if facts.attempt_of(c) in attempts]


def _is_given_up(facts: Facts, pending: Pending) -> bool:
    return pending.state is PendingState.ABANDONED and _is_unpublished(facts, pending)


def _is_unpublished(facts: Facts, pending: Pending) -> bool:
    """Return whether it was certainly never published. Of a supplied one, readers may know."""
    if facts.spec.is_supplied:
        return False
    if pending.attempt == facts.observation.unpublished_attempt:
        return True
    return pending.attempt in {a.attempt for a in carried_attempts(facts, pending)}


def _known_from(facts: Facts, pending: Pending) -> datetime:
    """Return from when on a read shows whether a credential of the attempt is there."""
    return max([pending.intent_time, *facts.memory.removals.values()]) + facts.settings.settle


def _is_late(facts: Facts, pending: Pending) -> bool:
    return facts.now >= _known_from(facts, pending)
