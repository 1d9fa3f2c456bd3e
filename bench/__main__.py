"""`python -m bench [--quick] [FLEET…]`: measure the operator, and print a table.

A fleet is a size and a kind, such as `1000:secret`. What was measured is in `build/bench.json`,
too. The exit status says nothing about targets: a busy machine misses some.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Sequence
from typing import Final

from bench.figures import Figure, document, growth, table
from bench.fleet import Fleet, Kind
from bench.installation import SETTINGS, Installation
from bench.scenes import play
from demo.processes import StackError
from demo.stack import ROOT, Stack
from localcluster.errors import ClusterError

_QUICK: Final = ("100:mixed",)
_ALL: Final = tuple(f"{size}:{kind}" for kind in Kind for size in (100, 1000))
_STEADY: Final = {True: 45.0, False: 120.0}


def main(arguments: Sequence[str]) -> int:
    """Measure; return the exit status."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small fleet, short looks")
    parser.add_argument("fleets", nargs="*", metavar="SIZE:KIND", type=_fleet)
    chosen = parser.parse_args(arguments)
    fleets = chosen.fleets or list(map(_fleet, _QUICK if chosen.quick else _ALL))
    # On SIGTERM, leave through the with block below: it stops the child processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    figures: list[Figure] = []
    try:
        for fleet in fleets:
            figures += _measure(fleet, _STEADY[chosen.quick])
            _save(figures)
    except (StackError, ClusterError) as error:
        _say(f"error: {error}")
        return 1
    sys.stdout.write(table([*figures, *growth(figures)]) + "\n")
    return 0


def _measure(fleet: Fleet, seconds: float) -> list[Figure]:
    _say(f"{fleet.size} of {fleet.kind}")
    began = time.monotonic()
    with Stack(fleet.seed(), SETTINGS, progress=_say) as stack:
        found = list(play(Installation(stack, fleet), seconds, _say))
    _say(f"{fleet.size} of {fleet.kind} took {time.monotonic() - began:.0f} s")
    return found


def _fleet(text: str) -> Fleet:
    size, _, kind = text.partition(":")
    return Fleet(Kind(kind or "secret"), int(size))


def _save(figures: Sequence[Figure]) -> None:
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    path = ROOT / "build" / "bench.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document(figures, machine), indent=1) + "\n")


def _say(line: str) -> None:
    sys.stderr.write(f"==> {line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
