"""The node's programs that we build: kubelet, kube-proxy, CoreDNS and the pause program."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from localcluster import gobuild
from localcluster.build import kubernetes_stamps
from localcluster.cache import cache_folder
from localcluster.progress import Progress, silent

KUBELET = Path(__file__).with_name("kubelet")
COREDNS = Path(__file__).with_name("coredns")


@dataclass(frozen=True, slots=True)
class NodeBinaries:
    """The paths of the node's programs that we build."""

    kubelet: Path
    proxy: Path
    coredns: Path
    pause: Path


def locate_node(progress: Progress = silent) -> NodeBinaries:
    """Return the programs; build them if they are missing.

    The build is quick if this machine has built the control plane before.

    Raises:
        BuildError: there is no usable Go, or the build failed; the message shows its end.
    """
    node, coredns = _build_node(progress), _build_coredns(progress)
    return NodeBinaries(
        kubelet=node / "kubelet",
        proxy=node / "kube-proxy",
        coredns=coredns / "coredns",
        pause=node / "pause",
    )


def machine_architecture() -> str:
    """Return this machine's architecture as Go and images call it."""
    names = {"x86_64": "amd64", "aarch64": "arm64"}
    return names.get(platform.machine(), platform.machine())


def _build_node(progress: Progress) -> Path:
    version = gobuild.required_version(KUBELET, "k8s.io/kubernetes")
    digest = gobuild.digest_of(KUBELET, ("go.mod", "go.sum", "main.go", "pause/main.go"))
    cache = cache_folder()

    def fill(folder: Path) -> None:
        title = f"building kubelet and kube-proxy {version} (once; a minute on two cores)"
        flags = gobuild.linker_flags(kubernetes_stamps(version))
        program = folder / "node"
        gobuild.compile_package(KUBELET, ".", program, flags, cache, progress, title=title)
        for name in ("kubelet", "kube-proxy"):
            (folder / name).symlink_to(program.name)
        title = "building the pause program"
        flags = gobuild.linker_flags({})
        pause = folder / "pause"
        gobuild.compile_package(KUBELET, "./pause", pause, flags, cache, progress, title=title)

    waiting = "another process is building the kubelet: waiting for it"
    return gobuild.once(cache, f"node-{version}-{digest}", progress, waiting, fill)


def _build_coredns(progress: Progress) -> Path:
    version = gobuild.required_version(COREDNS, "github.com/coredns/coredns")
    digest = gobuild.digest_of(COREDNS, ("go.mod", "go.sum", "main.go"))
    cache = cache_folder()

    def fill(folder: Path) -> None:
        title = f"building CoreDNS {version} (once; a minute and a half on two cores)"
        flags = gobuild.linker_flags({})
        target = folder / "coredns"
        gobuild.compile_package(COREDNS, ".", target, flags, cache, progress, title=title)

    waiting = "another process is building CoreDNS: waiting for it"
    return gobuild.once(cache, f"coredns-{version}-{digest}", progress, waiting, fill)
