"""Build the single Kubernetes binary, once per version of its sources."""

from __future__ import annotations

from pathlib import Path

from localcluster import gobuild
from localcluster.progress import Progress

SOURCES = Path(__file__).with_name("kube")
BINARY = "kube"
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")


def kubernetes_version(sources: Path = SOURCES) -> str:
    """Return the version that go.mod requires, such as `v1.36.3`."""
    return gobuild.required_version(sources, "k8s.io/kubernetes")


def build_name(sources: Path = SOURCES) -> str:
    """Return a name made of everything that decides the content of the build."""
    digest = gobuild.digest_of(sources, ("go.mod", "go.sum", "main.go"))
    return f"{kubernetes_version(sources)}-{digest}"


def built_folder(cache: Path) -> Path | None:
    """Return the folder of a finished build; None if there is none."""
    folder = cache / build_name()
    return folder if (folder / BINARY).exists() else None


def build(cache: Path, progress: Progress) -> Path:
    """Return the folder of the build; build now if it is missing."""

    def fill(folder: Path) -> None:
        _compile(folder / BINARY, cache, progress)
        for component in COMPONENTS:
            (folder / component).symlink_to(BINARY)

    waiting = "another process is building Kubernetes: waiting for it"
    return gobuild.once(cache, build_name(), progress, waiting, fill)


def _compile(target: Path, cache: Path, progress: Progress) -> None:
    version = kubernetes_version()
    title = f"building Kubernetes {version} (once; about six minutes on two cores)"
    flags = gobuild.linker_flags(kubernetes_stamps(version))
    gobuild.compile_package(SOURCES, ".", target, flags, cache, progress, title=title)


def kubernetes_stamps(version: str) -> dict[str, str]:
    """Return the linker variables with the version; without them the server reports 0.0."""
    major, minor, *_ = version.removeprefix("v").split(".")
    values = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
    }
    return {f"k8s.io/component-base/version.{name}": to for name, to in values.items()}
