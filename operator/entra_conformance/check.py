"""What a check is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from entra_conformance.bench import Bench
from entra_conformance.outcome import Seen


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered claim.

    Attributes:
        number: its name for ever, such as `P3`: a letter for the area and a number.
        title: what is done.
        expected: what `run` has to see, in the same words.
        run: does it.
        writes: whether it needs objects that the suite makes.
    """

    number: str
    title: str
    expected: str
    run: Callable[[Bench], Awaitable[str | Seen]]
    writes: bool = True
