"""Where the components are: in a folder that the user names, or in our own build."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from localcluster.build import COMPONENTS, build
from localcluster.cache import cache_folder
from localcluster.errors import ClusterError
from localcluster.progress import Progress, silent

ASSETS = "KUBEBUILDER_ASSETS"
#: Kubebuilder's archives contain exactly these three.
IN_ASSETS = ("etcd", "kube-apiserver", "kubectl")


@dataclass(frozen=True, slots=True)
class Binaries:
    """The path of every component."""

    etcd: Path
    apiserver: Path
    controller_manager: Path
    scheduler: Path
    kubectl: Path

    @property
    def folder(self) -> Path:
        """The folder to put on PATH for kubectl."""
        return self.kubectl.parent


def locate(progress: Progress = silent) -> Binaries:
    """Find the binaries; build them if they are missing.

    Raises:
        ClusterError: KUBEBUILDER_ASSETS names a folder without the binaries.
        BuildError: the build failed.
    """
    assets = os.environ.get(ASSETS)
    if not assets:
        return _of(dict.fromkeys(COMPONENTS, build(cache_folder(), progress)))
    return _from_assets(Path(assets).expanduser().absolute(), progress)


def _from_assets(folder: Path, progress: Progress) -> Binaries:
    missing = [name for name in IN_ASSETS if not os.access(folder / name, os.X_OK)]
    if missing:
        raise ClusterError(
            f"{ASSETS} is {folder}, but no executable {', '.join(missing)} is there. "
            f"Name a folder that has {', '.join(IN_ASSETS)}, "
            f"or unset {ASSETS} to use a build of our own."
        )
    homes = {name: folder for name in COMPONENTS if os.access(folder / name, os.X_OK)}
    lacking = [name for name in COMPONENTS if name not in homes]
    if lacking:
        progress(f"{folder} has no {' and no '.join(lacking)}: using our own build for it")
        ours = build(cache_folder(), progress)
        homes.update(dict.fromkeys(lacking, ours))
        _warn_about_skew(folder / "kube-apiserver", ours / "kube-controller-manager", progress)
    return _of(homes)


def _of(homes: dict[str, Path]) -> Binaries:
    return Binaries(
        etcd=homes["etcd"] / "etcd",
        apiserver=homes["kube-apiserver"] / "kube-apiserver",
        controller_manager=homes["kube-controller-manager"] / "kube-controller-manager",
        scheduler=homes["kube-scheduler"] / "kube-scheduler",
        kubectl=homes["kubectl"] / "kubectl",
    )


def version_of(binary: Path) -> str:
    """Return the version that a Kubernetes component reports, such as `v1.36.3`."""
    try:
        answer = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ClusterError(f"{binary} --version does not answer: {error}") from error
    found = re.search(r"v\d+\.\d+\.\d+\S*", answer.stdout)
    return found.group() if found else answer.stdout.strip()


def _warn_about_skew(theirs: Path, ours: Path, progress: Progress) -> None:
    """Warn about different versions: Kubernetes supports no manager newer than its API server."""
    server, manager = version_of(theirs), version_of(ours)
    if server.split(".")[:2] != manager.split(".")[:2]:
        progress(f"note: kube-apiserver is {server} but kube-controller-manager is {manager}")
