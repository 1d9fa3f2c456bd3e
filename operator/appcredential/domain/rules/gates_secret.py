"""Rule 5: the target and pending Secrets belong to the resource, or may become its own."""

from __future__ import annotations

from typing import assert_never

from appcredential.domain.actions import Action, Hold
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.secret_conflict import (
    another_type,
    conflict,
    pending_problem,
    unwritable,
)
from appcredential.domain.facts.takeover import Claim, claim
from appcredential.domain.facts.writable import holds_another_type, is_unwritable
from appcredential.domain.observed.observation import Observation


def secret_is_not_ours_to_write(observation: Observation) -> Action | None:
    """5: a Secret belongs to somebody else, is not writable, or is being deleted."""
    if observation.resource.is_federated:
        return None
    if (in_the_way := pending_problem(observation)) is not None:
        return Hold(in_the_way)
    found = claim(observation)
    match found:
        case Claim.OURS | Claim.TAKES | Claim.UNREAD:
            return _unwritable(observation)
        case Claim.WAITS:
            return Hold(conflict(observation, found))
        case Claim.LOST | Claim.FOREIGN:
            return None if _may_discard(observation) else Hold(conflict(observation, found))
        case _:
            assert_never(found)


def _may_discard(observation: Observation) -> bool:
    """Return whether there is an attempt of ours, which the rules behind the gates give up."""
    resource, memory = observation.resource, observation.memory
    if observation.pending is None or resource.observes or resource.is_suspended:
        return False
    is_paused = memory.retry_time is not None and observation.now < memory.retry_time
    return observation.application is not None or not is_paused


def _unwritable(observation: Observation) -> Action | None:
    target = observation.target
    if target is None:
        return None
    if is_unwritable(target):
        return Hold(unwritable(observation, target))
    if holds_another_type(observation):
        return Hold(another_type(target))
    if target.deletion_time is not None:
        return Hold(
            Problem(
                reason=Reason.SECRET_TERMINATING,
                message="The target Secret is being deleted; waiting until it is gone.",
                stalled=False,
            )
        )
    return None
