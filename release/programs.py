"""The programs that push, handed from a job that builds them to one that may write.

Compiling runs what others wrote. So it is done where it can change nothing; the job with the
rights finds the programs in its cache, as if it had built them.
"""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path

from release.place import ReleaseError


def pack(programs: Sequence[Path], folder: Path) -> Path:
    """Write programs of the cache, each with its folder there, into one archive; return it.

    An archive keeps what a workflow's artifacts lose: that a file may be run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "programs.tar"
    with tarfile.open(path, "w") as archive:
        for program in programs:
            archive.add(program, arcname=f"{program.parent.name}/{program.name}")
    return path


def unpack(folder: Path, cache: Path) -> None:
    """Put the programs where the cache has them.

    A folder's name in the cache is a hash of what it was built from, so a program of other sources
    is not found there.

    Raises:
        ReleaseError: there is no archive.
    """
    path = folder / "programs.tar"
    if not path.exists():
        raise ReleaseError(f"{path} is missing: run make release-programs")
    with tarfile.open(path) as archive:
        archive.extractall(cache, filter="data")
