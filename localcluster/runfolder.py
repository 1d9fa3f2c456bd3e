"""The temporary folder of one cluster, removed even for those who could not do it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from localcluster.cache import cache_folder, locked, try_lock

PREFIX = "appcredential-cluster-"
ALIVE = "alive"


class RunFolder:
    """A folder with a lock that shows its owner is alive."""

    def __init__(self) -> None:
        # One at a time, or a sweep could take a folder that has no lock yet.
        with locked(cache_folder() / "run-folders.lock"):
            _sweep()
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._lock = try_lock(self.path / ALIVE)
        for name in ("pki", "logs", "etcd"):
            (self.path / name).mkdir(mode=0o700)

    def remove(self) -> None:
        """Remove the folder and everything in it."""
        if self._lock is not None:
            shutil.rmtree(self.path)
            os.close(self._lock)
            self._lock = None


def _sweep() -> None:
    """Remove folders whose owner was killed before it could clean up."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            lock = try_lock(folder / ALIVE)
        except OSError:
            continue  # another user's, or just being removed
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
