"""`python -m localcluster` as a person uses it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster import Binaries

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).parents[2]


class Person:
    """Types commands, with a cache and a temporary folder of their own."""

    def __init__(self, folder: Path, binaries: Binaries) -> None:
        self.cache, self.temporary, assets = folder / "cache", folder / "tmp", folder / "assets"
        for made in (self.cache, self.temporary, assets):
            made.mkdir()
        for binary in (
            *(binaries.etcd, binaries.apiserver, binaries.kubectl),
            *(binaries.controller_manager, binaries.scheduler),
        ):
            (assets / binary.name).symlink_to(binary)
        self.environment = {
            **os.environ,
            "APPCREDENTIAL_CACHE": str(self.cache),
            "KUBEBUILDER_ASSETS": str(assets),
            "TMPDIR": str(self.temporary),
        }

    def runs(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "localcluster", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def leftovers(self) -> list[str]:
        """Files of a cluster; empty lock files may stay."""
        kept = [path.name for path in self.cache.iterdir() if path.suffix != ".lock"]
        return kept + [path.name for path in self.temporary.iterdir()]


@pytest.fixture
def person(tmp_path: Path, binaries: Binaries) -> Iterator[Person]:
    someone = Person(tmp_path, binaries)
    yield someone
    someone.runs("down")


def test_up_and_down(person: Person) -> None:
    first = person.runs("up", "--scheduler")
    assert first.returncode == 0, first.stderr
    path, kubeconfig = first.stdout.splitlines()
    assert path.startswith("export PATH=")
    assert kubeconfig.startswith("export KUBECONFIG=")
    assert "Kubernetes is ready" in first.stderr

    shell = f"{first.stdout}\nkubectl get --raw /readyz"
    answer = subprocess.run(
        ["sh", "-c", shell], env=person.environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "ok"

    again = person.runs("up")
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert "already up" in again.stderr
    status = person.runs("status")
    assert status.returncode == 0
    assert "kube-scheduler" in status.stdout
    assert person.runs("kubectl", "--", "get", "--raw", "/livez").stdout == "ok"

    assert person.runs("down").returncode == 0
    assert person.leftovers() == []
    assert person.runs("status").returncode == 3
    assert "no cluster was running" in person.runs("down").stderr
    refused = person.runs("kubectl", "get", "namespaces")
    assert refused.returncode == 1
    assert "python -m localcluster up" in refused.stderr


def test_a_crash_is_told_by_status_and_mended_by_up(person: Person) -> None:
    assert person.runs("up").returncode == 0
    state = json.loads((person.cache / "cluster.json").read_text(encoding="utf-8"))
    os.kill(state["components"]["etcd"], signal.SIGKILL)
    deadline = time.monotonic() + 20
    while (status := person.runs("status")).returncode == 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "etcd was killed by signal 9" in status.stderr
    assert person.runs("up").returncode == 0


def test_a_killed_keeper_leaves_nothing_after_down(person: Person) -> None:
    assert person.runs("up").returncode == 0
    state = json.loads((person.cache / "cluster.json").read_text(encoding="utf-8"))
    os.kill(state["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 20
    while person.runs("status").returncode == 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert person.runs("down").returncode == 0
    assert person.leftovers() == []


def test_a_failing_start_is_told_at_once(person: Person) -> None:
    etcd = Path(person.environment["KUBEBUILDER_ASSETS"]) / "etcd"
    etcd.unlink()
    etcd.write_text("#!/bin/sh\necho 'made of cheese'\nexit 7\n", encoding="ascii")
    etcd.chmod(0o755)
    failed = person.runs("up")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "error: etcd ended (7)" in failed.stderr
    assert "made of cheese" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert list(person.temporary.iterdir()) == []
