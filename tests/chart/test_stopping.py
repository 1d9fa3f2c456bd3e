"""What docs/ tells to type about the operator as a whole is about each of its shards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from localcluster import Cluster
from tests.chart.documented import Shell, block
from tests.chart.helming import CHART, NAMESPACE, RELEASE, Helm
from tests.docs.reading import DOCUMENTS, blocks

pytestmark = pytest.mark.cluster

SHARDS: Final = tuple(f"{RELEASE}{suffix}" for suffix in ("", "-shard-1", "-shard-2"))
LEASE: Final = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
ABOUT_ONE: Final = re.compile(
    r"kubectl (?:scale|describe|rollout \w+) deployment[/ ]appcredential\b.*"
)
"""Commands that reach the first shard alone."""


@pytest.fixture
def shell(bare: Cluster, bare_helm: Helm, helm_binary: Path, tmp_path: Path) -> Iterator[Shell]:
    """A shell on a cluster with three shards of two replicas, of which no pod runs."""
    bare.install_crds(CHART / "crds")
    bare_helm.run("install", RELEASE, CHART, "-n", NAMESPACE, "--set", "shards=3")
    yield Shell(bare, helm_binary, tmp_path)
    bare_helm.run("uninstall", RELEASE, "-n", NAMESPACE)


def replicas(cluster: Cluster) -> dict[str, int]:
    """Return how many pods each Deployment wants."""
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    found: list[dict[str, Any]] = cluster.api.call("GET", path)["items"]
    return {d["metadata"]["name"]: d["spec"]["replicas"] for d in found}


def test_what_stops_the_operator_stops_every_shard(shell: Shell, bare: Cluster) -> None:
    stopped, running = dict.fromkeys(SHARDS, 0), dict.fromkeys(SHARDS, 2)
    stop, _, start = block("guides/backup.md", "kubectl scale").splitlines()
    assert replicas(bare) == running
    shell.run(block("how-do-i.md", "kubectl scale"))
    assert replicas(bare) == stopped
    shell.run(start)
    assert replicas(bare) == running
    shell.run(stop)
    assert replicas(bare) == stopped
    shell.run(start)

    bare.api.send("POST", LEASE, {"metadata": {"name": "appcredential-claim"}})  # or is there
    assert bare.api.send("GET", f"{LEASE}/appcredential-claim")[0] == 200
    shell.run(block("upgrade.md", "kubectl delete lease appcredential-claim -n default\n"))
    assert replicas(bare) == {RELEASE: 2}
    assert bare.api.send("GET", f"{LEASE}/appcredential-claim")[0] == 404


def test_no_command_forgets_the_other_shards() -> None:
    texts = [text for d in DOCUMENTS for text in blocks(d.read_text(), "sh")]
    assert [found for text in texts for found in ABOUT_ONE.findall(text)] == []
