"""Which binaries are used, and how they are made."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from localcluster import Binaries, BuildError, Cluster, ClusterError, locate
from localcluster import build as building
from localcluster.binaries import IN_ASSETS, version_of
from localcluster.longrun import run_with_progress


@pytest.fixture
def assets(binaries: Binaries, tmp_path: Path) -> Path:
    """A folder as Kubebuilder's archives have it."""
    folder = tmp_path / "assets"
    folder.mkdir()
    sources = (binaries.etcd, binaries.apiserver, binaries.kubectl)
    for name, source in zip(IN_ASSETS, sources, strict=True):
        (folder / name).symlink_to(source)
    return folder


@pytest.mark.cluster
def test_assets_are_used_and_completed_from_our_build(
    binaries: Binaries, assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    said: list[str] = []
    with Cluster(progress=said.append) as cluster:
        used = cluster.binaries
        assert (used.etcd, used.apiserver, used.kubectl) == tuple(assets / n for n in IN_ASSETS)
        assert used.controller_manager.parent != assets
        server = Path(f"/proc/{cluster.pids['kube-apiserver']}/cmdline").read_bytes()
        assert server.startswith(os.fsencode(assets / "kube-apiserver"))
    assert "has no kube-controller-manager and no kube-scheduler" in said[0]


@pytest.mark.cluster
def test_incomplete_assets_are_refused_with_what_is_missing(
    assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (assets / "etcd").unlink()
    (assets / "kubectl").unlink()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    with pytest.raises(ClusterError, match=r"no executable etcd, kubectl is there"):
        locate()


@pytest.mark.cluster
def test_the_build_names_its_version(binaries: Binaries) -> None:
    if "KUBEBUILDER_ASSETS" in os.environ:
        pytest.skip("these binaries are not our build")
    assert version_of(binaries.apiserver) == building.kubernetes_version()


def test_a_build_is_named_by_its_sources(tmp_path: Path) -> None:
    sources = tmp_path / "kube"
    shutil.copytree(building.SOURCES, sources)
    before = building.build_name(sources)
    assert before == building.build_name()
    assert before.startswith(f"{building.kubernetes_version()}-")
    with (sources / "main.go").open("a", encoding="utf-8") as file:
        file.write("// changed\n")
    assert building.build_name(sources) != before


def test_a_build_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(target: Path, *_: object) -> None:
        target.write_text("half", encoding="ascii")
        raise BuildError("no space left")

    def succeed(target: Path, *_: object) -> None:
        target.write_text("whole", encoding="ascii")

    monkeypatch.setattr(building, "_compile", fail)
    with pytest.raises(BuildError):
        building.build(tmp_path, print)
    assert building.built_folder(tmp_path) is None
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]

    monkeypatch.setattr(building, "_compile", succeed)
    folder = building.build(tmp_path, print)
    assert {path.read_text(encoding="ascii") for path in folder.iterdir()} == {"whole"}
    assert {path.name for path in folder.iterdir()} == {"kube", *building.COMPONENTS}

    monkeypatch.setattr(building, "_compile", fail)
    assert building.build(tmp_path, print) == folder


def test_a_long_command_is_seen_to_be_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localcluster.longrun.INTERVAL", 0.05)
    said: list[str] = []
    script = "import time; print('halfway', flush=True); time.sleep(0.5)"
    command = [sys.executable, "-c", script]
    run_with_progress("working", command, {}, said.append, summary=lambda _, last: f", {last}")
    assert said[0] == "working"
    assert said[-2].startswith("  … ")
    assert said[-2].endswith(", halfway")
    assert said[-1].startswith("  done in ")


def test_a_failed_command_shows_the_end_of_its_output() -> None:
    command = [sys.executable, "-c", "print('no such module'); raise SystemExit(2)"]
    with pytest.raises(BuildError, match=r"(?s)^building failed .*no such module"):
        run_with_progress("building", command, {}, print)


def test_a_missing_command_is_named() -> None:
    with pytest.raises(BuildError, match="cannot run absent-command"):
        run_with_progress("building", ["absent-command"], {}, print)
