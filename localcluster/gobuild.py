"""Compile Go programs once into the cache, each into a folder named after its sources."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from localcluster.cache import locked
from localcluster.errors import BuildError
from localcluster.longrun import run_with_progress
from localcluster.progress import Progress
from localcluster.toolchain import find_go, required_go


def required_version(sources: Path, module: str) -> str:
    """Return the version of a module that a folder's go.mod requires, such as `v1.36.3`."""
    text = (sources / "go.mod").read_text(encoding="utf-8")
    line = rf"^(?:require)?\s*{re.escape(module)} (v\d+\.\d+\.\d+\S*)(?: // indirect)?$"
    found = re.search(line, text, re.MULTILINE)
    if found is None:
        raise BuildError(f"{sources / 'go.mod'} does not require {module}")
    return found.group(1)


def digest_of(sources: Path, names: Sequence[str]) -> str:
    """Return a short hash of the machine's architecture and of the files that define the build."""
    digest = hashlib.sha256(platform.machine().encode())
    for name in names:
        digest.update((sources / name).read_bytes())
    return digest.hexdigest()[:12]


def once(
    cache: Path, name: str, progress: Progress, waiting: str, fill: Callable[[Path], None]
) -> Path:
    """Return the folder `name` of the cache; fill it now if it is missing.

    The folder appears complete or not at all. While another process fills it, this one waits.
    """
    folder = cache / name
    with locked(cache / f"{name}.lock", progress, waiting):
        if folder.exists():
            return folder
        unfinished = cache / f".{name}.unfinished"
        # An interrupted build left it: we hold the lock, so nobody else is building.
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            fill(unfinished)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        return unfinished.rename(folder)


def compile_package(
    sources: Path,
    package: str,
    target: Path,
    flags: str,
    cache: Path,
    progress: Progress,
    *,
    title: str,
) -> None:
    """Build one package of the module in `sources` into `target`."""
    go = find_go(required_go(sources / "go.mod"), cache, progress)
    command = [str(go), "build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly"]
    command += ["-ldflags", flags, "-o", str(target), package]
    environment = build_environment()
    run_with_progress(title, command, environment, progress, folder=sources, summary=summary)


def build_environment() -> dict[str, str]:
    """Return the environment of this machine's builds without C, by the toolchain that is there."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    # Settings for another toolchain or platform would break a build silently.
    for name in ("GOROOT", "GOOS", "GOARCH", "GOFLAGS"):
        environment.pop(name, None)
    return environment


def linker_flags(values: dict[str, str]) -> str:
    """Return the flags that strip the binary and set variables of its packages."""
    return " ".join(["-s", "-w", *(f"-X {name}={to}" for name, to in values.items())])


def summary(lines: int, last: str) -> str:
    """Return the progress: `go build -v` prints a line per fetched module and compiled package."""
    if not lines:
        return ""
    return f", {lines} modules and packages so far: {last.removeprefix('go: ')}"
