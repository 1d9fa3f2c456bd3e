"""What the holder of the operator's token tries with workloads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.chart.attempts import CREATE, HELD, TEAM, Attempt, manifest

RESTARTED_AT: Final = "appcredential.io/restarted-at"
KINDS: Final = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Rollout": "argoproj.io/v1alpha1",
}
ROLLOUTS: Final = manifest(
    "CustomResourceDefinition",
    "rollouts.argoproj.io",
    namespace="",
    version="apiextensions.k8s.io/v1",
    spec={
        "group": "argoproj.io",
        "scope": "Namespaced",
        "names": {"kind": "Rollout", "plural": "rollouts", "singular": "rollout"},
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
            }
        ],
    },
)
_ONE: Final = "may set only the annotation appcredential.io/restarted-at"
_TEMPLATE: Final = "nothing but annotations of a workload's pod template"
_MARKS: Final = "no labels, annotations, owners and finalizers of workloads"
_TIME: Final = "to nothing but a time"
_MADE: Final = "neither creates nor deletes workloads"


UNMARKED: Final = {"empty": {"annotations": None}, "bare": {}, "void": None}
"""What Argo Rollouts may have for metadata of their pod templates, by the Rollouts' names."""


def workload(kind: str, name: str = "web", namespace: str = TEAM) -> str:
    """Return a workload whose pods need no node."""
    labels = {"app": name}
    marks: Any = {"labels": labels, "annotations": {"kept": "x", "gone": "y"}}
    template = {
        "metadata": UNMARKED.get(name, marks),
        "spec": {"schedulerName": "nobody", "containers": [{"name": "web", "image": "web"}]},
    }
    served = {"serviceName": "web"} if kind == "StatefulSet" else {}
    count = {} if kind == "DaemonSet" else {"replicas": 0}
    spec = {"selector": {"matchLabels": labels}, "template": template, **served, **count}
    return manifest(kind, name, namespace=namespace, version=KINDS[kind], spec=spec)


def _patch(kind: str, change: dict[str, Any]) -> str:
    body = json.dumps(change, separators=(",", ":"))
    return f"patch {kind.lower()} web --type=merge -p {body}"


def _template(**change: Any) -> dict[str, Any]:
    return {"spec": {"template": change}}


def _stamped(value: str | None, **more: str | None) -> dict[str, Any]:
    return _template(metadata={"annotations": {RESTARTED_AT: value, **more}})


_STAMP: Final = "2026-11-22T10:00:00Z"
_CONTAINERS: Final = [{"name": "web", "image": "stolen"}]


def _refused(kind: str) -> Iterator[Attempt]:
    yield Attempt(f"a {kind}", CREATE, workload(kind, "new"), _MADE)
    yield Attempt(f"the deletion of a {kind}", f"delete {kind.lower()} web", message=_MADE)
    rows: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("a restart by another annotation", _stamped(_STAMP, theirs="z"), _ONE),
        ("the end of another annotation", _stamped(_STAMP, gone=None), _ONE),
        ("another value of one", _stamped(_STAMP, kept="z"), _ONE),
        ("a text for a time", _stamped("$(id)"), _TIME),
        ("no time", _template(metadata={"annotations": {"kept": "x"}}), _TIME),
        ("the image", _template(spec={"containers": _CONTAINERS}), _TEMPLATE),
        ("the ServiceAccount", _template(spec={"serviceAccountName": "robot"}), _TEMPLATE),
        ("a label of its pods", _template(metadata={"labels": {"a": "b"}}), _TEMPLATE),
        ("how long a new pod has to run", {"spec": {"minReadySeconds": 7}}, _TEMPLATE),
        ("how many revisions stay", {"spec": {"revisionHistoryLimit": 1}}, _TEMPLATE),
        ("its label", {"metadata": {"labels": {"a": "b"}}}, _MARKS),
        ("its annotation", {"metadata": {"annotations": {"a": "b"}}}, _MARKS),
        ("its owner", {"metadata": HELD[0]}, _MARKS),
        ("its finalizer", {"metadata": HELD[1]}, _MARKS),
    )
    for what, change, message in rows:
        # With the time that is allowed, so that only the change is refused.
        stamp = _stamped(_STAMP) if message in {_TEMPLATE, _MARKS} else {}
        yield Attempt(f"{what} of a {kind}", _patch(kind, _merged(stamp, change)), message=message)


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    found = dict(first)
    for key, value in second.items():
        inner = found.get(key)
        both = isinstance(inner, dict) and isinstance(value, dict)
        found[key] = _merged(inner, value) if both and isinstance(inner, dict) else value
    return found


WORKLOADS_REFUSED: Final = (
    *(attempt for kind in KINDS for attempt in _refused(kind)),
    Attempt(
        "a restart in kube-system",
        _patch("Deployment", _stamped(_STAMP)),
        message="no workloads in namespaces of Kubernetes",
        namespace="kube-system",
    ),
    Attempt(
        "another size of a Deployment",
        _patch("Deployment", _merged(_stamped(_STAMP), {"spec": {"replicas": 3}})),
        message=_TEMPLATE,
    ),
)
WORKLOADS_ALLOWED: Final = (
    *(
        Attempt(
            f"a restart of a Rollout whose pod template is {name}",
            _patch("Rollout", _stamped(_STAMP)).replace("web", name, 1),
        )
        for name in UNMARKED
    ),
    *(Attempt(f"a restart of a {k}", _patch(k, _stamped(_STAMP))) for k in KINDS),
    Attempt(
        "a restart beside what mutating admission adds",
        _patch("Deployment", _stamped(_STAMP, **{"mutated.example.net/x": "y"})),
    ),
)
