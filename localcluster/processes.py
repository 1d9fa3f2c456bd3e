"""Start, watch and end the child processes of one cluster, and no others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import ComponentError

GUARD = Path(__file__).with_name("guard.py")
TAIL = 15


@dataclass(frozen=True, slots=True)
class Child:
    """One running component."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self, lines: int = TAIL) -> str:
        """Return the end of the log, indented for a terminal."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return "  | (its log is gone)"
        shown = text.splitlines()[-lines:] or ["(it printed nothing)"]
        return "\n".join(f"  | {line[:400]}" for line in shown)


class Children:
    """The children of one cluster, started by a thread that outlives them."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: dict[str, Child] = {}
        # For the kernel, the parent of a child is the thread that forked it. A component that
        # a short-lived thread started would be killed as soon as that thread ended.
        self._keeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="localcluster")

    def __getitem__(self, name: str) -> Child:
        return self._children[name]

    @property
    def pids(self) -> dict[str, int]:
        """The process id of every component."""
        return {name: child.process.pid for name, child in self._children.items()}

    def start(self, name: str, command: Sequence[str | Path]) -> None:
        """Start a component with a log of its own."""
        log = self._logs / f"{name}.log"
        process = self._keeper.submit(self._spawn, [str(word) for word in command], log).result()
        self._children[name] = Child(name, process, log)

    def _spawn(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        guard = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid())]
        with log.open("ab") as output:
            return subprocess.Popen(
                [*guard, *command],
                cwd=self._logs,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal reaches only us; we end the children in order.
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise `ComponentError` if a component has ended by itself."""
        for child in self._children.values():
            status = child.process.poll()
            if status is not None:
                ended = f"was killed by signal {-status}" if status < 0 else f"ended ({status})"
                raise ComponentError(f"{child.name} {ended}. The end of its log:\n{child.tail()}")

    def end(self, name: str) -> None:
        """End one component and wait until it is gone."""
        child = self._children.pop(name)
        # All data is deleted afterwards, so nobody needs an orderly end.
        child.process.kill()
        child.process.wait()

    def end_all(self) -> None:
        """End every component in reverse order of the start."""
        for name in reversed(list(self._children)):
            self.end(name)
        self._keeper.shutdown()


def _environment() -> dict[str, str]:
    """Return our environment without ETCD_ variables, which etcd would take as its settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
