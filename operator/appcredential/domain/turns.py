"""Turns of namespaces: what one of them has much of delays the others by one of it each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def in_turns(ordered: Iterable[T], namespace_of: Callable[[T], str]) -> list[T]:
    """Return the same in an order in which namespaces take turns; within each it stays.

    It takes as long as there are items, however unevenly the namespaces have them.
    """
    lines: dict[str, deque[T]] = {}
    for one in ordered:
        lines.setdefault(namespace_of(one), deque()).append(one)
    found, waiting = [], deque(lines.values())
    while waiting:
        line = waiting.popleft()
        found.append(line.popleft())
        if line:
            waiting.append(line)
    return found
