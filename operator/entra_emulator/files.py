"""Write files atomically, and keep private ones private."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Create a file with mode 0600, unless it exists already.

    Two emulators may start on one folder at the same time: the first one wins, and both read its
    file afterwards.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path, content)
    with contextlib.suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()


def write_public(path: Path, content: bytes) -> None:
    """Write or replace a file that everybody may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path, content)
    temporary.chmod(0o644)
    temporary.replace(path)


def _temporary(path: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return Path(name)
