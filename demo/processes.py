"""Run the emulator and the operator as child processes, and always end them."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

OPERATOR_NAMESPACE = "appcredential-system"
OPERATOR_ACCOUNT = "appcredential"

_ROOT = Path(__file__).parents[1]


class StackError(Exception):
    """A part of the installation did not start, or ended; the message shows the end of its log."""


class Child:
    """A Python module that runs as a process, with its output in a file."""

    def __init__(
        self, name: str, arguments: Sequence[str], log: Path, env: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=_ROOT,
                env={**os.environ, "PYTHONPATH": str(_ROOT / "operator"), **env},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def exit_status(self) -> int | None:
        """Return the exit status; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """Kill the process, as a crash would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self, seconds: float = 75) -> int:
        """Send SIGTERM, and SIGKILL after `seconds`; return the exit status."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.wait()

    def check(self) -> None:
        """Raise StackError if the process has ended."""
        status = self.exit_status()
        if status is not None:
            raise StackError(f"{self.name} ended with status {status}:\n{self.tail()}")

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def wait_until_ready(self, url: str, context: ssl.SSLContext | None, seconds: float) -> None:
        """Poll a URL until it answers 200.

        Raises:
            StackError: the process ended, or did not answer within `seconds`.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.check()
            if _answers(url, context):
                return
            time.sleep(0.1)
        raise StackError(f"{self.name} was not ready in {seconds:g} s:\n{self.tail()}")


def _answers(url: str, context: ssl.SSLContext | None) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2, context=context) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
