"""Namespaces take turns, and a large one costs what its items cost."""

from __future__ import annotations

import random
from itertools import pairwise

from appcredential.domain.turns import in_turns


def _first(name: str) -> str:
    return name[0]


def test_namespaces_take_turns_and_keep_their_order() -> None:
    assert in_turns(["a1", "a2", "a3", "b1", "c1", "c2"], _first) == [
        *("a1", "b1", "c1"),
        *("a2", "c2"),
        "a3",
    ]
    assert in_turns([], _first) == []


def test_nothing_is_lost_and_nobody_waits_for_more_than_one_of_each_other() -> None:
    dice = random.Random(7)  # noqa: S311 - repeatable, no secret
    items = [f"{dice.choice('abcdefgh')}{number}" for number in range(500)]
    found = in_turns(items, _first)
    assert sorted(found) == sorted(items)
    for name in "abcdefgh":
        own = [item for item in found if _first(item) == name]
        assert own == [item for item in items if _first(item) == name]
        at = [found.index(item) for item in own]
        assert all(later - earlier <= 8 for earlier, later in pairwise(at))


def test_one_large_namespace_beside_many_small_ones_costs_what_its_items_cost() -> None:
    """Rows as long as the largest and as wide as all would be 25 million places."""
    asked = 0

    def namespace_of(item: int) -> str:
        nonlocal asked
        asked += 1
        return "large" if item < 5_000 else str(item)

    assert len(in_turns(range(10_000), namespace_of)) == asked == 10_000
