"""Which applications and namespaces an ApplicationGrant is about: closed sets of forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from appcredential.domain.spec.label_selector import LabelSelector


@dataclass(frozen=True, slots=True)
class NamedApplications:
    """`applications.clientIds`."""

    client_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class TaggedApplications:
    """`applications.tagged`: those whose owner wrote the tag for this cluster and namespace."""


@dataclass(frozen=True, slots=True)
class AllApplications:
    """`applications.all`: every one of the tenant."""


GrantedApplications: TypeAlias = NamedApplications | TaggedApplications | AllApplications


@dataclass(frozen=True, slots=True)
class NamedNamespaces:
    """`namespaces.names`."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class SelectedNamespaces:
    """`namespaces.selector`."""

    selector: LabelSelector


GrantedNamespaces: TypeAlias = NamedNamespaces | SelectedNamespaces

TAG_NAME: Final = "appcredential.io/allow"


def allow_tag(cluster_id: str, namespace: str) -> str:
    """Return the tag by which an app registration allows a namespace of a cluster.

    A permanent format: owners of applications write it.
    """
    return f"{TAG_NAME}={cluster_id}/{namespace}"


def is_allow_tag(tag: str) -> bool:
    """Return whether a tag is meant for grants, even if it is not written as it has to be."""
    return tag.casefold().startswith(TAG_NAME)
