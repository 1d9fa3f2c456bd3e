"""What the commands change in an AppCredential, and who may change it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from appcredential.cli.app_credential import AppCredential
from appcredential.domain.times import format_time

CHECK: Final = "appcredential.io/check"


class IssuedBefore(StrEnum):
    """The two fields that renew whatever was issued before a time."""

    ROTATE = "rotateIssuedBefore"
    REVOKE = "revokeIssuedBefore"


Patch = Mapping[str, Any]


def issued_before(field: IssuedBefore, time: datetime) -> Patch:
    """Return what asks for a successor of everything that was issued before a time."""
    return {"spec": {"rotation": {field.value: format_time(time)}}}


def suspended(*, value: bool) -> Patch:
    """Return what suspends or resumes."""
    return {"spec": {"suspend": value}}


def checked(time: datetime) -> Patch:
    """Return what asks for a look now; each time gives another value."""
    return {"metadata": {"annotations": {CHECK: time.astimezone(UTC).isoformat()}}}


def at_version(resource: AppCredential, patch: Patch) -> Patch:
    """Return a merge patch that is refused once the resource is another than was read."""
    metadata = {"resourceVersion": resource.version, "uid": resource.at("metadata", "uid")}
    return {**patch, "metadata": {**patch.get("metadata", {}), **metadata}}


# --- who applies it -------------------------------------------------------------------------

_BY_ANNOTATION: Final = (
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("meta.helm.sh/release-name", "Helm"),
)
_BY_LABEL: Final = (
    ("argocd.argoproj.io/instance", "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "Flux"),
)
_BY_MANAGER: Final = {
    "argocd-controller": "Argo CD",
    "argocd-application-controller": "Argo CD",
    "kustomize-controller": "Flux",
    "helm-controller": "Flux",
    "helm": "Helm",
}


def appliers(resource: AppCredential) -> list[str]:
    """Return the tools that apply a resource, and so may undo what is changed in the cluster."""
    return sorted(set(_appliers(resource)))


def _appliers(resource: AppCredential) -> Iterator[str]:
    annotations, labels = (resource.at("metadata", part) for part in ("annotations", "labels"))
    for found, known in ((annotations, _BY_ANNOTATION), (labels, _BY_LABEL)):
        if isinstance(found, Mapping):
            yield from (tool for key, tool in known if key in found)
    if resource.text("metadata", "labels", "app.kubernetes.io/managed-by") == "Helm":
        yield "Helm"
    for entry in resource.entries("metadata", "managedFields"):
        manager = entry.text("manager")
        if manager in _BY_MANAGER:
            yield _BY_MANAGER[manager]


def undone(resource: AppCredential, what: str) -> str:
    """Return a warning that a tool may undo a change; empty when none applies the resource.

    Args:
        resource: before the change.
        what: the field and its value, as Git should have them.
    """
    tools = " and ".join(appliers(resource))
    if not tools:
        return ""
    return f"{resource.full_name} is applied by {tools}, which may undo this: set {what} in Git."


# --- what a revocation breaks ---------------------------------------------------------------

MAX_NAMED: Final = 5


def revoked_keys(resource: AppCredential) -> list[str]:
    """Return the key ids that `revokeIssuedBefore` of now takes, as far as status knows."""
    keys = [resource.key_id, *(e.text("keyId") for e in resource.entries("status", "retiring"))]
    return [key for key in keys if key]


def consequences(resource: AppCredential, pods: list[str] | None) -> list[str]:
    """Return what a revocation takes, and who cannot sign in afterwards.

    Args:
        resource: before the revocation.
        pods: the names of the pods that use the Secret now; None if they cannot be read.
    """
    keys = ", ".join(revoked_keys(resource)) or "whatever was issued before now"
    told = [
        f"{resource.full_name}: once a new credential is published, the operator removes: {keys}."
    ]
    told += [
        f"Still in use, as status says of {entry.text('keyId')}: {entry.text('waitingFor')}."
        for entry in resource.entries("status", "retiring")
        if entry.text("waitingFor")
    ]
    if pods is None:
        told.append(
            f"Which pods use Secret {resource.secret_name} is not known, because you may not list "
            "pods here. Those that read it only at their start fail to sign in until restarted."
        )
    elif pods:
        told.append(
            f"Pods that use Secret {resource.secret_name} now: {_named(pods)}. Those that read it "
            "only at their start fail to sign in until restarted."
        )
    else:
        told.append(f"No pod uses Secret {resource.secret_name} now.")
    return told


def _named(pods: list[str]) -> str:
    more = len(pods) - MAX_NAMED
    return ", ".join(sorted(pods)[:MAX_NAMED]) + (f" and {more} others" if more > 0 else "")
