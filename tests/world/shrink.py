"""Makes a history short that breaks a promise: what it does not need is left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from tests.world.histories import Move, Plan, play
from tests.world.observer import BrokenPromiseError

_MOST: Final = 400
"""How many histories are tried."""
SECONDS: Final = 120.0
"""For how long: one that never comes to rest takes seconds."""


def breaks(plan: Plan) -> str:
    """Return which promise a history breaks; empty if it breaks none."""
    try:
        play(plan)
    except BrokenPromiseError as exc:
        return exc.oracle
    return ""


def shrink(
    plan: Plan,
    broken: Callable[[Plan], str] = breaks,
    *,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Plan:
    """Return a history that breaks the same promise, the shortest that was found in time.

    Unless the time or the number of trials ends first, no single change makes it shorter.

    Args:
        plan: breaks a promise; one that does not, when it is played again, stays as it is.
        broken: returns which one a history breaks.
        seconds: how long it may take; the trial that is under way then is finished.
        clock: returns the time in seconds.
    """
    end, wanted, tried = clock() + seconds, broken(plan), 0
    is_shorter = bool(wanted)
    while is_shorter:
        is_shorter = False
        for shorter in _shorter(plan):
            if tried >= _MOST or clock() >= end:
                return plan
            tried += 1
            if broken(shorter) == wanted:
                plan, is_shorter = shorter, True
                break
    return plan


def _shorter(plan: Plan) -> Iterator[Plan]:
    """Yield histories that are a little shorter, the shortest first."""
    moves = plan.moves
    for size in (len(moves) // 2, 1):
        for start in range(0, len(moves), max(size, 1)):
            if size:
                yield replace(plan, moves=moves[:start] + moves[start + size :])
    for index, move in enumerate(moves):
        for less in _smaller(move):
            yield replace(plan, moves=(*moves[:index], less, *moves[index + 1 :]))


def _smaller(move: Move) -> Iterator[Move]:
    for steps in sorted({0, move.steps // 2, move.steps - 1}):
        if 0 <= steps < move.steps:
            yield replace(move, steps=steps)
    for number in (0, 1, 2):
        if number < move.number:
            yield replace(move, number=number)
