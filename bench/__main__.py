"""`python -m bench [--quick] [FLEET…]`: measure the operator, and print a table.

A fleet is a size and a kind, such as `1000:secret`, `100:mixed` or `5000:flood`. What was
measured is in `build/bench.json`, too, with profiles of the scenes that missed a target. The
exit status says nothing about targets: a busy machine misses some.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from typing import Final

from bench.figures import growth, table
from bench.fleet import Fleet, Kind
from bench.installation import SETTINGS, Installation, ObservedOperator, Patience
from bench.profiles import told
from bench.results import RESULTS, Results
from bench.scenes import NAMES, play
from demo.processes import StackError
from demo.stack import Stack
from localcluster.errors import ClusterError

_QUICK: Final = ("50:secret", "20:flood")
_QUICK_SKIPS: Final = (
    "takeover",
    "storm",
    "heap",
    "bare watch",
    "beside refused ones",
    "beside an edit loop",
)
_QUIET: Final = {True: 4.0, False: 10.0}
_OF_A_FLEET: Final = (Kind.SECRET, Kind.CERTIFICATE, Kind.FEDERATED, Kind.MIXED)
_ALL: Final = (*(f"{n}:{kind}" for kind in _OF_A_FLEET for n in (100, 1000, 10000)), "5000:flood")


def main(arguments: Sequence[str]) -> int:
    """Measure; return the exit status."""
    chosen = _parser().parse_args(arguments)
    fleets = chosen.fleets or list(map(_fleet, _QUICK if chosen.quick else _ALL))
    skipped = [*chosen.skip, *(_QUICK_SKIPS if chosen.quick else ())]
    # On SIGTERM, leave through the with block below: it stops the child processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = Results(RESULTS, keep=chosen.keep)
    failed = False
    for fleet in fleets:
        seconds = chosen.steady or (30.0 if chosen.quick else _round(fleet.size))
        try:
            _measure(fleet, Patience(seconds, _QUIET[chosen.quick]), skipped, results)
        except (StackError, ClusterError) as error:
            _say(f"error: {fleet.size} of {fleet.kind}: {error}")
            failed = True
    shown = [figure for figure in results.figures if not figure.is_detail]
    sys.stdout.write(table([*shown, *growth(shown)]) + "\n")
    sys.stdout.write(told(results.figures, results.profiles))
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small fleets, short looks")
    parser.add_argument("--keep", action="store_true", help="keep the figures of other fleets")
    parser.add_argument("--steady", type=float, metavar="S", help="length of the steady state")
    parser.add_argument(
        "--skip", action="append", default=[], choices=NAMES, help="leave a scene out", metavar="S"
    )
    parser.add_argument("fleets", nargs="*", metavar="SIZE:KIND", type=_fleet)
    return parser


def _round(size: int) -> float:
    """Return the seconds of a steady state: more than the longest round of looks."""
    return 120.0 if size <= 1000 else 660.0


def _measure(fleet: Fleet, patience: Patience, skipped: Sequence[str], results: Results) -> None:
    _say(f"{fleet.size} of {fleet.kind}")
    began = time.monotonic()
    results.begin(fleet)
    with Stack(fleet.seed(), SETTINGS, progress=_say, process=ObservedOperator) as stack:
        site = Installation(stack, fleet, patience)
        for figure in play(site, skipped, _say):
            results.add(figure)
            results.profiles |= {
                f"{fleet.size} {fleet.kind}: {scene}": found
                for scene, found in site.profiles.items()
            }
            results.save()
    _say(f"{fleet.size} of {fleet.kind} took {time.monotonic() - began:.0f} s")


def _fleet(text: str) -> Fleet:
    size, _, kind = text.partition(":")
    return Fleet(Kind(kind or "secret"), int(size))


def _say(line: str) -> None:
    sys.stderr.write(f"==> {line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
