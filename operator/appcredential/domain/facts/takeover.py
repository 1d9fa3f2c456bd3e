"""Whether this resource may take over another owner's Secret of the wanted name: rule 5. Pure.

It may in three cases. The spec names the owner (`takeOverFrom`). Or the owner does not exist
any more, and the Secret's credential belongs to the same application. Or the Secret has no
owner, and a person has written our name into its annotation `appcredential.io/adopt`. Until
the publish that takes it over, such a Secret counts as missing and stays as it is. So does our
own Secret that a deleted resource of our name, for another application, left.

A former owner takes the Secret back only after its own spec has changed: otherwise resources
that name each other would hand a Secret round for ever.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, TypeGuard

from appcredential.domain.facts.writable import is_unwritable
from appcredential.domain.marker import Owner
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import FormerOwner, Target
from appcredential.domain.secret.records import adopter_of, cluster_of
from appcredential.domain.spec import checks
from appcredential.domain.spec.model import AppCredentialSpec


class Claim(StrEnum):
    """What the target Secret is to the resource."""

    OURS = "Ours"
    """The Secret is ours, or there is none."""
    TAKES = "Takes"
    """The Secret is another's, and the next publish takes it over."""
    UNREAD = "Unread"
    """It may be taken over if its application is ours, which has not been read yet."""
    WAITS = "Waits"
    """It is taken over if its owner stays absent."""
    LOST = "Lost"
    """It was ours, or would be, and another resource has taken it over."""
    FOREIGN = "Foreign"
    """The Secret is another's and stays so."""


def claim(observation: Observation) -> Claim:
    """Return what the target Secret is to the resource."""
    target, resource = observation.target, observation.resource
    if target is None:
        return Claim.OURS
    if target.owner == str(resource.owner):
        return Claim.TAKES if is_of_former_life(observation, target) else Claim.OURS
    if is_unwritable(target):
        return Claim.FOREIGN
    if _is_named(observation, target) or _is_adopted(observation, target):
        return Claim.TAKES
    inherited = _inherits(observation, target)
    if inherited is not None:
        return inherited
    return Claim.LOST if _former(observation, target) is not None else Claim.FOREIGN


def is_lasting_conflict(found: Claim) -> TypeGuard[Literal[Claim.LOST, Claim.FOREIGN]]:
    """Return whether the target Secret is another's and stays so."""
    return found in {Claim.LOST, Claim.FOREIGN}


def is_of_former_life(observation: Observation, target: Target) -> bool:
    """Return whether a resource of our name, for another application, left our target Secret.

    It was deleted, and its own revocation removes its credential. One that was published in our
    own life stays: then the application was replaced in Entra, or the record edited, and a person
    has to say what is meant. What Entra lists for our application is no other one's.
    """
    tenant, application = observation.tenant, observation.application
    if application is None or target.published is None or not isinstance(tenant, Tenant):
        return False
    if (target.tenant_id, target.object_id) == (tenant.tenant_id, application.object_id):
        return False
    if cluster_of(target.annotations) not in {"", observation.identity.cluster}:
        return False
    if any(c.key_id == target.published.key_id for c in application.credentials):
        return False
    return _is_unnamed_and_older(observation, target)


def may_be_of_former_life(observation: Observation) -> bool:
    """Return whether our target Secret is, or without a look at Entra may be, of a former life.

    Without that look it is judged by the application that status names, which is enough to be
    careful in what is said, and not to do anything about the Secret.
    """
    target = observation.own_target
    if target is None or target.published is None:
        return False
    if observation.application is not None and isinstance(observation.tenant, Tenant):
        return is_of_former_life(observation, target)
    return _is_unnamed_and_older(observation, target)


def _is_unnamed_and_older(observation: Observation, target: Target) -> bool:
    """Return whether it was published before our life, for no application that status names."""
    resource = observation.resource
    named = (resource.status.get("application") or {}).get("objectId")
    published = target.published_time or target.creation_time
    by_their_clock = published + (observation.cluster_skew or timedelta(0))
    return named != target.object_id and by_their_clock < resource.creation_time


def is_former_owner(observation: Observation) -> bool:
    """Return whether the target Secret records this resource as a former owner."""
    return observation.target is not None and _former(observation, observation.target) is not None


def other_owner(owner: Owner, target: Target | None) -> Owner | None:
    """Return the resource of this namespace that owns the target Secret; None for ourselves.

    If the named owner is in another namespace, this Secret is an unmanaged copy. Anybody may
    have written the annotation, so that only a valid name becomes part of an address.
    """
    if target is None or target.owner == str(owner):
        return None
    namespace, _, name = target.owner.partition("/")
    is_neighbour = namespace == owner.namespace and checks.is_object_name(name)
    return Owner(namespace, name) if is_neighbour else None


def absence_ends(observation: Observation) -> datetime | None:
    """Return when the absence of the Secret's owner starts to count; None while it exists."""
    found = observation.target_owner
    if found is None or found.absent_since is None:
        return None
    return found.absent_since + observation.settings.arrival_grace


def _is_named(observation: Observation, target: Target) -> bool:
    """Return whether the spec takes it from its owner, and does so for the first time."""
    spec, resource = observation.resource.spec, observation.resource
    named = spec.secret.take_over_from if isinstance(spec, AppCredentialSpec) else ""
    if not named or target.owner != str(Owner(resource.owner.namespace, named)):
        return False
    former = _former(observation, target)
    return former is None or former.uid != resource.uid or former.generation < resource.generation


def _is_adopted(observation: Observation, target: Target) -> bool:
    """Return whether a person has given us a Secret that no existing resource owns."""
    is_kept = (
        other_owner(observation.resource.owner, target) is not None
        and absence_ends(observation) is None
    )
    return not is_kept and adopter_of(target.annotations) == str(observation.resource.owner)


def _inherits(observation: Observation, target: Target) -> Claim | None:
    """Return the claim on a Secret whose owner is gone; None when we do not inherit it."""
    ends = absence_ends(observation)
    if (
        ends is None
        or not isinstance(observation.tenant, Tenant)
        or target.tenant_id != observation.tenant.tenant_id
    ):
        return None
    if observation.application is None:
        return Claim.UNREAD
    if target.object_id != observation.application.object_id:
        return None
    return Claim.TAKES if observation.now >= ends else Claim.WAITS


def _former(observation: Observation, target: Target) -> FormerOwner | None:
    owner = str(observation.resource.owner)
    return next((former for former in target.taken_from if former.owner == owner), None)
