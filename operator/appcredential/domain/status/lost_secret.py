"""What is said of a published Secret that was deleted, or in which the value was changed."""

from __future__ import annotations

from typing import Final

from appcredential.domain.conditions import ConditionType, Problem, Reason
from appcredential.domain.observed.observation import Observation
from appcredential.domain.spec.model import AppCredentialSpec

_SAID: Final = frozenset({Reason.SECRET_MISSING, Reason.SECRET_EDITED})


def lost_secret(observation: Observation) -> Problem | None:
    """Return what a direct read of the target Secret shows to be lost; None if nothing is.

    That it was there once, status tells, which only the operator writes. It stands until the
    Secret is written anew.
    """
    spec = observation.resource.spec
    if not isinstance(spec, AppCredentialSpec) or spec.type.is_federated:
        return None  # it has no Secret
    if not observation.is_target_read:
        return None  # perhaps it is there: the operator may not read it
    name, target = spec.secret.name, observation.own_target
    if observation.target is None:
        return _missing(name) if _was_published(observation) else None
    if target is None:
        return None  # another's: the gate before says so
    if target.is_ahead:
        return None  # one of the clocks is wrong, and nobody changed anything
    if target.published is not None:
        return _edited(name) if target.value is None else None
    return _edited(name) if _was_published(observation) else None


def _was_published(observation: Observation) -> bool:
    status = observation.resource.status
    ready = (c for c in status.get("conditions") or () if c.get("type") == ConditionType.READY)
    return "secretRef" in status or any(c.get("reason") in _SAID for c in ready)


def _missing(name: str) -> Problem:
    message = f"The Secret {name} does not exist any more."
    return Problem(reason=Reason.SECRET_MISSING, message=message, stalled=False)


def _edited(name: str) -> Problem:
    message = f"The Secret {name} does not hold any more what was published: it was changed."
    return Problem(reason=Reason.SECRET_EDITED, message=message, stalled=False)
