"""A healthy namespace beside a busy one: how long its resources take from apply to Ready."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from bench.figures import quantile
from bench.fleet import Member
from bench.installation import Installation, condition, resources
from bench.scenes.scene import Say, Value, patience, until

_MOST_TRIES: Final = 40
_FEWEST_TRIES: Final = 6
_PER_TRY: Final = 25
_LONGEST: Final = 120.0
_PAUSE: Final = 0.5
_EDITORS: Final = 4
_SEED: Final = 13

Busy: TypeAlias = Callable[[threading.Event], object]
"""What the other namespace does, in a thread, until it is done or the event is set."""


def alone(site: Installation, say: Say) -> list[Value]:
    """Apply the neighbours while nothing else happens."""
    seconds = _tries(site, say, 0, _PAUSE, lambda: True)
    site.alone = max(seconds)
    return [("p50, s", quantile(seconds, 0.5), None), ("p99, s", site.alone, None)]


def beside_a_flood(site: Installation, say: Say) -> list[Value]:
    """Apply the neighbours while the whole flood is issued."""
    size, began = site.fleet.size, time.monotonic()
    members = site.fleet.members()
    found = _beside(site, say, 1, lambda _: site.apply(members))
    say("waiting for the flood's end")
    first = members[0].namespace
    whole = until(
        lambda: not _unready(site, first, size), began, patience(size), step=1 + size / 500
    )
    return [*found, ("flood all Ready, s", whole, None)]


def beside_refused(site: Installation, say: Say) -> list[Value]:
    """Apply the neighbours while as many resources come that no grant allows."""
    return _beside(site, say, 2, lambda _: site.apply(site.fleet.ungranted()))


def beside_edits(site: Installation, say: Say) -> list[Value]:
    """Apply the neighbours while the flood's resources are changed without a pause."""

    def edit(stop: threading.Event, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - a repeatable choice
        while not stop.is_set():
            member = site.fleet.member(chance.randrange(site.fleet.size))
            hours = f"{chance.randrange(1, 100)}h"
            site.change(member, {"deletionGracePeriod": hours})

    def all_edit(stop: threading.Event) -> None:
        threads = [
            threading.Thread(target=edit, args=(stop, _SEED + n), daemon=True)
            for n in range(_EDITORS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return _beside(site, say, 3, all_edit)


def beside_a_deletion(site: Installation, say: Say) -> list[Value]:
    """Apply the neighbours while the whole flood is deleted."""
    namespace = site.fleet.member(0).namespace
    site.send("DELETE", resources(namespace))
    seconds = _tries(site, say, 4, 0.0, lambda: _is_left(site, namespace))
    return _compared(site, seconds)


def _is_left(site: Installation, namespace: str) -> bool:
    return bool(site.get(f"{resources(namespace)}?limit=1").get("items"))


def _unready(site: Installation, namespace: str, size: int) -> bool:
    """Whether fewer of a namespace's resources are Ready than there are in the flood."""
    parts = ("appcredential_ready_status{", 'condition="True"', 'name="app-', f'"{namespace}"')
    found = site.metrics().items()
    return sum(v for sample, v in found if all(part in sample for part in parts)) < size


def _beside(site: Installation, say: Say, scene: int, busy: Busy) -> list[Value]:
    stop = threading.Event()
    thread = threading.Thread(target=busy, args=(stop,), daemon=True)
    thread.start()
    try:
        seconds = _tries(site, say, scene, _PAUSE, lambda: True)
    finally:
        stop.set()
        thread.join(_LONGEST)
    return _compared(site, seconds)


def _compared(site: Installation, seconds: list[float]) -> list[Value]:
    slowest = math.nan if any(map(math.isnan, seconds)) or not seconds else max(seconds)
    return [
        ("tries", len(seconds), None),
        ("p50, s", quantile(seconds, 0.5), None),
        ("p99, s", slowest, 2 * site.alone),
    ]


def tries_of(size: int) -> int:
    """Return how many neighbours are applied in each scene; their p99 is the slowest of them."""
    return max(_FEWEST_TRIES, min(_MOST_TRIES, size // _PER_TRY))


def _tries(
    site: Installation, say: Say, scene: int, pause: float, goes_on: Callable[[], bool]
) -> list[float]:
    """Apply one neighbour after the other; return the seconds of each until it was Ready.

    Args:
        site: with neighbours of its own for each scene.
        say: tells how far it is.
        scene: the number of the scene.
        pause: seconds between two.
        goes_on: whether there is something to try beside.
    """
    seconds: list[float] = []
    tries = tries_of(site.fleet.size)
    for member in site.fleet.neighbours()[scene * tries : (scene + 1) * tries]:
        if not goes_on():
            break
        began = time.monotonic()
        site.apply([member])
        seconds.append(until(partial(_is_ready, site, member), began, _LONGEST))
        if len(seconds) % 10 == 0:
            say(f"{len(seconds)} of {tries} neighbours, {seconds[-1]:.1f} s for the last")
        time.sleep(pause)
    return seconds


def _is_ready(site: Installation, member: Member) -> bool:
    return condition(site.state(member), "Ready").get("status") == "True"
