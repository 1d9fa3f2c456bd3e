"""Whether the target Secret can be written at all, and holds what the spec asks for."""

from __future__ import annotations

from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import Target
from appcredential.domain.secret.value import type_of
from appcredential.domain.spec.model import AppCredentialSpec

OPAQUE = "Opaque"


def is_unwritable(target: Target) -> bool:
    """Return whether Kubernetes, or its type, keeps everybody from writing the Secret.

    Neither can be changed: such a Secret can only be deleted and created again.
    """
    return target.immutable or target.type != OPAQUE


def holds_another_type(observation: Observation) -> bool:
    """Return whether our target Secret holds a credential of another type than the spec's."""
    spec, own = observation.resource.spec, observation.own_target
    if not isinstance(spec, AppCredentialSpec) or own is None or own.value is None:
        return False
    return type_of(own.value) is not spec.type
