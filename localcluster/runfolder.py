"""The temporary folder of one cluster; later clusters remove those of killed ones."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from localcluster.cache import try_lock
from localcluster.node import cgroups

PREFIX = "appcredential-cluster-"
ALIVE = "alive"


class RunFolder:
    """A folder with a lock that proves that its owner is alive."""

    def __init__(self) -> None:
        sweep()
        # It gets a name that `sweep` finds only after it has its lock.
        draft = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))
        self._lock = try_lock(draft / ALIVE)
        self.path = draft.rename(draft.with_name(draft.name.removeprefix(".")))
        for name in ("pki", "logs", "etcd"):
            (self.path / name).mkdir(mode=0o700)

    def remove(self) -> None:
        """Remove the folder and everything in it."""
        if self._lock is not None:
            shutil.rmtree(self.path)
            os.close(self._lock)
            self._lock = None


def sweep() -> None:
    """Remove folders whose owner was killed before it could clean up."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            lock = try_lock(folder / ALIVE)
        except OSError:
            continue  # of another user, or just being removed
        if lock is not None:
            # Its processes died with their owner, but cgroups stay.
            cgroups.remove(cgroups.leftover(folder.name))
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
