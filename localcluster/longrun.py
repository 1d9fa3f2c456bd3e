"""Run commands that take minutes, and show that they are alive."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from localcluster.errors import BuildError
from localcluster.progress import Progress, spell_duration

#: Seconds between two lines; a person should see one every ten seconds.
INTERVAL = 8.0
TAIL = 25

Summary = Callable[[int, str], str]


def _no_summary(_lines: int, _last: str) -> str:
    return ""


class _Output:
    """The command's output: the number of lines, and the last ones."""

    def __init__(self) -> None:
        self.lines = 0
        self.tail: deque[str] = deque(maxlen=TAIL)

    def read_all(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self.lines += 1
            self.tail.append(line.rstrip())

    @property
    def last(self) -> str:
        return self.tail[-1] if self.tail else ""


def run_with_progress(
    title: str,
    command: Sequence[str],
    environment: dict[str, str],
    progress: Progress,
    *,
    folder: Path | None = None,
    summary: Summary = _no_summary,
) -> None:
    """Run a command to its end and print a line every few seconds.

    Raises:
        BuildError: it could not run or failed; the message shows the end of its output.
    """
    output = _Output()
    name = title.partition(" (")[0]
    started = time.monotonic()
    progress(title)
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise BuildError(f"{name}: cannot run {command[0]}: {error.strerror}") from error
    with process:
        reader = threading.Thread(target=output.read_all, args=[process], daemon=True)
        reader.start()
        try:
            while not _ended(process):
                took = spell_duration(time.monotonic() - started)
                progress(f"  … {took}{summary(output.lines, output.last)}")
        except BaseException:
            process.kill()
            raise
        reader.join()
    took = spell_duration(time.monotonic() - started)
    if process.returncode != 0:
        shown = "\n".join(f"  | {line}" for line in output.tail) or "  | (no output)"
        raise BuildError(f"{name} failed after {took}. The end of its output:\n{shown}")
    progress(f"  done in {took}")


def _ended(process: subprocess.Popen[str]) -> bool:
    try:
        process.wait(INTERVAL)
    except subprocess.TimeoutExpired:
        return False
    return True
