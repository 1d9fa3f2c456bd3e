"""`make faults`: as many histories as fit into half an hour, on all cores, and the wrong operators.

Prints what was played, and writes it to `build/faults.json`, from which `make faults-report` makes
the tables of docs/reliability.md. A history that breaks a promise is written down whole, beside
that file, before anything else is done with it.
"""

from __future__ import annotations

import gc
import itertools
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from appcredential.x509 import generate
from tests.domain.worlds.faults import SUFFERED
from tests.domain.worlds.test_walks import is_well, walk
from tests.world.histories import Plan, parse, play
from tests.world.observer import BrokenPromiseError
from tests.world.process import KEYS
from tests.world.scenes import SCENES
from tests.world.search import Count, at_random, extended, small_moves
from tests.world.shrink import shrink
from tests.world.story import command, tell
from tests.world.variants import VARIANTS

_CHUNK: Final = 20
_PURE_CHUNK: Final = 10
_PART: Final = 26
_MOVES: Final = max(len(list(small_moves(scene, is_first=False))) for scene in SCENES.values())
_PURE_SHARE: Final = 0.03
"""Of the time, for the model that drives `decide` alone."""
_WALKED_SHARE: Final = 0.12
"""Of the time that the first, complete part of the small worlds leaves, for random histories."""
_STRIDE: Final = 23
"""Longer histories begin with the first events in this order, so that a part of them, too, has all
steps and all events. It has no divisor in common with their number."""
_TURNS: Final = {"defaults": 24, "federated": 16}
"""Of the scenes whose histories cost a third of the others': they are played nearly all."""
_KEY_SIZE: Final = 2048
_EVERY: Final = 30.0
_STUCK: Final = 300.0
"""After so many seconds, what is under way will not end."""
_SHRUNK: Final = 3
"""So many broken histories are made short."""


@dataclass(slots=True)
class Run:
    """One run, and what it has found so far."""

    seed: int
    minutes: float
    out: Path
    began: float = field(default_factory=time.monotonic)
    small: Count = field(default_factory=Count)
    walks: Count = field(default_factory=Count)
    pure: dict[str, int] = field(
        default_factory=lambda: {"histories": 0, "decisions": 0, "broken": 0}
    )
    told: float = 0.0

    @property
    def end(self) -> float:
        """When it ends, on the monotonic clock."""
        return self.began + 60 * self.minutes

    def take(self, total: Count, found: Count) -> None:
        """Add what was played, write down at once what broke, and tell now and then."""
        total.take(found)
        for plan, oracle, what in found.broken:
            self.out.parent.mkdir(exist_ok=True)
            text = f"seed {self.seed}, {oracle}: {what}\n  {command(plan)}\n"
            with self.out.with_suffix(".broken").open("a") as file:
                file.write(text)
            _tell(f"BROKEN, {text}")
        now = time.monotonic()
        if now - self.told >= _EVERY:
            self.told = now
            histories = self.small.histories + self.walks.histories
            states = self.small.states + self.walks.states
            _tell(
                f"{(now - self.began) / 60:5.1f} min, seed {self.seed}: {histories:,} histories, "
                f"{states:,} states"
            )

    @property
    def broken(self) -> list[tuple[Plan, str, str]]:
        """What broke a promise."""
        return self.small.broken + self.walks.broken


def run(minutes: float, out: Path) -> int:
    """Play histories for so many minutes; return 1 if a promise was broken, or a fault missed."""
    seed = int(os.environ.get("SEED") or Random().randrange(10**6) * 10**4)  # noqa: S311
    this = Run(seed, minutes, out)
    _tell(f"seed {seed}, {minutes:g} minutes, {os.cpu_count()} cores")
    caught = [_caught(name) for name in VARIANTS]
    for _ in range(KEYS):
        generate.new_key(_KEY_SIZE)  # once, and not once for each process
    gc.collect()
    gc.freeze()
    with multiprocessing.Pool(os.cpu_count() or 1, initializer=gc.disable) as pool:
        _play(this, pool)
    missed = [one["name"] for one in caught if not one["oracle"]]
    _write(this, caught)
    _sum_up(this, len(caught), missed)
    for plan, _, _ in this.broken[:_SHRUNK]:
        _tell(f"\n{tell(shrink(plan))}")
    return int(bool(this.broken or missed or this.pure["broken"]))


def _play(this: Run, pool: Any) -> None:
    """Play the small worlds to depth one, then longer histories and random ones in turns."""
    firsts = [
        (Plan(scene), slice(start, start + _PART))
        for start in range(0, max(len(first_moves(s)) for s in SCENES), _PART)
        for scene in SCENES
    ]
    for found in _until(this.end, pool, _small, firsts):
        this.take(this.small, found)
    _tell(f"small worlds, one event: {this.small.histories:,} histories")
    long_end = this.end - _PURE_SHARE * 60 * this.minutes
    walk_end = time.monotonic() + _WALKED_SHARE * max(0.0, long_end - time.monotonic())
    for found in _until(walk_end, pool, _walk, _chunks(this.seed)):
        this.take(this.walks, found)
    _tell(f"random histories: {this.walks.histories:,}, {this.walks.states:,} states")
    for found in _until(long_end, pool, _small, _longer()):
        this.take(this.small, found)
    for counted in _until(this.end, pool, _pure, _chunks(this.seed, _PURE_CHUNK)):
        this.pure = {name: this.pure[name] + counted[name] for name in this.pure}


def first_moves(scene: str) -> list[Plan]:
    """Return the histories of one event, of the small world of a scene."""
    return [Plan(scene, (move,)) for move in small_moves(SCENES[scene], is_first=True)]


def _longer() -> Iterator[tuple[Plan, slice]]:
    """Yield the histories of one event, to be played with each second one; scenes in turns."""

    def spread(plans: list[Plan]) -> list[Plan]:
        return [plans[n * _STRIDE % len(plans)] for n in range(len(plans))]

    fronts: list[list[Plan]] = []
    for scene in SCENES:
        firsts, turns = spread(first_moves(scene)), _TURNS.get(scene, 1)
        fronts += [firsts[turn::turns] for turn in range(turns)]
    for plans in itertools.zip_longest(*fronts):
        for start in range(0, _MOVES, _PART):
            part = slice(start, start + _PART)
            yield from ((plan, part) for plan in plans if plan is not None)


def _until(end: float, pool: Any, work: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterator[Any]:
    """Yield what is done until then; what is under way is finished.

    Raises:
        TimeoutError: it will never be.
    """
    # A few at a time, so that little is under way at the end.
    waiting: list[tuple[Any, Any]] = []
    for job in jobs:
        if time.monotonic() >= end:
            break
        waiting.append((job, pool.apply_async(work, (job,))))
        if len(waiting) >= 2 * (os.cpu_count() or 1):
            yield _got(*waiting.pop(0))
    for job, left in waiting:
        yield _got(job, left)


def _got(job: Any, left: Any) -> Any:
    try:
        return left.get(_STUCK)
    except multiprocessing.TimeoutError:
        raise TimeoutError(f"no end after {_STUCK:.0f} s: {job}") from None


def _chunks(seed: int, size: int = _CHUNK) -> Iterator[range]:
    while True:
        yield range(seed, seed + size)
        seed += size


def _walk(seeds: range) -> Count:
    """Play the histories of some seeds."""
    count = Count()
    for number, seed in enumerate(seeds, 1):
        count.play(at_random(seed))
        if number % _COLLECT == 0:
            gc.collect()
    return count


def _small(job: tuple[Plan, slice]) -> Count:
    """Play what a history of a small world may go on with."""
    (plan, part), count = job, Count()
    extended(plan, count, known=set(), most=10_000, part=part)
    gc.collect()
    return count


_COLLECT: Final = 5
"""Garbage is collected after so many histories, and never while one is played."""


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
    gc.collect()
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


def _sum_up(this: Run, variants: int, missed: list[str]) -> None:
    small, walks, pure = this.small, this.walks, this.pure
    _tell(
        f"\nseed {this.seed}: {small.histories + walks.histories:,} histories and "
        f"{small.states + walks.states:,} states of the real controllers, "
        f"{len(this.broken)} broken; {pure['histories']:,} histories and "
        f"{pure['decisions']:,} decisions of the rules alone, {pure['broken']} broken; "
        f"{variants - len(missed)} of {variants} wrong operators caught"
    )
    for name in missed:
        _tell(f"NOT CAUGHT: {name}")


def _write(this: Run, caught: list[dict[str, Any]]) -> None:
    this.out.parent.mkdir(exist_ok=True)
    small, walks = (asdict(count) for count in (this.small, this.walks))
    for count in (small, walks):
        count["broken"] = len(count["broken"])
    found = {
        "seed": this.seed,
        "minutes": round((time.monotonic() - this.began) / 60, 1),
        "cores": os.cpu_count(),
        "small": small,
        "walks": walks,
        "pure": this.pure,
        "variants": caught,
    }
    this.out.write_text(json.dumps(found, indent=1))


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
