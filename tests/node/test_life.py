"""A node comes up whole, runs pods, and its end leaves the machine as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from localcluster import Binaries, Cluster, ClusterError
from localcluster.node import cgroups, network
from localcluster.node.configuration import PAUSE_IMAGE
from localcluster.node.inside import SYSCTLS
from localcluster.runfolder import sweep
from tests.conftest import wait_until

pytestmark = pytest.mark.node
ROOT = Path(__file__).parents[2]
OF_THE_MACHINE = (*SYSCTLS, "net/ipv4/ip_forward")
HELLO = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "hello"},
    "spec": {
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "hello",
                "image": PAUSE_IMAGE,
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    },
}


def settings() -> dict[str, str]:
    """What a kubelet would change for the whole machine."""
    return {name: Path("/proc/sys", name).read_text() for name in OF_THE_MACHINE}


def traces(name: str, link: str) -> list[str]:
    """What is on the machine of the cluster with that folder name and link."""
    found = [str(folder) for folder in cgroups.leftover(name)]
    found += [
        line for line in Path("/proc/self/mountinfo").read_text().splitlines() if name in line
    ]
    found += [link] if Path("/sys/class/net", link).exists() else []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace")
            groups = (process / "cgroup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if name in words or name in groups:
            found.append(f"{process.name} {words}")
    return found


def run_hello(cluster: Cluster) -> None:
    cluster.kubectl("apply", "-f", "-", input=json.dumps(HELLO))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=60s", timeout=70)


def test_its_end_leaves_nothing(capable: None, binaries: Binaries) -> None:
    before = settings()
    with Cluster(binaries=binaries, node=True) as cluster:
        name, link, folder = cluster.folder.name, cluster.node.network.link, cluster.folder
        run_hello(cluster)
        assert len(traces(name, link)) > len(cgroups.NEEDED)
        assert settings() == before
    assert traces(name, link) == []
    assert not folder.exists()
    assert settings() == before


def test_a_killed_owner_leaves_nothing_that_the_next_does_not_remove(
    capable: None, tmp_path: Path
) -> None:
    script = "import localcluster\nc = localcluster.Cluster(node=True).start()\n"
    script += "print(c.folder, c.node.network.link, flush=True)\ninput()\n"
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        folder, link = owner.stdout.readline().split()
        name = Path(folder).name
        assert traces(name, link)
        os.kill(owner.pid, signal.SIGKILL)
    groups = cgroups.leftover(name)
    wait_until(lambda: traces(name, link) == [str(g) for g in groups], "its processes are gone")
    _swept(tmp_path)
    assert traces(name, link) == []
    assert list(tmp_path.iterdir()) == []


def _swept(folder: Path) -> None:
    import tempfile

    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        sweep()
    finally:
        tempfile.tempdir = before


def test_nothing_is_sent_to_the_node_by_another_way(noded: Cluster) -> None:
    network.assert_reached_by_link(noded.node.network)
    elsewhere = network.Network("ac-nowhere", noded.node.network.subnet)
    with pytest.raises(ClusterError, match="refusing to send anything there"):
        network.assert_reached_by_link(elsewhere)
    unrouted = network.Network("ac-nowhere", network.choose("").subnet)
    with pytest.raises(ClusterError):
        network.assert_reached_by_link(unrouted)


def test_pods_run_and_kubectl_reaches_them(noded: Cluster, tell: Callable[[str], None]) -> None:
    begun = time.monotonic()
    run_hello(noded)
    tell(f"a pod was Ready {time.monotonic() - begun:.1f} s after it was applied")
    assert noded.kubectl("logs", "hello").stdout == ""
    noded.kubectl("delete", "pod", "hello", "--timeout=30s")


def test_another_authority_does_not_verify_it(noded: Cluster, cluster: Cluster) -> None:
    said = noded.kubectl(
        "get", "nodes", f"--certificate-authority={cluster.ca_file}", check=False
    ).stderr
    assert "certificate signed by unknown authority" in said
