"""`python -m bench.observed run`: the real operator, observed from inside its process.

Its methods are wrapped from outside before the real `main` runs, so the image holds nothing of
this. It adds to the metrics

- `bench_loop_stall_seconds`: the longest time since the last scrape for which the event loop did
  not come to a timer that was due,

and on SIGUSR1 it writes to the folder `BENCH_FOLDER` what it found since the last signal:

- `profile.json`: in which functions the main thread was, by samples of every 10 ms,
- `heap.json`: what is allocated, if `BENCH_HEAP` is set: tracemalloc makes the process slow and
  large, so nothing else is measured then.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import threading
import time
import tracemalloc
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any, Final

from prometheus_client import Gauge

from appcredential import process
from appcredential.__main__ import main

_TICK: Final = 0.02
_SAMPLE: Final = 0.01
_FRAMES: Final = 20
_OWN: Final = f"{os.sep}operator{os.sep}appcredential{os.sep}"
_PACKAGES: Final = f"{os.sep}site-packages{os.sep}"


class _Stall:
    """The longest delay of a timer since it was last asked for."""

    def __init__(self) -> None:
        self._longest = 0.0

    async def watch(self) -> None:
        while True:
            due = time.monotonic() + _TICK
            await asyncio.sleep(_TICK)
            self._longest = max(self._longest, time.monotonic() - due)

    def take(self) -> float:
        longest, self._longest = self._longest, 0.0
        return longest


class _Profile:
    """Samples of the main thread's stack: what ran, and for which function of ours."""

    def __init__(self) -> None:
        self._main = threading.main_thread().ident or 0
        self._leaves: Counter[str] = Counter()
        self._owners: Counter[str] = Counter()
        self._samples = 0

    def run(self) -> None:
        while True:
            time.sleep(_SAMPLE)
            frame = sys._current_frames().get(self._main)  # noqa: SLF001 - the only way
            if frame is not None:
                self._note(frame)

    def _note(self, frame: FrameType) -> None:
        if frame.f_code.co_name == "select":
            return  # it has nothing to do
        self._samples += 1
        self._leaves[_name(frame)] += 1
        seen: FrameType | None = frame
        while seen is not None and _OWN not in seen.f_code.co_filename:
            seen = seen.f_back
        self._owners["other" if seen is None else _name(seen)] += 1

    def take(self) -> dict[str, Any]:
        found = {
            "samples": self._samples,
            "leaves": dict(self._leaves.most_common(40)),
            "owners": dict(self._owners.most_common(40)),
        }
        self._leaves.clear()
        self._owners.clear()
        self._samples = 0
        return found


def _name(frame: FrameType) -> str:
    code = frame.f_code
    return f"{_short(code.co_filename)} {code.co_qualname}"


def _short(file: str) -> str:
    """Return a path without the machine's part."""
    for mark in (_OWN, _PACKAGES):
        if mark in file:
            return file.rpartition(mark)[2] if mark is _PACKAGES else file[file.rindex("appcred") :]
    return file.removeprefix(f"{sys.prefix}{os.sep}").removeprefix(f"{sys.base_prefix}{os.sep}")


def _heap() -> dict[str, Any]:
    """Return MiB by the innermost line of ours, or else by the file that allocated."""
    gc.collect()
    # As they are, they share their stacks: one object for each trace would take minutes.
    traces = tracemalloc.take_snapshot().traces._traces  # type: ignore[attr-defined]  # noqa: SLF001
    sizes: Counter[int] = Counter()
    stacks: dict[int, tuple[tuple[str, int], ...]] = {}
    for _, size, stack, *_ in traces:
        sizes[id(stack)] += size
        stacks[id(stack)] = stack
    held: Counter[str] = Counter()
    for key, stack in stacks.items():
        own = next((f"{_short(file)}:{line}" for file, line in stack if _OWN in file), None)
        held[own or _short(stack[0][0])] += sizes[key]
    return {place: size / 2**20 for place, size in held.most_common(40)} | {
        "all": held.total() / 2**20
    }


def _observe(folder: Path) -> None:
    """Have the operator's loop observe itself once it runs."""
    stall, profile = _Stall(), _Profile()
    inner = process.Operator.run

    def write() -> None:
        (folder / "profile.json").write_text(json.dumps(profile.take()))
        if tracemalloc.is_tracing():
            whole = folder / "heap.tmp"
            whole.write_text(json.dumps(_heap()))
            whole.rename(folder / "heap.json")

    async def run(self: process.Operator) -> int:
        gauge = Gauge(
            "bench_loop_stall_seconds",
            "Longest stall since the last scrape.",
            registry=self._metrics.registry,
        )
        gauge.set_function(stall.take)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, write)
        watching = asyncio.create_task(stall.watch())
        threading.Thread(target=profile.run, name="profile", daemon=True).start()
        try:
            return await inner(self)
        finally:
            watching.cancel()

    setattr(process.Operator, "run", run)  # noqa: B010 - a method is replaced


if __name__ == "__main__":
    if os.environ.get("BENCH_HEAP"):
        tracemalloc.start(_FRAMES)
    _observe(Path(os.environ["BENCH_FOLDER"]))
    sys.exit(main())
