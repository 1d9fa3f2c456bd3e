"""What Ready says of a credential that works, on an application that the operator does not own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appcredential.domain.conditions import ConditionType, Problem, Reason
from appcredential.domain.observed.observation import Observation
from appcredential.domain.status.problems_entra import Asked, make_owner


def not_owner(observation: Observation, opening: str) -> Problem | None:
    """Return why the operator could not change the application when that is due.

    While nobody has looked, as after a restart, status stays as it is.

    Args:
        observation: of the resource.
        opening: the sentence with which the message of Ready begins.
    """
    found = observation.ownership
    if found.is_enough is None:
        return _told(observation.resource.status, opening)
    if found.is_enough:
        return None
    application = observation.usable_spec.client_id
    command = make_owner(Asked(application=application, principal=found.principal))
    return Problem(
        reason=Reason.NOT_OWNER,
        message="The operator does not own the application any more. Unless a directory role "
        "allows it, it can neither renew nor remove the credential when that is due. Make its "
        f"service principal an owner: {command}",
        stalled=False,
    )


def newly_unowned(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Return what an Event tells when Ready begins to say so; empty otherwise.

    Args:
        before: the status that is about to be replaced.
        wanted: the status that is true now.
    """
    now = _ready(wanted)
    is_news = now.get("reason") == Reason.NOT_OWNER != _ready(before).get("reason")
    return str(now.get("message")) if is_news else ""


def _told(status: Mapping[str, Any], opening: str) -> Problem | None:
    ready = _ready(status)
    if ready.get("reason") != Reason.NOT_OWNER:
        return None
    message = str(ready.get("message")).partition(opening)[2].strip()
    return Problem(reason=Reason.NOT_OWNER, message=message, stalled=False) if message else None


def _ready(status: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions = status.get("conditions") or ()
    return next((c for c in conditions if c.get("type") == ConditionType.READY), {})
