"""Programs in Go that check or publish what is made here, each built once from its module.

A folder beside this file holds the go.mod and go.sum of each program: they pin its version and all
that it is built from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from localcluster import gobuild
from localcluster.cache import cache_folder
from localcluster.progress import Progress, silent

SOURCES: Final = Path(__file__).parent
TOOLS: Final = {
    "actionlint": "github.com/rhysd/actionlint",
    "crane": "github.com/google/go-containerregistry",
    "kube-score": "github.com/zegl/kube-score",
    "kubeconform": "github.com/yannh/kubeconform",
}
"""By name, the module with the program's package, which is `cmd/NAME` in each of them."""


def tool_version(name: str) -> str:
    """Return the version that the tool's go.mod requires, such as `v1.7.12`."""
    return gobuild.required_version(SOURCES / name, TOOLS[name])


def locate_tool(name: str, progress: Progress = silent) -> Path:
    """Return the path of a tool; build it if it is missing (under a minute on two cores).

    Raises:
        BuildError: there is no usable Go, or the build failed; the message shows its end.
    """
    cache, sources = cache_folder(), SOURCES / name
    version = tool_version(name)
    folder_name = f"{name}-{version}-{gobuild.digest_of(sources, ('go.mod', 'go.sum'))}"

    def fill(folder: Path) -> None:
        title = f"building {name} {version} (once; under a minute on two cores)"
        package, flags = f"{TOOLS[name]}/cmd/{name}", gobuild.linker_flags({})
        gobuild.compile_package(
            sources, package, folder / name, flags, cache, progress, title=title
        )

    waiting = f"another process is building {name}: waiting for it"
    return gobuild.once(cache, folder_name, progress, waiting, fill) / name
