"""What is held of the cluster's objects, by which a look tells whether one of them changed.

Only settled resources are looked at: what others name in vain is none of our business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.federated import OutputMap, ServiceAccount
from appcredential.domain.observed.target import Target
from appcredential.domain.secret.content import MANAGED_BY, MANAGER
from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec, KeyRef
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.status.problems_source import PasswordOf
from appcredential.gather.cached_read import CachedRead
from appcredential.gather.certificate_source import HeldInputs
from appcredential.gather.passwords import Known
from appcredential.gather.state import ResourceState
from appcredential.ports.versions import ObjectKind, version_text

_SOURCES: Final = {
    CertificateSource.SECRET: ObjectKind.SECRET,
    CertificateSource.CONFIG_MAP: ObjectKind.CONFIG_MAP,
}


@dataclass(frozen=True, slots=True)
class LookedAt:
    """An object as the last pass read it.

    Attributes:
        version: as `ports.versions` writes it; None if the object was absent.
        is_forbidden: the operator was not allowed to read it, so that any version is news.
        part: what a pass reads again once it is dropped.
        is_labelled: it is a Secret that bears our label, so that a watch of these shows it.
    """

    kind: ObjectKind
    name: str
    version: str | None
    part: CachedRead[Any] = field(compare=False, repr=False)
    is_forbidden: bool = False
    is_labelled: bool = False


def looked_at(state: ResourceState) -> tuple[LookedAt, ...]:
    """Return the objects whose change concerns a resource, and of which no event tells."""
    spec = state.resource.value.spec if state.resource.value is not None else None
    if not state.is_settled or not isinstance(spec, AppCredentialSpec):
        return ()
    if spec.federated is not None and spec.type.is_federated:
        account, output = spec.federated.annotated_account, spec.federated.config_map
        asked = (
            (ObjectKind.SERVICE_ACCOUNT, account, state.service_account),
            (ObjectKind.CONFIG_MAP, output, state.output),
        )
        return tuple(_read(*one) for one in asked if one[1] and one[2].read is not None)
    found = [*_sources(spec.certificate, state)] if spec.type.is_certificate else []
    if state.target.read is not None:
        found.insert(0, _read(ObjectKind.SECRET, spec.secret.name, state.target))
    return tuple(found)


def _read(kind: ObjectKind, name: str, part: CachedRead[Any]) -> LookedAt:
    held, version = part.value, None
    if isinstance(held, Target | ServiceAccount | OutputMap):
        version = version_text(held.uid, held.resource_version)
    is_labelled = isinstance(held, Target) and is_ours_by_label(held)
    is_forbidden = isinstance(held, Problem)
    return LookedAt(kind, name, version, part, is_forbidden=is_forbidden, is_labelled=is_labelled)


def is_ours_by_label(held: Target) -> bool:
    """Return whether a watch of Secrets with our label shows it."""
    return held.labels.get(MANAGED_BY) == MANAGER and held.type == "Opaque"


def _sources(spec: CertificateSpec, state: ResourceState) -> Iterator[LookedAt]:
    """Yield what users supply; a problem with it has passes of its own, and soon."""
    part, held = state.certificate_inputs, state.held_inputs
    found = part.value
    if found is None or part.read is None or found.problem or found.keystore_problem:
        return
    for kind, ref, known in _inputs(spec, held):
        if known is not None and ref is not None and known.asked[1] == ref:
            yield LookedAt(kind, ref.name, known.version, part)


def _inputs(
    spec: CertificateSpec, held: HeldInputs
) -> Iterator[tuple[ObjectKind, KeyRef | None, Known[Any] | None]]:
    if (kind := _SOURCES.get(spec.source)) is not None:
        yield kind, spec.ref, held.source
        yield ObjectKind.SECRET, spec.source_password, held.passwords.get(PasswordOf.SOURCE)
    yield ObjectKind.SECRET, spec.keystore_password, held.passwords.get(PasswordOf.KEYSTORE)
