"""Helm, built once from its module, for the chart and its tests."""

from __future__ import annotations

from pathlib import Path

from localcluster import gobuild
from localcluster.cache import cache_folder
from localcluster.progress import Progress, silent

SOURCES = Path(__file__).with_name("helm")
MODULE = "helm.sh/helm/v3"
BINARY = "helm"


def helm_version(sources: Path = SOURCES) -> str:
    """Return the version that go.mod requires, such as `v3.22.0`."""
    return gobuild.required_version(sources, MODULE)


def locate_helm(progress: Progress = silent) -> Path:
    """Return the path of helm; build it if it is missing (90 seconds on two cores).

    Raises:
        BuildError: there is no usable Go, or the build failed; the message shows its end.
    """
    cache = cache_folder()
    name = f"helm-{helm_version()}-{gobuild.digest_of(SOURCES, ('go.mod', 'go.sum'))}"

    def fill(folder: Path) -> None:
        title = f"building helm {helm_version()} (once; a minute and a half on two cores)"
        flags = gobuild.linker_flags(_stamps())
        package = f"{MODULE}/cmd/helm"
        target = folder / BINARY
        gobuild.compile_package(SOURCES, package, target, flags, cache, progress, title=title)

    waiting = "another process is building helm: waiting for it"
    return gobuild.once(cache, name, progress, waiting, fill) / BINARY


def _stamps() -> dict[str, str]:
    """Return the linker variables with Kubernetes' version; `helm template` assumes an old one."""
    _, minor, *_ = gobuild.required_version(SOURCES, "k8s.io/client-go").split(".")
    stamps = {f"{MODULE}/internal/version.version": helm_version()}
    for package in ("pkg/lint/rules", "pkg/chartutil"):
        stamps[f"{MODULE}/{package}.k8sVersionMajor"] = "1"
        stamps[f"{MODULE}/{package}.k8sVersionMinor"] = minor
    return stamps
