"""`python -m bench.strategies [SIZE]`: other ways and the operator, on one fleet.

Adds to `build/bench.json` what a first issue and an hour at rest cost in calls to Entra, sign-ins
included. An hour at rest is counted from one resync of a way, and from the time for which the
operator was watched.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from appcredential.settings import Settings
from bench.figures import Figure, quantile, table
from bench.fleet import Fleet, Kind, Member
from bench.installation import SETTINGS, Installation, ObservedOperator, Patience
from bench.results import RESULTS, Results
from bench.scenes.issuing import apply
from bench.scenes.quiet import steady
from bench.strategies.directory import Directory
from bench.strategies.ways import RESYNC, WAYS, Way, resync
from demo.stack import Stack

_OPERATOR: Final = "this operator: three sign-ins prove it, lists keep watch"
_STEADY: Final = 120.0
_SHORTEST_ROUND: Final = 30.0
_SCENE: Final = "strategies"


def main(arguments: Sequence[str]) -> int:
    """Run all ways; return the exit status."""
    parser = argparse.ArgumentParser(prog="bench.strategies", description=__doc__)
    parser.add_argument("size", nargs="?", type=int, default=100)
    fleet = Fleet(Kind.SECRET, parser.parse_args(arguments).size)
    results = Results(RESULTS, keep=True)
    results.figures = [f for f in results.figures if f.scene != _SCENE]
    with Stack(fleet.seed(), SETTINGS, progress=_say, process=ObservedOperator) as stack:
        site = Installation(stack, fleet, Patience(_STEADY))
        found = _operator(site)
        site.operator.child.stop()
        for way in WAYS:
            _say(way.name)
            found += asyncio.run(_run(way, stack, fleet))
    results.figures += found
    results.save()
    sys.stdout.write(table(found) + "\n")
    return 0


def _operator(site: Installation) -> list[Figure]:
    issued = {what: value for what, value, _ in apply(site, _say)}
    rest = {what: value for what, value, _ in steady(site, _say)}
    calls = ("Graph writes each", "Graph reads each", "sign-ins each")
    times = ("first Ready, s", "p50 Ready, s", "all Ready, s")
    hour = rest["Graph reads an hour"] + rest["sign-ins an hour"]
    spent = sum(issued[name] for name in calls)
    return _figures(
        _OPERATOR,
        site.fleet.size,
        spent,
        [issued[name] for name in times],
        (hour, _round(site.fleet.size)),
    )


def _round(size: int) -> float:
    """Return the seconds of a round of the operator's looks, by its settings' defaults."""
    return max(_SHORTEST_ROUND, size / Settings().inventory_rate)


async def _run(way: Way, stack: Stack, fleet: Fleet) -> list[Figure]:
    members = fleet.members()
    async with Directory(stack.emulator, stack.cluster) as directory:
        began = time.monotonic()
        seconds = await _each(members, way.workers, lambda m: way.issue(directory, m), began)
        issued = directory.calls.copy()
        await _each(members, way.workers, lambda m: resync(directory, m), began)
        rounds = directory.calls - issued
    refused = issued.pop("429", 0)
    hour = rounds.total() * 3600 / RESYNC
    times = [min(seconds), quantile(seconds, 0.5), max(seconds)]
    found = _figures(way.name, fleet.size, issued.total() / fleet.size, times, (hour, RESYNC))
    return [*found, Figure(_SCENE, "429 met", refused, None, way.name, fleet.size)]


async def _each(
    members: Sequence[Member],
    workers: int,
    job: Callable[[Member], Awaitable[None]],
    began: float,
) -> list[float]:
    """Do a job with each, so many at a time; return after how many seconds each was done."""
    left, done = list(reversed(members)), []

    async def work() -> None:
        while left:
            await job(left.pop())
            done.append(time.monotonic() - began)

    await asyncio.gather(*(work() for _ in range(workers)))
    return done


def _figures(
    way: str, size: int, calls: float, seconds: Sequence[float], rest: tuple[float, float]
) -> list[Figure]:
    """Return the figures of a way; `rest` is calls an hour, and seconds between two looks."""
    rows = (
        ("calls for a first issue", calls),
        ("first issued, s", seconds[0]),
        ("half issued, s", seconds[1]),
        ("all issued, s", seconds[2]),
        ("calls an hour at rest", rest[0]),
        ("each looked at every, s", rest[1]),
    )
    return [Figure(_SCENE, what, value, None, way, size) for what, value in rows]


def _say(line: str) -> None:
    sys.stderr.write(f"==> {line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
