"""`python -m tests.world`: play histories again, look for new ones, run them for long."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from tests.world import faults, report
from tests.world.histories import Plan, parse
from tests.world.process import prepared
from tests.world.search import at_random
from tests.world.shrink import SECONDS, breaks, shrink
from tests.world.story import command, tell
from tests.world.variants import VARIANTS

_SEEDS = 400


def main(arguments: list[str]) -> int:
    """Do what is asked for; return the exit status."""
    asked = _parser().parse_args(arguments)
    with prepared():
        return _do(asked)


def _do(asked: argparse.Namespace) -> int:
    if asked.faults:
        return faults.run(asked.minutes, asked.out)
    if asked.report:
        return report.main(asked.out)
    with pytest.MonkeyPatch.context() as patch:
        if asked.variant:
            VARIANTS[asked.variant].change(patch)
        plan = at_random(asked.seed) if asked.seed is not None else None
        if asked.replay:
            plan = parse(asked.replay)
        if asked.find:
            VARIANTS[asked.find].change(patch)
            plan = _find()
        if plan is None:
            sys.stdout.write("nothing was found\n")
            return 1
        if asked.shrink or asked.find:
            sys.stdout.write(f"Makes it short, for {SECONDS:.0f} s at most: {command(plan)}\n")
            sys.stdout.flush()
            plan = shrink(plan)
        sys.stdout.write(tell(plan) + "\n")
    return 0


def _find() -> Plan | None:
    """Return a history that breaks a promise."""
    return next((plan for plan in map(at_random, range(_SEEDS)) if breaks(plan)), None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.world", description=__doc__)
    parser.add_argument("--replay", metavar="HISTORY", help="SCENE:STEPS/EVENT/NUMBER …")
    parser.add_argument("--seed", type=int, help="play the random history of a seed")
    parser.add_argument("--shrink", action="store_true", help="make it short first")
    parser.add_argument("--variant", choices=sorted(VARIANTS), help="with a wrong operator")
    parser.add_argument("--find", choices=sorted(VARIANTS), help="find what shows its fault")
    parser.add_argument("--faults", action="store_true", help="run for long (make faults)")
    parser.add_argument("--minutes", type=float, default=29.0, help="how long --faults runs")
    parser.add_argument("--report", action="store_true", help="write docs/reliability.md anew")
    parser.add_argument("--out", type=Path, default=Path("build/faults.json"))
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
