"""Which applications and namespaces a grant is about, as it stands in a manifest."""

from __future__ import annotations

import msgspec

from appcredential.domain.spec.label_selector import LabelOperator
from appcredential.domain.spec.shape import Shape


class Applications(Shape, frozen=True):
    """`ApplicationGrant.spec.applications`: exactly one member."""

    client_ids: list[str] | None = None
    tagged: bool | None = None
    all: bool | None = None


class NamespaceExpression(Shape, frozen=True):
    """`ApplicationGrant.spec.namespaces.selector.matchExpressions[]`."""

    key: str
    operator: LabelOperator
    values: list[str] | None = None


class NamespaceSelector(Shape, frozen=True):
    """`ApplicationGrant.spec.namespaces.selector`."""

    match_labels: dict[str, str] = msgspec.field(default_factory=dict)
    match_expressions: list[NamespaceExpression] = msgspec.field(default_factory=list)


class Namespaces(Shape, frozen=True):
    """`ApplicationGrant.spec.namespaces`: exactly one member."""

    names: list[str] | None = None
    selector: NamespaceSelector | None = None
