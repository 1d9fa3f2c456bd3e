"""What a restart leaves in a workload is no drift to Argo CD and Flux, and stays when they apply.

On a real API server with its controllers, as whom both tools apply and compare.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from appcredential.domain.observed.workloads import Progress, Selection, Workload
from appcredential.kube.client import KubeClient
from appcredential.kube.workloads import KubeWorkloads
from localcluster import Cluster
from tests.conftest import wait_until
from tests.support.builders import NOW
from tests.support.clock import HandClock
from tests.support.workloads import RESTARTED_AT, whole

pytestmark = pytest.mark.cluster

WAYS: Final = {
    "kubectl": (),
    "argo cd": ("--server-side", "--field-manager=argocd-controller", "--force-conflicts"),
    "flux": ("--server-side", "--field-manager=kustomize-controller", "--force-conflicts"),
}
KINDS: Final = ("Deployment", "StatefulSet", "DaemonSet")
USING: Final = Selection(secret="orders-entra")


def manifest(kind: str, namespace: str) -> dict[str, Any]:
    """Return a workload as it stands in Git; no scheduler places its pods."""
    labels = {"app": kind.lower()}
    container = {
        "name": "app",
        "image": "app",
        "envFrom": [{"secretRef": {"name": "orders-entra"}}],
    }
    template = {
        "metadata": {"labels": labels, "annotations": {"theirs": "kept"}},
        "spec": {"schedulerName": "nobody", "containers": [container]},
    }
    own: dict[str, Any] = {} if kind == "DaemonSet" else {"replicas": 0}
    own |= {"serviceName": "app"} if kind == "StatefulSet" else {}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": kind.lower(), "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **own},
    }


async def look(cluster: Cluster, namespace: str) -> tuple[Workload, ...]:
    client = await KubeClient.connect(HandClock(), str(cluster.kubeconfig))
    try:
        return whole((await KubeWorkloads(client).selected(namespace, {USING}))[USING])
    finally:
        await client.close()


async def restart(cluster: Cluster, namespace: str) -> None:
    """Restart all workloads, each as it was just listed, until no controller comes between."""
    client = await KubeClient.connect(HandClock(), str(cluster.kubeconfig))
    port = KubeWorkloads(client)
    try:
        for workload in whole((await port.selected(namespace, {USING}))[USING]):
            await port.restart(namespace, workload, NOW)
    finally:
        await client.close()


@pytest.mark.parametrize("way", WAYS)
async def test_a_restart_is_no_drift(cluster: Cluster, namespace: str, way: str) -> None:
    documents = [manifest(kind, namespace) for kind in KINDS]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})

    def apply() -> None:
        cluster.kubectl("apply", *WAYS[way], "-f", "-", input=text)

    def live(kind: str) -> dict[str, Any]:
        words = ("get", kind.lower(), kind.lower(), "-n", namespace, "-o", "json")
        found: dict[str, Any] = json.loads(cluster.kubectl(*words).stdout)
        return found

    def is_seen(kind: str) -> bool:
        found = live(kind)
        seen = found["status"].get("observedGeneration")
        return bool(found["metadata"]["generation"] == seen)

    apply()
    for kind in KINDS:
        wait_until(_of(is_seen, kind), f"the controller has seen {kind}")
    before = await look(cluster, namespace)
    assert [str(w) for w in before] == [
        "DaemonSet/daemonset",
        "Deployment/deployment",
        "StatefulSet/statefulset",
    ]
    assert {w.progress for w in before} == {Progress.COMPLETE}
    await restart(cluster, namespace)
    for kind in KINDS:
        found = live(kind)
        stamps = found["spec"]["template"]["metadata"]["annotations"]
        assert stamps == {"theirs": "kept", RESTARTED_AT: "2026-11-22T10:00:00Z"}
        assert found["metadata"]["generation"] == 2, "its controller replaces the pods"
        wait_until(_of(is_seen, kind), f"the controller has seen {kind}")
    difference = cluster.kubectl("diff", *WAYS[way], "-f", "-", input=text, check=False)
    assert (difference.returncode, difference.stdout) == (0, ""), "the tool sees a drift"
    apply()
    for kind in KINDS:
        assert live(kind)["metadata"]["generation"] == 2, "the tool takes the restart back"
    after = await look(cluster, namespace)
    assert {w.stamps for w in after} == {(NOW,)}
    assert {w.progress for w in after} == {Progress.COMPLETE}


def _of(question: Callable[[str], bool], kind: str) -> Callable[[], bool]:
    return lambda: question(kind)
