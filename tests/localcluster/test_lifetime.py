"""Clusters come up whole, fail readably and leave nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from localcluster import Binaries, Cluster, ClusterError, ComponentError

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).parents[2]


def is_alive(pid: int) -> bool:
    """A process that only waits to be reaped by somebody else counts as gone."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def poll(condition: Callable[[], object], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(held)


def test_stop_leaves_no_process_and_no_folder(binaries: Binaries) -> None:
    said: list[str] = []
    cluster = Cluster(binaries=binaries, scheduler=True, progress=said.append).start()
    pids, folder = cluster.pids, cluster.folder
    assert set(pids) == {
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
    }
    assert all(map(is_alive, pids.values()))
    assert said[-1].startswith(f"Kubernetes is ready at {cluster.server}")
    with pytest.raises(ClusterError, match="already started"):
        cluster.start()

    cluster.stop()
    assert not any(map(is_alive, pids.values()))
    assert not folder.exists()
    cluster.stop()
    with pytest.raises(ClusterError, match="not running"):
        cluster.kubectl("version")


def test_components_outlive_the_thread_that_started_them(binaries: Binaries) -> None:
    cluster = Cluster(binaries=binaries)
    thread = threading.Thread(target=cluster.start)
    thread.start()
    thread.join()
    try:
        # The kernel would have signalled before join returned.
        assert cluster.kubectl("get", "namespaces").returncode == 0
        cluster.check()
    finally:
        cluster.stop()


def test_a_killed_parent_takes_its_components_along(tmp_path: Path) -> None:
    script = "import localcluster\nc = localcluster.Cluster().start()\n"
    script += "print(*c.pids.values(), flush=True)\nprint(c.folder, flush=True)\ninput()\n"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        folder = Path(parent.stdout.readline().strip())
        parent.kill()
    assert len(pids) == 3
    assert poll(lambda: not any(map(is_alive, pids)))
    assert folder.parent == tmp_path

    # Nobody could remove the folder; the next cluster does.
    script = "import localcluster\nlocalcluster.Cluster().start()\n"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=True)
    # That one never called stop, but ended in order.
    assert list(tmp_path.iterdir()) == []


def test_a_crash_is_reported_with_the_end_of_the_log(binaries: Binaries) -> None:
    with Cluster(binaries=binaries) as cluster:
        os.kill(cluster.pids["kube-apiserver"], signal.SIGKILL)
        assert poll(lambda: not is_alive(cluster.pids["kube-apiserver"]))
        with pytest.raises(ComponentError, match="kube-apiserver was killed") as caught:
            cluster.kubectl("get", "namespaces")
    assert "\n  | " in str(caught.value)


def test_a_component_that_cannot_start_is_named_with_its_words(
    binaries: Binaries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    broken = tmp_path / "etcd"
    broken.write_text("#!/bin/sh\necho 'the disk is made of cheese'\nexit 7\n", encoding="ascii")
    broken.chmod(0o755)
    with pytest.raises(ComponentError, match=r"(?s)etcd ended \(7\).*made of cheese"):
        Cluster(binaries=replace(binaries, etcd=broken)).start()
    assert list(tmp_path.iterdir()) == [broken]


def test_a_component_that_never_becomes_ready_is_named(binaries: Binaries, tmp_path: Path) -> None:
    idle = tmp_path / "kube-apiserver"
    idle.write_text("#!/bin/sh\necho 'thinking'\nexec sleep 60\n", encoding="ascii")
    idle.chmod(0o755)
    with pytest.raises(ComponentError, match=r"(?s)kube-apiserver did not become ready.*thinking"):
        Cluster(binaries=replace(binaries, apiserver=idle), timeout=5).start()


def test_a_taken_port_leads_to_another_try(binaries: Binaries, tmp_path: Path) -> None:
    """The first etcd finds its port taken, the second is the real one."""
    unlucky = tmp_path / "etcd"
    unlucky.write_text(
        f"#!/bin/sh\nif mkdir {tmp_path}/tried 2>/dev/null; then\n"
        "  echo 'listen tcp: bind: address already in use'; exit 1\nfi\n"
        f'exec {binaries.etcd} "$@"\n',
        encoding="utf-8",
    )
    unlucky.chmod(0o755)
    with Cluster(binaries=replace(binaries, etcd=unlucky)) as cluster:
        cluster.check()
    assert (tmp_path / "tried").is_dir()
