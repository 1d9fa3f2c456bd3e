"""A cluster that outlives the command that started it: `up`, `down` and `status`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from localcluster.binaries import ASSETS
from localcluster.cache import CACHE, cache_folder, locked, try_lock
from localcluster.errors import ClusterError
from localcluster.pki import write_private
from localcluster.progress import Progress
from localcluster.runfolder import sweep

#: The keeper prints this before its answer; its other lines are progress.
READY = "ready "
STOP_SECONDS = 30.0
PROBE_SECONDS = 1.0
POLL = 0.05


@dataclass(frozen=True, slots=True)
class State:
    """The facts about the running cluster that other commands need."""

    pid: int
    server: str
    kubeconfig: str
    kubectl: str
    folder: str
    components: dict[str, int]


class Keeper:
    """The background process that holds the cluster, as the commands see it.

    It holds a lock as long as it lives. The commands trust its process id only while that lock is
    held, so a stale file can never make them kill another program.
    """

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache or cache_folder()
        self._lock = self._cache / "cluster.lock"
        self._log = self._cache / "cluster.log"
        self._file = self._cache / "cluster.json"

    @contextmanager
    def alone(self, progress: Progress) -> Iterator[None]:
        """Allow one `up` or `down` at a time."""
        waiting = "waiting for another up or down to end"
        with locked(self._cache / "command.lock", progress, waiting):
            yield

    def take_lock(self) -> bool:
        """Become the keeper until this process ends; return False if there is another one."""
        deadline = time.monotonic() + PROBE_SECONDS
        # A command that calls `is_alive` holds the lock for an instant.
        while try_lock(self._lock) is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL)
        return True

    def is_alive(self) -> bool:
        """Return whether a keeper holds the lock."""
        descriptor = try_lock(self._lock)
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is None

    def state(self) -> State | None:
        """Return the state of the running cluster; None if there is none."""
        if not self.is_alive():
            return None
        try:
            return State(**json.loads(self._file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def publish(self, state: State) -> None:
        """Write the state atomically."""
        draft = write_private(self._file.with_suffix(".new"), json.dumps(asdict(state)))
        draft.replace(self._file)

    def forget(self) -> None:
        """Remove the state of a cluster that is gone."""
        self._file.unlink(missing_ok=True)

    def start(self, *, scheduler: bool, node: bool = False, progress: Progress) -> State:
        """Start the keeper and pass its progress on until the cluster is ready."""
        self.forget()
        command = [sys.executable, "-m", "localcluster", "keep"]
        command += ["--scheduler"] if scheduler else []
        command += ["--node"] if node else []
        with self._log.open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                command,
                cwd=Path(__file__).parent.parent,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # A session of its own: Ctrl-C and a closed terminal must not end it.
                start_new_session=True,
            )
        try:
            return self._await_ready(process, progress)
        except KeyboardInterrupt:
            process.terminate()
            process.wait(STOP_SECONDS)
            self._log.unlink(missing_ok=True)
            raise

    def _environment(self) -> dict[str, str]:
        """Return our environment with absolute folders: the keeper runs in another folder."""
        environment = {**os.environ, CACHE: str(self._cache)}
        if assets := os.environ.get(ASSETS):
            environment[ASSETS] = str(Path(assets).expanduser().absolute())
        return environment

    def _await_ready(self, process: subprocess.Popen[str], progress: Progress) -> State:
        for line in process.stdout or ():
            if line.startswith(READY):
                state = State(**json.loads(line.removeprefix(READY)))
                # The keeper outlives us; without this, Popen would warn about that.
                process.returncode = 0
                if process.stdout:
                    process.stdout.close()
                return state
            progress(line.rstrip())
        raise ClusterError(self.last_words() or "the cluster ended without a message")

    def stop(self) -> bool:
        """End the cluster and wait until it is gone; return False if there was none."""
        state = self.state()
        if state is None and self.is_alive():
            raise ClusterError("a cluster is just starting or ending: try again in a moment")
        if state is not None:
            self._end(state.pid)
        self.forget()
        self._log.unlink(missing_ok=True)
        # A keeper that was killed could not remove its folder.
        sweep()
        return state is not None

    def _end(self, pid: int) -> None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self.is_alive():
            if time.monotonic() > deadline:
                # The kernel ends its components together with it.
                os.kill(pid, signal.SIGKILL)
                deadline += STOP_SECONDS
            time.sleep(POLL)

    def last_words(self) -> str:
        """Return why the last cluster ended by itself; empty if it did not."""
        try:
            return self._log.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""
