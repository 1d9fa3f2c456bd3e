"""The installation as a background process: `make cluster EMULATOR=1` and `make cluster-down`."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from demo.processes import StackError
from demo.seed import seed
from demo.stack import ROOT, Stack
from localcluster.cache import cache_folder, try_lock

_START_SECONDS = 180.0
_STOP_SECONDS = 90.0


def up() -> int:
    """Start the installation in the background and print the exports for the shell."""
    state = _state()
    if state is None:
        state = _start()
    else:
        _say("already up")
    sys.stdout.write(f"export PATH={shlex.quote(state['path'])}:$PATH\n")
    sys.stdout.write(f"export KUBECONFIG={shlex.quote(state['kubeconfig'])}\n")
    _say(f"the Entra emulator is at {state['emulator']}, its CA in {state['ca']}")
    _say(f"the operator's log is {state['log']}")
    _say(f"its metrics are at {state['metrics']}")
    return 0


def down() -> int:
    """Stop the installation and remove everything."""
    state = _state()
    if state is None:
        return 0
    os.kill(int(state["pid"]), signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while _is_held():
        if time.monotonic() > deadline:
            raise StackError(f"the installation did not stop; its log is {_log()}")
        time.sleep(0.1)
    _say("the installation with the emulator is gone")
    return 0


def hold() -> int:
    """Run as the background process: hold the lock and the stack until SIGTERM."""
    if try_lock(_lock()) is None:
        return 1
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with Stack(seed(lag=False), progress=_say) as stack:
        state = {
            "pid": os.getpid(),
            "path": str(stack.cluster.binaries.folder),
            "kubeconfig": str(stack.cluster.kubeconfig),
            "emulator": stack.emulator.url,
            "ca": str(stack.emulator.ca_file),
            "metrics": stack.operator.metrics_url,
            "log": str(stack.operator.child.log),
        }
        _file().write_text(json.dumps(state))
        stop.wait()
    _file().unlink(missing_ok=True)
    return 0


def _start() -> dict[str, str]:
    cache_folder().mkdir(parents=True, exist_ok=True)
    _file().unlink(missing_ok=True)
    with _log().open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo", "hold"],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            start_new_session=True,
        )
    _say("starting Kubernetes, the Entra emulator and the operator")
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        state = _state()
        if state is not None:
            return state
        time.sleep(0.2)
    tail = "\n".join(_log().read_text(errors="replace").splitlines()[-20:])
    raise StackError(f"the installation did not start:\n{tail}")


def _state() -> dict[str, str] | None:
    """Return the state of a running installation; the lock proves that the pid is still its own."""
    if not _file().exists() or not _is_held():
        return None
    found: dict[str, str] = json.loads(_file().read_text())
    return found


def _is_held() -> bool:
    if not cache_folder().exists():
        return False
    descriptor = try_lock(_lock())
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None


def _file() -> Path:
    return cache_folder() / "playground.json"


def _lock() -> Path:
    return cache_folder() / "playground.lock"


def _log() -> Path:
    return cache_folder() / "playground.log"


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
