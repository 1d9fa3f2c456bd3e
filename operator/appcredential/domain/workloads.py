"""What counts of a workload that may have to be restarted: its pods' template, and its rollout.

A custom resource, such as a Rollout, may have any shape: what is not as expected never counts as
complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, assert_never

from appcredential.domain.observed.workloads import Progress, Workload, WorkloadKind
from appcredential.domain.pod_secrets import used_secrets
from appcredential.domain.times import parse_time

RESTARTED_AT: Final = "appcredential.io/restarted-at"
"""The one annotation of a pod template that the operator writes."""
_STAMPS: Final = (RESTARTED_AT, "kubectl.kubernetes.io/restartedAt")


def listed(
    kind: WorkloadKind, document: Mapping[str, Any]
) -> tuple[Workload, frozenset[str]] | None:
    """Return a workload as it was listed, and which Secrets its pods use.

    None if it has no pods of its own, or is being deleted.

    Raises:
        ValueError: it is no workload at all.
    """
    metadata, spec, status = (_part(document, name) for name in ("metadata", "spec", "status"))
    name, uid, version = (str(metadata.get(k) or "") for k in ("name", "uid", "resourceVersion"))
    if not name or not uid or not version or not spec:
        raise ValueError("an entry in a list of workloads is none")
    template = _part(spec, "template")
    if not template or "deletionTimestamp" in metadata:
        return None
    annotations = _part(_part(template, "metadata"), "annotations")
    found = (parse_time(annotations.get(name)) for name in _STAMPS)
    workload = Workload(
        kind=kind,
        name=name,
        uid=uid,
        resource_version=version,
        stamps=tuple(stamp for stamp in found if stamp is not None),
        progress=_progress(kind, metadata, spec, status),
        pods=_wanted(kind, spec, status),
        is_paused=spec.get("paused") is True,
    )
    return workload, used_secrets(_part(template, "spec"))


def _progress(
    kind: WorkloadKind,
    metadata: Mapping[str, Any],
    spec: Mapping[str, Any],
    status: Mapping[str, Any],
) -> Progress:
    """Return how far a rollout is, as `kubectl rollout status` judges it."""
    # A Rollout's is a text.
    if str(status.get("observedGeneration")) != str(metadata.get("generation")):
        return Progress.UNDER_WAY
    if _has_failed(kind, status):
        return Progress.FAILED
    if _is_complete(kind, status, _wanted(kind, spec, status)):
        return Progress.COMPLETE
    return Progress.HELD if _leaves_the_rest(spec, status) else Progress.UNDER_WAY


def _leaves_the_rest(spec: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
    """Return whether a DaemonSet or StatefulSet has replaced all pods that it replaces by itself.

    Those above a partition it does, one after the other.
    """
    strategy, pods = _part(spec, "updateStrategy"), _number(spec, "replicas", 1)
    if strategy.get("type") == "OnDelete":
        return True
    partition = _number(_part(strategy, "rollingUpdate"), "partition")
    is_over = _number(status, "updatedReplicas") >= pods - partition
    is_ready = _number(status, "readyReplicas") >= pods
    return partition > 0 and (partition >= pods or (is_over and is_ready))


def _has_failed(kind: WorkloadKind, status: Mapping[str, Any]) -> bool:
    match kind:
        case WorkloadKind.DEPLOYMENT:
            return any(
                condition.get("reason") == "ProgressDeadlineExceeded"
                for condition in status.get("conditions") or ()
            )
        case WorkloadKind.ROLLOUT:
            return status.get("phase") == "Degraded"
        case WorkloadKind.DAEMON_SET | WorkloadKind.STATEFUL_SET:
            return False  # they go on trying, and tell nobody that it is in vain
        case _:
            assert_never(kind)


def _is_complete(kind: WorkloadKind, status: Mapping[str, Any], wanted: int) -> bool:
    match kind:
        case WorkloadKind.DEPLOYMENT:
            updated = _number(status, "updatedReplicas")
            is_alone = _number(status, "replicas") <= updated
            return updated >= wanted and is_alone and _number(status, "availableReplicas") >= wanted
        case WorkloadKind.DAEMON_SET:
            updated = _number(status, "updatedNumberScheduled")
            return updated >= wanted and _number(status, "numberAvailable") >= wanted
        case WorkloadKind.STATEFUL_SET:
            is_new = status.get("updateRevision") == status.get("currentRevision")
            updated = wanted if is_new else _number(status, "updatedReplicas")
            return updated >= wanted and _number(status, "readyReplicas") >= wanted
        case WorkloadKind.ROLLOUT:
            return status.get("phase") == "Healthy"
        case _:
            assert_never(kind)


def _wanted(kind: WorkloadKind, spec: Mapping[str, Any], status: Mapping[str, Any]) -> int:
    """Return how many pods a workload shall have."""
    if kind is WorkloadKind.DAEMON_SET:
        return _number(status, "desiredNumberScheduled")
    return _number(spec, "replicas", 1)


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, Mapping) else {}


def _number(document: Mapping[str, Any], name: str, default: int = 0) -> int:
    found = document.get(name, default)
    return found if isinstance(found, int) else default
