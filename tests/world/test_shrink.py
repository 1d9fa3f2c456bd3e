"""A history is made short in bounded time, and is written down before."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.world import faults
from tests.world.histories import Plan, parse
from tests.world.search import Count
from tests.world.shrink import shrink

LONG = parse("secret:60/wait/4 40/rotate/30 40/kill/20 40/lag/20 40/wait/4")


def with_rotate(plan: Plan) -> str:
    return "Removals" if any(move.event == "rotate" for move in plan.moves) else ""


def test_it_keeps_what_the_broken_promise_needs() -> None:
    assert str(shrink(LONG, with_rotate)) == "secret:0/rotate/0"


def test_it_ends_in_time_with_the_shortest_so_far() -> None:
    """Each trial takes ten seconds, as of histories that never come to rest."""
    trials: list[Plan] = []

    def slow(plan: Plan) -> str:
        trials.append(plan)
        return with_rotate(plan)

    short = shrink(LONG, slow, seconds=60, clock=lambda: 10.0 * len(trials))
    assert len(trials) == 6
    assert with_rotate(short)
    assert len(short.moves) < len(LONG.moves)


def test_it_ends_after_so_many_trials() -> None:
    numbers = itertools.count()
    shrink(LONG, lambda _: f"another {next(numbers)}", clock=lambda: 0.0)
    assert next(numbers) <= 402


def test_what_breaks_nothing_again_stays_as_it_is() -> None:
    trials: list[Plan] = []

    def none(plan: Plan) -> str:
        trials.append(plan)
        return ""

    assert shrink(LONG, none) == LONG
    assert trials == [LONG]


def test_a_long_run_writes_a_broken_history_down_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = faults.Run(seed=7, minutes=1, out=tmp_path / "build" / "faults.json")
    run.take(run.walks, Count(histories=1, broken=[(LONG, "Removals", "key-1 goes")]))
    written = (tmp_path / "build" / "faults.broken").read_text()
    assert "seed 7, Removals: key-1 goes" in written
    assert f"--replay '{LONG}'" in written
    assert f"--replay '{LONG}'" in capsys.readouterr().out
