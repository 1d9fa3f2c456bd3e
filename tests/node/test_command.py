"""`make cluster NODE=1` as a person uses it: what it prints, what it needs, what it leaves."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster import Binaries
from localcluster.__main__ import main
from localcluster.cache import cache_folder
from localcluster.node import capabilities, cgroups
from localcluster.node.binaries import locate_node
from localcluster.node.configuration import PAUSE_IMAGE
from localcluster.node.images import write_archive

ROOT = Path(__file__).parents[2]


class Person:
    """Types commands, with a cache of their own that has the builds of ours."""

    #: The folders of the clusters that were started.
    names: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.cache, self.temporary = folder / "cache", folder / "tmp"
        for made in (self.cache, self.temporary):
            made.mkdir()
        for build in cache_folder().iterdir():
            if build.is_dir() and not build.name.startswith("."):
                (self.cache / build.name).symlink_to(build)
        self.environment = {
            **os.environ,
            "APPCREDENTIAL_CACHE": str(self.cache),
            "TMPDIR": str(self.temporary),
        }

    def runs(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the launcher."""
        return self.types(f"{shlex.quote(sys.executable)} -m localcluster {shlex.join(words)}")

    def types(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line in a shell."""
        return subprocess.run(
            ["sh", "-c", line],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def leftovers(self) -> list[str]:
        """Files and cgroups of a cluster; empty lock files may stay."""
        kept = [p.name for p in self.cache.iterdir() if p.suffix != ".lock" and not p.is_symlink()]
        kept += [path.name for path in self.temporary.iterdir()]
        return kept + [str(group) for name in self.names for group in cgroups.leftover(name)]


@pytest.fixture
def person(capable: None, binaries: Binaries, tmp_path: Path) -> Iterator[Person]:
    locate_node()
    someone = Person(tmp_path)
    yield someone
    someone.runs("down")


@pytest.mark.node
def test_up_load_and_down(person: Person, tmp_path: Path) -> None:
    up = person.runs("up", "--node")
    assert up.returncode == 0, up.stderr
    assert "starting containerd, CoreDNS, kubelet and kube-proxy" in up.stderr
    person.names = tuple(path.name for path in person.temporary.iterdir())
    nodes = person.types(f"{up.stdout}\nkubectl get nodes --no-headers")
    assert nodes.stdout.split()[:2] == ["node", "Ready"]
    again = person.runs("up", "--node")
    assert again.stdout == up.stdout
    assert "note:" not in again.stderr

    archive = write_archive(tmp_path / "other.tar", "localhost/other:1", locate_node().pause)
    assert person.runs("load", str(archive)).returncode == 0
    refused = person.runs("load", str(ROOT / "README.md"))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"error: the node does not take {ROOT / 'README.md'}: ")
    images = person.types(
        f"{up.stdout}\nkubectl get node node -o jsonpath='{{.status.images[*].names}}'"
    )
    assert PAUSE_IMAGE in images.stdout

    down = person.runs("down")
    assert (down.returncode, down.stderr) == (0, "stopped\n")
    assert person.leftovers() == []


def test_a_machine_that_cannot_is_told_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APPCREDENTIAL_CACHE", str(tmp_path))
    monkeypatch.setattr(capabilities, "look", lambda: capabilities.Machine(root=False))
    for command in (["up", "--node"], ["capable"]):
        assert main(command) == 1
        assert "this machine cannot run a node:\n  - a node needs root" in capsys.readouterr().err


def test_images_need_a_node(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APPCREDENTIAL_CACHE", str(tmp_path))
    assert main(["load", "image.tar"]) == 1
    assert "no node is running; start one with" in capsys.readouterr().err
