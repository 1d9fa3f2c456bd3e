"""What it costs to know of a fleet and to do nothing: a bare watch, and kopf without handlers."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Final

from bench.installation import Installation
from bench.scenes.scene import Say, Value, until
from demo.processes import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, Child
from demo.weighing import cpu_seconds, resident

_WAYS: Final = ("plain", "kopf")
_PATIENCE: Final = 240.0


def compare(site: Installation, say: Say) -> list[Value]:
    """Start one watch after the other beside the operator, and weigh each."""
    found: list[Value] = []
    for way in _WAYS:
        say(f"watching by {way}")
        found += _weigh(site, way)
    return found


def _weigh(site: Installation, way: str) -> list[Value]:
    folder = site.stack.folder
    config = site.stack.cluster.service_account_kubeconfig(
        OPERATOR_NAMESPACE, OPERATOR_ACCOUNT, folder / "watch.kubeconfig"
    )
    told = folder / f"watch-{way}.json"
    env = {"KUBECONFIG": str(config), "BENCH_TOLD": str(told)}
    child = Child(f"the watch by {way}", ["bench.watching", way], folder / "watch.log", env)
    try:
        size, began = site.fleet.size, time.monotonic()
        seconds = until(lambda: _seen(told) >= size, began, _PATIENCE, step=0.1)
        time.sleep(3)  # what was garbage is collected
        held, idle = resident(child.pid), _told(told, "idle")
        cpu = cpu_seconds(child.pid)
    finally:
        child.stop(10)
    return [
        (f"{way} watch, all seen, s", seconds, None),
        (f"{way} watch, RSS before, MiB", idle, None),
        (f"{way} watch, RSS after, MiB", held, None),
        (f"{way} watch, CPU, s", cpu, None),
    ]


def _seen(told: Path) -> int:
    found = _told(told, "seen")
    return 0 if math.isnan(found) else int(found)


def _told(told: Path, what: str) -> float:
    try:
        return float(json.loads(told.read_text())[what])
    except (OSError, ValueError, KeyError):
        return math.nan
