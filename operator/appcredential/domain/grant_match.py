"""Whether one ApplicationGrant matches, and what it lacks if it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

from appcredential.domain.granted_sources import allows_source
from appcredential.domain.observed.asker import Asker
from appcredential.domain.spec.grant import (
    AllApplications,
    NamedApplications,
    NamedNamespaces,
    SelectedNamespaces,
    TaggedApplications,
)
from appcredential.domain.spec.label_selector import LabelRequirement, Labels
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ApplicationGrantSpec,
    ClientId,
    Limits,
)
from appcredential.domain.spec.reserved import RESERVED_NAMESPACES


class Lack(Enum):
    """Why a grant does not match, or why nobody knows yet."""

    TENANT = auto()
    NAMESPACE = auto()
    """It names others, or its selector never matches this one."""
    LABELS = auto()
    LABELS_UNKNOWN = auto()
    APPLICATION = auto()
    TAG = auto()
    TAGS_UNKNOWN = auto()
    TYPE = auto()
    SOURCE = auto()
    OPERATOR = auto()
    """The application is the operator's own."""
    EXPIRED = auto()


UNKNOWN = frozenset({Lack.LABELS_UNKNOWN, Lack.TAGS_UNKNOWN})
"""What a later look may show to be no lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for, and by whom.

    Attributes:
        is_operators: the application is the operator's own.
    """

    asker: Asker
    spec: AppCredentialSpec
    is_operators: bool = False


def lacks(grant: ApplicationGrantSpec, asked: Asked) -> Iterator[Lack]:
    """Yield what a grant lacks, cheap ones first; nothing when it matches."""
    if grant.tenant != asked.spec.tenant:
        yield Lack.TENANT
    yield from _of_namespace(grant, asked.asker)
    yield from _of_application(grant, asked)
    if not allows_type(grant.limits, asked.spec):
        yield Lack.TYPE
    federated = asked.spec.federated
    if federated is not None and not allows_source(grant.federation, federated.source):
        yield Lack.SOURCE
    if asked.is_operators and not grant.allow_operator_identity:
        yield Lack.OPERATOR
    if has_expired(grant, asked.asker):
        yield Lack.EXPIRED


def matches(grant: ApplicationGrantSpec, asked: Asked) -> bool | None:
    """Return whether a grant matches as a whole; None while that is not known."""
    is_known = True
    for lack in lacks(grant, asked):
        if lack not in UNKNOWN:
            return False
        is_known = False
    return True if is_known else None


def has_expired(grant: ApplicationGrantSpec, asker: Asker) -> bool:
    """Return whether the grant's time is over."""
    return grant.expires is not None and asker.now >= grant.expires


def allows_type(limits: Limits, spec: AppCredentialSpec) -> bool:
    """Return whether the limits admit the spec's type; no types listed means all."""
    return not limits.types or spec.type in limits.types


def missing_labels(grant: ApplicationGrantSpec, asker: Asker) -> tuple[LabelRequirement, ...]:
    """Return what a grant's selector asks for that the namespace does not have."""
    if isinstance(grant.namespaces, NamedNamespaces) or asker.labels is None:
        return ()
    return grant.namespaces.selector.unmet(asker.labels)


def covers(grant: ApplicationGrantSpec, namespace: str, labels: Labels | None) -> bool:
    """Return whether a grant is about a namespace, as far as its labels are known."""
    match grant.namespaces:
        case NamedNamespaces(names=names):
            return namespace in names
        case SelectedNamespaces(selector=selector):
            return labels is not None and not selector.unmet(labels)
        case _:
            assert_never(grant.namespaces)


def may_be_for(grant: ApplicationGrantSpec, client_id: str) -> bool:
    """Return whether a grant may be about an application, whatever its tags are."""
    named = grant.applications
    return not isinstance(named, NamedApplications) or client_id in named.client_ids


def named_client_ids(grant: ApplicationGrantSpec) -> frozenset[ClientId]:
    """Return the applications that a grant names; empty where it is about others."""
    named = grant.applications
    ids = named.client_ids if isinstance(named, NamedApplications) else ()
    return frozenset(map(ClientId, ids))


def _of_namespace(grant: ApplicationGrantSpec, asker: Asker) -> Iterator[Lack]:
    match grant.namespaces:
        case NamedNamespaces(names=names):
            if asker.namespace not in names:
                yield Lack.NAMESPACE
        case SelectedNamespaces():
            if asker.namespace in {*RESERVED_NAMESPACES, asker.operator_namespace}:
                yield Lack.NAMESPACE
            elif asker.labels is None:
                yield Lack.LABELS_UNKNOWN
            elif missing_labels(grant, asker):
                yield Lack.LABELS
        case _:
            assert_never(grant.namespaces)


def _of_application(grant: ApplicationGrantSpec, asked: Asked) -> Iterator[Lack]:
    match grant.applications:
        case NamedApplications(client_ids=client_ids):
            if asked.spec.client_id not in client_ids:
                yield Lack.APPLICATION
        case TaggedApplications():
            if asked.asker.tags is None:
                yield Lack.TAGS_UNKNOWN
            elif asked.asker.wanted_tag not in asked.asker.tags:
                yield Lack.TAG
        case AllApplications():
            return
        case _:
            assert_never(grant.applications)
