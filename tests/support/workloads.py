"""Workloads as the API server shows them, and the controllers that roll them out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from appcredential.domain.observed.workloads import Workload
from appcredential.errors import UnusableListError
from tests.support.api_server import ApiServer, copied
from tests.support.builders import MINUTE, OWNER
from tests.support.pod_objects import MOUNTED, pod

RESTARTED_AT: Final = "appcredential.io/restarted-at"
PLURALS: Final = {
    "Deployment": "apps/v1/{}/deployments",
    "StatefulSet": "apps/v1/{}/statefulsets",
    "DaemonSet": "apps/v1/{}/daemonsets",
    "Rollout": "argoproj.io/v1alpha1/{}/rollouts",
}


def path_of(kind: str, name: str, namespace: str = OWNER.namespace) -> str:
    return f"/apis/{PLURALS[kind].format(f'namespaces/{namespace}')}/{name}"


def workload(
    kind: str = "Deployment",
    *,
    name: str = "orders",
    pod_spec: Mapping[str, Any] = MOUNTED,
    stamps: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    generation: int = 1,
    status: Mapping[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """Return a workload of one pod that mounts `orders-entra`, all of whose pods are new."""
    found = done(kind, generation) if status is None else dict(status)
    template = {"metadata": {"annotations": dict(stamps or {})}, "spec": dict(pod_spec)}
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "resourceVersion": "1",
            "generation": generation,
            "labels": dict(labels or {}),
        },
        "spec": {"replicas": 1, "template": template, **spec},
        "status": found,
    }


def done(kind: str, generation: int = 1) -> dict[str, Any]:
    """Return the status of a workload whose only pod is new and available."""
    match kind:
        case "Rollout":
            return {"observedGeneration": str(generation), "phase": "Healthy"}
        case "DaemonSet":
            counts = {"desiredNumberScheduled": 1, "updatedNumberScheduled": 1}
            return {"observedGeneration": generation, **counts, "numberAvailable": 1}
        case "StatefulSet":
            revisions = {"currentRevision": "b", "updateRevision": "b"}
            return {"observedGeneration": generation, **revisions, "readyReplicas": 1}
        case _:
            counts = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
            return {"observedGeneration": generation, **counts}


def rolling(kind: str, generation: int) -> dict[str, Any]:
    """Return the status of one whose new pod does not run yet."""
    found = done(kind, generation)
    if kind == "Rollout":
        return {**found, "phase": "Progressing"}
    if kind == "StatefulSet":
        return {**found, "currentRevision": "a", "updatedReplicas": 0}
    return {**found, "updatedReplicas": 0, "updatedNumberScheduled": 0}


def failed(kind: str, generation: int) -> dict[str, Any]:
    """Return the status of one whose rollout has failed, as far as its kind tells that."""
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    found = {**rolling(kind, generation), "conditions": [condition]}
    return {**found, "phase": "Degraded"} if kind == "Rollout" else found


def whole(answer: tuple[Workload, ...] | UnusableListError) -> tuple[Workload, ...]:
    """Return the workloads of an answer that names them."""
    assert isinstance(answer, tuple)
    return answer


class Fleet:
    """Workloads that use the Secret, each with a pod, and what their controllers do.

    Attributes:
        takes: how long a rollout takes.
        broken: names of those whose new pods do not start.
        restarted: names in the order in which their templates changed.
        at_once: the most rollouts at a time.
    """

    def __init__(self, api: ApiServer, takes: timedelta = 2 * MINUTE) -> None:
        self._api = api
        self.takes = takes
        self.broken: set[str] = set()
        self.restarted: list[str] = []
        self.at_once = 0
        self._known: dict[str, Mapping[str, Any]] = {}
        self._begun: dict[str, datetime] = {}

    def put(self, name: str, kind: str = "Deployment", **fields: Any) -> str:
        path = path_of(kind, name)
        self._api.put(path, workload(kind, name=name, **fields))
        self._known[path] = self._template(path)
        self._start_pod(path)
        return path

    def step(self) -> None:
        """Let the controllers see what has changed, and finish what has taken long enough."""
        now = self._api.now()
        for path in [p for p in self._known if p in self._api.objects]:
            if self._template(path) != self._known[path]:
                self._known[path] = self._template(path)
                self._begun[path] = now
                self.restarted.append(path.rsplit("/", 1)[1])
                self._set(path, rolling, more=1)
        self.at_once = max(self.at_once, len(self._begun))
        for path, begun in list(self._begun.items()):
            if path.rsplit("/", 1)[1] in self.broken:
                self._set(path, failed)
            elif now >= begun + self.takes:
                del self._begun[path]
                self._start_pod(path)
                self._set(path, done)

    def _template(self, path: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = copied(self._api.objects[path])["spec"]["template"]
        return found

    def _set(self, path: str, status: Any, more: int = 0) -> None:
        found = copied(self._api.objects[path])
        kind = next(k for k, plural in PLURALS.items() if plural.rsplit("/", 1)[1] in path)
        found["metadata"]["generation"] += more
        self._api.put(path, {**found, "status": status(kind, found["metadata"]["generation"])})

    def _start_pod(self, path: str) -> None:
        name = path.rsplit("/", 1)[1]
        owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": name, "controller": True}
        pods = f"/api/v1/namespaces/{OWNER.namespace}/pods/{name}"
        self._api.objects.pop(pods, None)
        spec = self._template(path)["spec"]
        owners = ({**owner, "uid": "u"},)
        self._api.put(pods, pod(self._api.now(), spec=spec, name=name, owners=owners))
