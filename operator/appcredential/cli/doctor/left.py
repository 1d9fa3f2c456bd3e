"""Checks for grants and EntraTenants that left the chart's values and are still there.

The chart keeps them, and marks the Deployment with the names in its values. Its notes look for the
same marks (`charts/appcredential/templates/_left.tpl`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from appcredential.cli.app_credential import Document
from appcredential.cli.doctor.findings import Finding, Gravity, fine
from appcredential.cli.doctor.gathered import Gathered, Read
from appcredential.cli.doctor.operators import Operator, operators

_SHOWN: Final = 20
_NAMED: Final = ("appcredential.io/grants", "appcredential.io/tenants")
_INSTANCE: Final = "app.kubernetes.io/instance"
_RELEASE: Final = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")
_MARKS: Final = {
    "app.kubernetes.io/part-of": "appcredential",
    "app.kubernetes.io/component": "operator",
    "helm.sh/resource-policy": "keep",
}
_POLICY: Final = "f:helm.sh/resource-policy"
_APPLIED: Final = "f:kubectl.kubernetes.io/last-applied-configuration"


def left_values(gathered: Gathered) -> Iterator[Finding]:
    """Check each release; one without marks tells nothing, such as one without the chart."""
    for operator in operators(gathered):
        named = [operator.deployment.at("metadata", "annotations", mark) for mark in _NAMED]
        if operator.shard.is_first and all(isinstance(names, str) for names in named):
            yield from _left_of(gathered, operator, *map(str, named))


def _left_of(
    gathered: Gathered, operator: Operator, named_grants: str, named_tenants: str
) -> Iterator[Finding]:
    about = f"values of {operator.full_name}"
    grants = _left(gathered.grants, operator, named_grants)
    tenants = _left(gathered.tenants, operator, named_tenants)
    if grants:
        text = f"These ApplicationGrants left them, and still allow what they say: {_some(grants)}."
        remedy = f"kubectl delete applicationgrant {' '.join(grants)}"
        yield Finding(Gravity.RISK, about, text, remedy)
    if tenants:
        users = sum(
            (r.text("spec", "tenantRef", "name") or "default") in tenants
            for r in gathered.resources
        )
        text = f"These EntraTenants left them, and are still signed in to: {_some(tenants)}."
        if users:
            text += f" {users} AppCredentials name them, and keep them until they are gone."
        remedy = f"kubectl delete entratenant --wait=false {' '.join(tenants)}"
        yield Finding(Gravity.ADVICE, about, text, remedy)
    if not (grants or tenants or gathered.grants.missing or gathered.tenants.missing):
        yield fine(about, "No grant or EntraTenant left them.")


def _left(read: Read, operator: Operator, named: str) -> list[str]:
    """Return the names of what the release made and its values lack, in order."""
    names = set(named.split(","))
    found = (d for d in read.items if d.name not in names and _is_made_by(operator, d))
    return sorted(d.name for d in found if not _is_applied_by_others(d))


def _is_made_by(operator: Operator, document: Document) -> bool:
    instance = operator.deployment.text("metadata", "labels", _INSTANCE)
    found = {
        mark: document.text("metadata", kind, mark)
        for kind in ("annotations", "labels")
        for mark in (*_MARKS, *_RELEASE, _INSTANCE)
        if document.text("metadata", kind, mark)
    }
    # What is rendered without an installation, as by Argo CD, has no marks of helm's own.
    release = dict(zip(_RELEASE, (instance, operator.namespace), strict=True))
    wanted = {**_MARKS, _INSTANCE: instance, **{k: v for k, v in release.items() if k in found}}
    is_leaving = document.at("metadata", "deletionTimestamp") is not None
    return not is_leaving and wanted.items() <= found.items()


def _is_applied_by_others(document: Document) -> bool:
    """Return whether somebody else than the chart declares it, such as Flux under the same name.

    The marks survive that. The chart's own manager, whatever its name, owns the mark that the
    templates make; if two do, one of them applies what was exported with it. An edit declares
    nothing.
    """
    markers, appliers = set[str](), set[str]()
    for entry in document.entries("metadata", "managedFields"):
        annotations, manager = _annotations(entry), entry.text("manager")
        is_apply = entry.text("operation") == "Apply"
        if _POLICY in annotations:
            markers.add(manager)
        if _APPLIED in annotations or (is_apply and entry.at("fieldsV1", "f:spec") is not None):
            appliers.add(manager)
    return bool(appliers - markers) or (len(markers) > 1 and bool(appliers))


def _annotations(entry: Document) -> Mapping[str, Any]:
    found = entry.at("fieldsV1", "f:metadata", "f:annotations")
    return found if isinstance(found, Mapping) else {}


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
