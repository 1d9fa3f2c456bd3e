"""The Go program that signs in by azidentity, built once per content of its sources."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from localcluster import gobuild
from localcluster.cache import cache_folder
from localcluster.errors import ClusterError
from localcluster.progress import Progress, silent, to_stderr

SOURCES: Final = Path(__file__).parents[1] / "entra_emulator" / "clients" / "real" / "go"
MODULE: Final = "github.com/Azure/azure-sdk-for-go/sdk/azidentity"
BINARY: Final = "signin"


def azidentity_version() -> str:
    """Return the version that go.mod requires, such as `v1.14.1`."""
    return gobuild.required_version(SOURCES, MODULE)


def locate_signin(progress: Progress = silent) -> Path:
    """Return the path of the program; build it if it is missing.

    Raises:
        BuildError: there is no usable Go, or the build failed; the message shows its end.
    """
    cache = cache_folder()
    digest = gobuild.digest_of(SOURCES, ("go.mod", "go.sum", "main.go"))
    name = f"azidentity-{azidentity_version()}-{digest}"

    def fill(folder: Path) -> None:
        title = f"building azidentity {azidentity_version()} (once; 20 seconds on two cores)"
        target, flags = folder / BINARY, gobuild.linker_flags({})
        gobuild.compile_package(SOURCES, ".", target, flags, cache, progress, title=title)

    waiting = "another process is building the program with azidentity: waiting for it"
    return gobuild.once(cache, name, progress, waiting, fill) / BINARY


def main() -> int:
    """Build it, with progress for a person; return the exit status."""
    try:
        locate_signin(to_stderr)
    except ClusterError as error:
        to_stderr(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
