"""Makes a history short that breaks a promise: what it does not need is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from tests.world.histories import Move, Plan, play
from tests.world.observer import BrokenPromiseError

_MOST: Final = 400
"""How many histories are tried."""


def breaks(plan: Plan) -> str:
    """Return which promise a history breaks; empty if it breaks none."""
    try:
        play(plan)
    except BrokenPromiseError as exc:
        return exc.oracle
    return ""


def shrink(plan: Plan, broken: Callable[[Plan], str] = breaks) -> Plan:
    """Return a history that breaks the same promise and cannot be made shorter by one change.

    Args:
        plan: breaks a promise.
        broken: returns which one a history breaks.
    """
    wanted, tried, is_shorter = broken(plan), 0, True
    while is_shorter and tried < _MOST:
        is_shorter = False
        for shorter in _shorter(plan):
            tried += 1
            if broken(shorter) == wanted:
                plan, is_shorter = shorter, True
                break
            if tried >= _MOST:
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
