"""Building the one Kubernetes binary, once for each version of its sources."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
from pathlib import Path

from localcluster.cache import locked
from localcluster.errors import BuildError
from localcluster.longrun import run_with_progress
from localcluster.progress import Progress
from localcluster.toolchain import find_go, required_go

SOURCES = Path(__file__).with_name("kube")
BINARY = "kube"
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")


def kubernetes_version(sources: Path = SOURCES) -> str:
    """The version that go.mod requires, such as `v1.36.3`."""
    text = (sources / "go.mod").read_text(encoding="utf-8")
    found = re.search(r"^\s*k8s\.io/kubernetes (v\d+\.\d+\.\d+\S*)$", text, re.MULTILINE)
    if found is None:
        raise BuildError(f"{sources / 'go.mod'} does not require k8s.io/kubernetes")
    return found.group(1)


def build_name(sources: Path = SOURCES) -> str:
    """Names the build by everything that decides what it is."""
    digest = hashlib.sha256(platform.machine().encode())
    for name in ("go.mod", "go.sum", "main.go"):
        digest.update((sources / name).read_bytes())
    return f"{kubernetes_version(sources)}-{digest.hexdigest()[:12]}"


def built_folder(cache: Path) -> Path | None:
    """The folder of a finished build, if there is one."""
    folder = cache / build_name()
    return folder if (folder / BINARY).exists() else None


def build(cache: Path, progress: Progress) -> Path:
    """The folder of the build, made now when it is missing."""
    name = build_name()
    waiting = "another process is building Kubernetes: waiting for it"
    with locked(cache / f"{name}.lock", progress, waiting):
        finished = built_folder(cache)
        if finished is not None:
            return finished
        unfinished = cache / f".{name}.unfinished"
        # Left by an interrupted build; we hold the lock, so nobody is at work in it.
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            _compile(unfinished / BINARY, cache, progress)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        for component in COMPONENTS:
            (unfinished / component).symlink_to(BINARY)
        # The name appears only when everything in the folder is whole.
        return unfinished.rename(cache / name)


def _compile(target: Path, cache: Path, progress: Progress) -> None:
    go = find_go(required_go(SOURCES / "go.mod"), cache, progress)
    version = kubernetes_version()
    command = [str(go), "build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly"]
    command += ["-ldflags", _linker_flags(version), "-o", str(target), "."]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    # Another toolchain's root or another platform would break ours without a word.
    for name in ("GOROOT", "GOOS", "GOARCH", "GOFLAGS"):
        environment.pop(name, None)
    title = f"building Kubernetes {version} (once; about six minutes on two cores)"
    run_with_progress(title, command, environment, progress, folder=SOURCES, summary=_summary)


def _linker_flags(version: str) -> str:
    """Without a version, clients see a server of version 0.0."""
    major, minor, *_ = version.removeprefix("v").split(".")
    values = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
    }
    stamps = (f"-X k8s.io/component-base/version.{name}={to}" for name, to in values.items())
    return " ".join(["-s", "-w", *stamps])


def _summary(lines: int, last: str) -> str:
    """`go build -v` prints one line for each module it fetches and package it compiles."""
    if not lines:
        return ""
    return f", {lines} modules and packages so far: {last.removeprefix('go: ')}"
