"""The operator as a process whose effects are noted, and which can be ended at any of them."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.processes import Child
from tests.process.waiting import wait_for


@dataclass(frozen=True, slots=True)
class Effect:
    """One line of an instrumented operator's record. `time` is the machine's monotonic clock."""

    time: float
    pid: int
    effect: str
    phase: str
    error: str


class Operator:
    """One operator process: the real one, its effects noted.

    Args:
        folder: where its log and its record are.
        env: its whole configuration.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._env = {"INSTRUMENTED_FOLDER": str(folder), **env}
        self._log = folder / "operator.log"
        self.child = self._start()

    def _start(self) -> Child:
        self._begins = self._log.stat().st_size if self._log.exists() else 0
        arguments = ["tests.process.instrumented", "run"]
        return Child("the operator", arguments, self._log, self._env)

    def restart(self) -> None:
        """Start it again after it ended; its log goes on."""
        self.child = self._start()

    def is_alive(self) -> bool:
        """Tell whether the process is there, stopped or not."""
        return self.child.exit_status() is None

    def is_ending(self) -> bool:
        """Tell whether it said that it was asked to end."""
        return any(line.get("cause") == "signal" for line in self.log_lines())

    def wait_until_ready(self) -> None:
        """Wait until its first lists are complete."""

        def is_listening() -> bool:
            self.child.check()
            return self.health_url != ""

        wait_for(is_listening, "the operator to start", 30, self.child.tail)
        self.child.wait_until_ready(f"{self.health_url}/readyz", None, 30)

    def arm(self, effect: str, occurrence: int = 1, how: str = "kill") -> None:
        """Make the process kill or stop itself at the n-th such effect from now on."""
        armed = {
            "id": secrets.token_hex(4),
            "effect": effect,
            "occurrence": occurrence,
            "how": how,
        }
        whole = self.folder / "armed.tmp"
        whole.write_text(json.dumps(armed))
        whole.rename(self.folder / "armed.json")

    def disarm(self) -> None:
        """Let the process live."""
        (self.folder / "armed.json").unlink(missing_ok=True)

    def set_clock(self, seconds: float) -> None:
        """Set the clock of its machine so much ahead of the true time."""
        whole = self.folder / "clock.tmp"
        whole.write_text(str(seconds))
        whole.rename(self.folder / "clock")

    def effects(self, since: float = 0.0) -> list[Effect]:
        """Return what was noted, since a moment of the monotonic clock."""
        path = self.folder / "effects.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        noted = [Effect(**json.loads(line)) for line in lines]
        return [effect for effect in noted if effect.time >= since]

    def is_quiet(self, seconds: float) -> bool:
        """Tell whether no effect was noted for so long."""
        return not self.effects(time.monotonic() - seconds)

    def log_lines(self) -> list[dict[str, Any]]:
        """Return its own log since the last start, decoded."""
        with self._log.open(errors="replace") as log:
            log.seek(self._begins)
            lines = log.read().splitlines(keepends=True)
        return [json.loads(one) for one in lines if one.startswith("{") and one.endswith("\n")]

    @property
    def health_url(self) -> str:
        """Where its probes are; empty until it says so in its log."""
        return self._url("health_port")

    @property
    def metrics_url(self) -> str:
        """Where its metrics are; empty until it says so in its log."""
        return self._url("metrics_port")

    def _url(self, name: str) -> str:
        ports = [line[name] for line in self.log_lines() if name in line]
        return f"http://127.0.0.1:{ports[-1]}" if ports else ""
