"""`make faults`: as many histories as fit into half an hour, on all cores, and the wrong operators.

Prints what was played, and writes it to `build/faults.json`, from which `make faults-report` makes
the tables of docs/reliability.md.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from tests.domain.worlds.faults import SUFFERED
from tests.domain.worlds.test_walks import is_well, walk
from tests.world.histories import parse, play
from tests.world.observer import BrokenPromiseError
from tests.world.scenes import SCENES
from tests.world.search import Count, at_random, breadth_first
from tests.world.story import command, tell
from tests.world.variants import VARIANTS

_CHUNK: Final = 20
_PURE_CHUNK: Final = 10
_PURE_SHARE: Final = 0.15
"""Of the time, for the model that drives `decide` alone."""
_SMALL_A_MINUTE: Final = 12
"""Histories of each small world, by the minutes that the run has."""


def run(minutes: float, out: Path) -> int:
    """Play histories for so many minutes; return 1 if a promise was broken, or a fault missed."""
    began = time.monotonic()
    end = began + 60 * minutes
    seed = int(os.environ.get("SEED") or Random().randrange(10**6) * 10**4)  # noqa: S311
    caught = [_caught(name) for name in VARIANTS]
    missed = [one["name"] for one in caught if not one["oracle"]]
    total, small, pure = Count(), Count(), {"histories": 0, "decisions": 0, "broken": 0}
    with multiprocessing.Pool(os.cpu_count() or 1) as pool:
        most = int(_SMALL_A_MINUTE * minutes)
        for found in pool.imap_unordered(_small, [(scene, most) for scene in SCENES]):
            small.take(found)
        _tell(f"small worlds: {small.histories} histories, {small.states} states")
        for found in _until(end - _PURE_SHARE * 60 * minutes, pool, _walk, _chunks(seed)):
            total.take(found)
            _tell(f"seed {seed}: {total.histories} histories, {total.states} states", again=True)
        for counted in _until(end, pool, _pure, _chunks(seed, _PURE_CHUNK)):
            pure = {name: pure[name] + counted[name] for name in pure}
    broken = small.broken + total.broken
    for plan, oracle, what in broken[:5]:
        _tell(f"BROKEN {oracle}: {what}\n  {command(plan)} --shrink")
    _tell(
        f"\nseed {seed}: {total.histories + small.histories} histories and "
        f"{total.states + small.states} states of the real controllers, {len(broken)} broken; "
        f"{pure['histories']} histories and {pure['decisions']} decisions of the rules alone, "
        f"{pure['broken']} broken; {len(caught) - len(missed)} of {len(caught)} wrong operators "
        "caught"
    )
    for name in missed:
        _tell(f"NOT CAUGHT: {name}")
    _write(out, seed, time.monotonic() - began, (small, total), pure, caught)
    return int(bool(broken or missed or pure["broken"]))


def _until(end: float, pool: Any, work: Any, jobs: Iterable[Any]) -> Iterator[Any]:
    """Yield what is done until then; what is under way is finished."""

    def on_time() -> Iterator[Any]:
        for job in jobs:
            if time.monotonic() >= end:
                return
            yield job

    # A few at a time, so that little is under way at the end.
    waiting: list[Any] = []
    for job in on_time():
        waiting.append(pool.apply_async(work, (job,)))
        if len(waiting) >= 2 * (os.cpu_count() or 1):
            yield waiting.pop(0).get()
    for left in waiting:
        yield left.get()


def _chunks(seed: int, size: int = _CHUNK) -> Iterator[range]:
    while True:
        yield range(seed, seed + size)
        seed += size


def _walk(seeds: range) -> Count:
    """Play the histories of some seeds."""
    count = Count()
    for seed in seeds:
        count.play(at_random(seed))
        gc.collect()
    return count


def _small(job: tuple[str, int]) -> Count:
    """Play the small world of a scene, breadth first."""
    (scene, most), count = job, Count()
    breadth_first(scene, depth=2, most=most, count=count)
    return count


def _pure(seeds: range) -> dict[str, int]:
    """Walk the model of tests/domain/worlds, which drives the rules without the controllers."""
    found = {"histories": 0, "decisions": 0, "broken": 0}
    for seed in seeds:
        try:
            world = walk(seed, SUFFERED, is_watched=False)
            is_well(world)
        except AssertionError:
            found["broken"] += 1
            continue
        found["histories"] += 1
        found["decisions"] += len(world.log)
    return found


def _caught(name: str) -> dict[str, Any]:
    """Play the history that shows the fault of a wrong operator."""
    variant = VARIANTS[name]
    found = {"name": name, "says": variant.says, "history": variant.history, "oracle": ""}
    with pytest.MonkeyPatch.context() as patch:
        variant.change(patch)
        try:
            play(parse(variant.history))
        except BrokenPromiseError as exc:
            found |= {"oracle": exc.oracle, "what": exc.what}
        found["story"] = tell(parse(variant.history)) if name == _STORY else ""
    return found


_STORY: Final = "retires-at-once"
"""The counterexample that the page tells."""


def _write(
    out: Path,
    seed: int,
    seconds: float,
    counts: tuple[Count, Count],
    pure: dict[str, int],
    caught: list[dict[str, Any]],
) -> None:
    out.parent.mkdir(exist_ok=True)
    small, total = (asdict(count) for count in counts)
    for count in (small, total):
        count["broken"] = len(count["broken"])
    found = {
        "seed": seed,
        "minutes": round(seconds / 60, 1),
        "cores": os.cpu_count(),
        "small": small,
        "walks": total,
        "pure": pure,
        "variants": caught,
    }
    out.write_text(json.dumps(found, indent=1))


def _tell(line: str, *, again: bool = False) -> None:
    if again and not sys.stdout.isatty():
        return
    sys.stdout.write(f"\r{line}" if again else f"{line}\n")
    sys.stdout.flush()
