"""Which applications and namespaces a grant is about, from its manifest."""

from __future__ import annotations

from sys import intern

from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest_grant as shapes
from appcredential.domain.spec.grant import (
    AllApplications,
    GrantedApplications,
    GrantedNamespaces,
    NamedApplications,
    NamedNamespaces,
    SelectedNamespaces,
    TaggedApplications,
)
from appcredential.domain.spec.label_selector import (
    MAX_REQUIREMENTS,
    MAX_VALUES,
    LabelOperator,
    LabelRequirement,
    LabelSelector,
)


def parse_applications(path: str, given: shapes.Applications) -> GrantedApplications:
    """Read `spec.applications`.

    Raises:
        InvalidSpecError: it has not exactly one member, or that cannot be used.
    """
    members = [given.client_ids, given.tagged, given.all]
    count = sum(member is not None for member in members)
    checks.require(count == 1, path, "must have exactly one of clientIds, tagged and all")
    if given.client_ids is not None:
        return NamedApplications(checks.listed(f"{path}.clientIds", given.client_ids, _client_id))
    name = "tagged" if given.tagged is not None else "all"
    remedy = "must be true: to name applications one by one, list clientIds instead"
    checks.require(bool(given.tagged or given.all), f"{path}.{name}", remedy)
    return TaggedApplications() if given.tagged else AllApplications()


def parse_namespaces(path: str, given: shapes.Namespaces) -> GrantedNamespaces:
    """Read `spec.namespaces`.

    Raises:
        InvalidSpecError: it has not exactly one member, or that cannot be used.
    """
    is_one = (given.names is None) is not (given.selector is None)
    checks.require(is_one, path, "must have exactly one of names and selector")
    if given.selector is not None:
        return SelectedNamespaces(_selector(f"{path}.selector", given.selector))
    names = given.names or []
    return NamedNamespaces(checks.listed(f"{path}.names", names, checks.namespace_name))


def _client_id(path: str, value: str) -> str:
    return intern(checks.guid(path, value))


def _selector(path: str, given: shapes.NamespaceSelector) -> LabelSelector:
    labels, expressions = given.match_labels, given.match_expressions
    for name, found in (("matchLabels", labels), ("matchExpressions", expressions)):
        remedy = f"must have at most {MAX_REQUIREMENTS} items"
        checks.require(len(found) <= MAX_REQUIREMENTS, f"{path}.{name}", remedy)
    named = [_label(f"{path}.matchLabels", key, value) for key, value in sorted(labels.items())]
    asked = [_expression(f"{path}.matchExpressions[{n}]", e) for n, e in enumerate(expressions)]
    pairs = {(one.key, one.operator) for one in asked}
    remedy = "may not contain a key twice with one operator: put the values of both into one"
    checks.require(len(pairs) == len(asked), f"{path}.matchExpressions", remedy)
    remedy = (
        "must ask for a label that not every namespace has: by matchLabels, or by an expression "
        "with In, or with Exists and another key than kubernetes.io/metadata.name"
    )
    checks.require(any(one.is_selective for one in (*named, *asked)), path, remedy)
    return LabelSelector((*named, *asked))


def _label(path: str, key: str, value: str) -> LabelRequirement:
    value = checks.label_value(f"{path}[{key}]", value)
    return LabelRequirement(_key(path, key), LabelOperator.IN, (intern(value),))


def _expression(path: str, given: shapes.NamespaceExpression) -> LabelRequirement:
    values = given.values or []
    checks.require(
        len(values) <= MAX_VALUES, f"{path}.values", f"must have at most {MAX_VALUES} items"
    )
    remedy = "must be listed for In and NotIn, and left out for Exists and DoesNotExist"
    checks.require(given.operator.has_values is bool(values), f"{path}.values", remedy)
    found = tuple(checks.label_value(f"{path}.values[{n}]", v) for n, v in enumerate(values))
    is_set = len(set(found)) == len(found)
    checks.require(is_set, f"{path}.values", "may not contain an item twice")
    return LabelRequirement(_key(f"{path}.key", given.key), given.operator, found)


def _key(path: str, key: str) -> str:
    remedy = "must be a key as labels have them: a name, with an optional DNS prefix before a slash"
    checks.require(checks.is_metadata_key(key), path, remedy)
    return intern(key)
