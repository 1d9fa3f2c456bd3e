"""Whether a Secret of the wanted name may become ours though it is not: rule 5. Pure.

Three ways lead there. The spec names the resource that owns it (`takeOverFrom`); its owner
does not exist any more and its credential is of the same application; or it has no owner and
a person wrote our name into its annotation `appcredential.io/adopt`. Until the publish
that takes it over such a Secret counts as missing, and stays as it is.

Nobody takes back what was taken from it unless its own spec has changed since: resources
that name each other in a circle would hand a Secret round for ever.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal, assert_never

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.marker import Owner
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import FormerOwner, Target
from appcredential.domain.secret.records import adopter_of
from appcredential.domain.spec import checks
from appcredential.domain.spec.model import AppCredentialSpec

OPAQUE = "Opaque"


class Claim(StrEnum):
    """How T stands to the resource."""

    OURS = "Ours"
    """It is ours, or there is none."""
    TAKES = "Takes"
    """It is another's, and the next publish takes it over."""
    UNREAD = "Unread"
    """It may be taken over if it is of the same application, which was not read yet."""
    WAITS = "Waits"
    """It is taken over if its owner stays away."""
    LOST = "Lost"
    """It was ours, or would be, and another resource has taken it over."""
    FOREIGN = "Foreign"
    """It is another's, and stays so."""


def claim(observation: Observation) -> Claim:
    """Return how T stands to the resource."""
    t, r = observation.target, observation.resource
    if t is None or t.owner == str(r.owner):
        return Claim.OURS
    if t.immutable or t.type != OPAQUE:
        return Claim.FOREIGN
    if _is_named(observation, t) or _is_adopted(observation, t):
        return Claim.TAKES
    inherited = _inherits(observation, t)
    if inherited is not None:
        return inherited
    return Claim.LOST if _former(observation, t) is not None else Claim.FOREIGN


def is_former_owner(observation: Observation) -> bool:
    """Tell whether T records that it was taken over from this resource."""
    return observation.target is not None and _former(observation, observation.target) is not None


def other_owner(owner: Owner, t: Target | None) -> Owner | None:
    """Return the resource of the same namespace that owns T instead of this one, if one does.

    An owner in another namespace has its Secret there: this one is a copy that nobody keeps.
    Anybody can have written the annotation: what is no name must never become part of an address.
    """
    if t is None or t.owner == str(owner):
        return None
    namespace, _, name = t.owner.partition("/")
    is_beside = namespace == owner.namespace and checks.is_object_name(name)
    return Owner(namespace, name) if is_beside else None


def absence_ends(observation: Observation) -> datetime | None:
    """Return from when the absence of T's owner counts; None while it exists."""
    found = observation.target_owner
    if found is None or found.absent_since is None:
        return None
    return found.absent_since + observation.settings.arrival_grace


def conflict(
    observation: Observation, found: Literal[Claim.WAITS, Claim.LOST, Claim.FOREIGN]
) -> Problem:
    """Return what to say of a T that is another's."""
    match found:
        case Claim.LOST:
            return Problem(
                reason=Reason.SECRET_TAKEN_OVER,
                message=f"{_keeper(observation)} has taken the Secret over; this one renews "
                "nothing and does not touch it. Delete this AppCredential when no pod uses its "
                "credential any more.",
            )
        case Claim.WAITS:
            return Problem(
                reason=Reason.SECRET_CONFLICT,
                message="The AppCredential that the Secret belongs to does not exist; if it stays "
                "away, the Secret is taken over.",
                stalled=False,
            )
        case Claim.FOREIGN:
            return _foreign(observation)
        case _:
            assert_never(found)


def _foreign(observation: Observation) -> Problem:
    spec = observation.resource.spec
    if isinstance(spec, AppCredentialSpec) and spec.secret.take_over_from:
        return Problem(
            reason=Reason.SECRET_CONFLICT,
            message=f"The Secret belongs to {_keeper(observation)}, not to what "
            "spec.secret.takeOverFrom names, or cannot be written. Correct one of the two names, "
            "or delete that Secret.",
        )
    return Problem(
        reason=Reason.SECRET_CONFLICT,
        message="A Secret of the wanted name exists and does not belong to this "
        "resource. Choose another spec.secret.name, have the Secret handed over by "
        "spec.secret.takeOverFrom, or delete it.",
    )


def _keeper(observation: Observation) -> str:
    """Name T's owner; only a resource that exists has a name that may be told."""
    seen = observation.target_owner
    is_there = seen is not None and seen.uid
    return f"AppCredential {seen.owner}" if seen is not None and is_there else "another owner"


def _is_named(observation: Observation, t: Target) -> bool:
    """Tell whether the spec wants it from its owner, and not for the second time."""
    spec, r = observation.resource.spec, observation.resource
    named = spec.secret.take_over_from if isinstance(spec, AppCredentialSpec) else ""
    if not named or t.owner != str(Owner(r.owner.namespace, named)):
        return False
    former = _former(observation, t)
    return former is None or former.uid != r.uid or former.generation < r.generation


def _is_adopted(observation: Observation, t: Target) -> bool:
    """Tell whether a person has written our name into a Secret that no resource keeps."""
    is_kept = (
        other_owner(observation.resource.owner, t) is not None and absence_ends(observation) is None
    )
    return not is_kept and adopter_of(t.annotations) == str(observation.resource.owner)


def _inherits(observation: Observation, t: Target) -> Claim | None:
    """Return what becomes of a T whose owner is gone; None when that is not so, or not ours."""
    ends = absence_ends(observation)
    if (
        ends is None
        or not isinstance(observation.tenant, Tenant)
        or t.tenant_id != observation.tenant.tenant_id
    ):
        return None
    if observation.application is None:
        return Claim.UNREAD
    if t.object_id != observation.application.object_id:
        return None
    return Claim.TAKES if observation.now >= ends else Claim.WAITS


def _former(observation: Observation, t: Target) -> FormerOwner | None:
    owner = str(observation.resource.owner)
    return next((former for former in t.taken_from if former.owner == owner), None)
