"""How deep a JSON value is nested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def is_nested_deeper(value: Any, most: int) -> bool:
    """Return whether a value has more levels of objects and lists than allowed."""
    level = [value]
    for _ in range(most + 1):
        level = [inner for one in level for inner in _members(one)]
        if not level:
            return False
    return True


def _members(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value
