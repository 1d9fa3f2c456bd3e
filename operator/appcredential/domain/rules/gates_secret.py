"""Rule 5: the target and pending Secrets belong to the resource, or may become its own."""

from __future__ import annotations

from typing import assert_never

from appcredential.domain.actions import Action, Hold
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.takeover import OPAQUE, Claim, claim, conflict
from appcredential.domain.observed.observation import Observation
from appcredential.domain.secret.value import type_of
from appcredential.domain.spec.model import AppCredentialSpec


def secret_is_not_ours_to_write(observation: Observation) -> Action | None:
    """5: a Secret belongs to somebody else, is not writable, or is being deleted."""
    if observation.resource.is_federated:
        return None
    if observation.pending is not None and observation.pending.is_foreign:
        return Hold(
            Problem(
                reason=Reason.SECRET_CONFLICT,
                message="A Secret has the name that this resource's pending Secret needs and is "
                "of another type or owner. Delete that Secret.",
            )
        )
    found = claim(observation)
    match found:
        case Claim.OURS | Claim.TAKES | Claim.UNREAD:
            return _unwritable(observation)
        case Claim.WAITS | Claim.LOST | Claim.FOREIGN:
            return Hold(conflict(observation, found))
        case _:
            assert_never(found)


def _unwritable(observation: Observation) -> Action | None:
    target, own = observation.target, observation.own_target
    if target is None:
        return None
    if target.immutable or target.type != OPAQUE:
        return Hold(
            Problem(
                reason=Reason.SECRET_CONFLICT,
                message="The target Secret is immutable or not of type Opaque. Delete it; "
                "the operator creates it again.",
            )
        )
    spec = observation.resource.spec
    if (
        isinstance(spec, AppCredentialSpec)
        and own is not None
        and own.value is not None
        and type_of(own.value) is not spec.type
    ):
        return Hold(
            Problem(
                reason=Reason.SECRET_CONFLICT,
                message="The Secret holds a credential of another type, which workloads may still "
                "use. Choose another spec.secret.name, or delete the Secret when nobody does.",
            )
        )
    if target.deletion_time is not None:
        return Hold(
            Problem(
                reason=Reason.SECRET_TERMINATING,
                message="The target Secret is being deleted; waiting until it is gone.",
                stalled=False,
            )
        )
    return None
