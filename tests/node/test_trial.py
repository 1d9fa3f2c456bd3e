"""The trial in pods: one command, a credential that a workload signs in with, and its end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from localcluster import Cluster
from tests.chart.helming import CHART, NAMESPACE, RELEASE, Helm, flags
from tests.chart.released import QUICK
from tests.conftest import wait_until
from tests.integration.installation import CORE, GROUP, Kube, condition_of
from tests.node import pods

pytestmark = [pytest.mark.node, pytest.mark.image]
TEAM = "appcredential-trial"
EXAMPLE = f"{GROUP}/namespaces/{TEAM}/appcredentials/example"


def test_a_trial_works_after_one_command(
    equipped: Cluster, node_helm: Helm, tell: Callable[[str], None]
) -> None:
    kube = Kube(equipped)
    node_helm.run("install", RELEASE, CHART, "-n", NAMESPACE, "--set", "trial.enabled=true")
    try:
        _is_ready(equipped, kube)
        workload = _signs_in(equipped)
        for pod in pods.pods(equipped, NAMESPACE, ""):
            name, seconds = pod["metadata"]["name"], pods.cold_start(pod)
            tell(f"{name}: Ready {seconds:.0f} s after its container started")
        _outlives_its_emulator(equipped, node_helm, workload)
        _ends_as_the_notes_say(equipped, kube, node_helm)
    finally:
        node_helm.run("uninstall", RELEASE, "-n", NAMESPACE, "--ignore-not-found", "--wait")


def _is_ready(cluster: Cluster, kube: Kube) -> None:
    def ready() -> bool:
        found = pods.pods(cluster, NAMESPACE, "")
        return len(found) == 3 and all(map(pods.is_ready, found))

    wait_until(ready, "two replicas and the emulator are Ready", 120)
    assert pods.restarts(pods.pods(cluster, NAMESPACE, "")) == 0

    def published() -> bool:
        return condition_of(kube.get(EXAMPLE) or {}, "Ready").get("status") == "True"

    wait_until(published, "the example is Ready", 60)
    message = condition_of(kube.get(EXAMPLE) or {}, "Ready")["message"]
    assert message.startswith("TRIAL")


def _signs_in(cluster: Cluster) -> pods.Workload:
    """In the trial's namespace, which enforces *restricted*, with what the chart put there."""
    pods.provide_script(cluster, TEAM)
    words, volumes = ["secret", "/etc/credential"], pods.mounted_secret("example")
    workload = pods.Workload(cluster, TEAM, "orders", words, volumes)
    assert workload.last().refusal == ""
    return workload


def _outlives_its_emulator(cluster: Cluster, helm: Helm, workload: pods.Workload) -> None:
    """All that the emulator knew goes with its pod, and the example is issued anew."""
    short = flags({"settings": QUICK, "trial.enabled": True})
    helm.run("upgrade", RELEASE, CHART, "-n", NAMESPACE, *short, "--wait")
    before = workload.last()
    assert before.refusal == ""
    emulator = "app.kubernetes.io/component=entra-emulator"
    cluster.kubectl("delete", "pod", "-n", NAMESPACE, "-l", emulator, timeout=90)

    def follows() -> bool:
        last = workload.sign_ins()[-1]
        return last.sha256 != before.sha256 and last.refusal == ""

    wait_until(follows, "the workload signs in with another secret", 120)


def _ends_as_the_notes_say(cluster: Cluster, kube: Kube, helm: Helm) -> None:
    notes = helm.run("get", "notes", RELEASE, "-n", NAMESPACE)
    commands = [line.split() for line in notes.splitlines() if line.startswith("  kubectl delete")]
    assert len(commands) == 4
    for _, *words in commands:
        cluster.kubectl(*words, timeout=120)
    for plural in ("appcredentials", "applicationgrants", "entratenants"):
        assert kube.items(f"{GROUP}/{plural}") == []
    assert kube.get(f"{CORE}/namespaces/{TEAM}") is None
    ticket = "labelSelector=appcredential.io/ticket=true"
    assert kube.items(f"{CORE}/namespaces/{NAMESPACE}/configmaps?{ticket}") == []
