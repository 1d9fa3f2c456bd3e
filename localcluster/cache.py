"""The cache folder, which outlives a cluster, and locks between processes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcluster.progress import Progress, silent

CACHE = "APPCREDENTIAL_CACHE"


def cache_folder() -> Path:
    """Return the folder of builds, the toolchain and the state of `up`."""
    chosen = os.environ.get(CACHE)
    folder = Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "appcredential"
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def try_lock(path: Path) -> int | None:
    """Take a lock that ends with this process; None if another process holds it.

    The kernel releases the lock however the holder ends. So a held lock proves that the holder
    lives; a process id in a file does not.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def locked(path: Path, progress: Progress = silent, waiting: str = "") -> Iterator[None]:
    """Hold the lock during the block; if another process holds it, say so once and wait."""
    descriptor = try_lock(path)
    if descriptor is None:
        progress(waiting or f"waiting for another process that holds {path}")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)
