"""Writing files so that a reader never sees half of one, and private ones stay private."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Create a file with mode 0600; one that exists already is left alone.

    Two emulators may start on one folder at once: the first one wins, and both
    read what is there afterwards.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path, content)
    with contextlib.suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()


def write_public(path: Path, content: bytes) -> None:
    """Write a file that anybody may read, replacing it in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path, content)
    temporary.chmod(0o644)
    temporary.replace(path)


def _temporary(path: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return Path(name)
