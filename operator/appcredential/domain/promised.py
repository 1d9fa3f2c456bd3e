"""Values that an earlier check or rule has made sure of."""

from __future__ import annotations

from typing import TypeVar

R = TypeVar("R")


def required(value: R | None) -> R:
    """Return a value that is certainly there.

    Raises:
        AssertionError: it is not; what promised it is wrong.
    """
    if value is None:
        raise AssertionError("the decision promised this to be there")
    return value
