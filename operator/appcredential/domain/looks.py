"""How often the cluster's objects are looked at: a constant budget, shared by all of them.

A round looks once at every object. Few objects make short rounds, many make long ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

FLOOR: Final = timedelta(seconds=20)
"""The shortest round. What changed right after its look is noticed within two of them."""
BURST: Final = timedelta(seconds=2)
"""How much of a round is made up for after a delay: an API server that was slow is not hit."""


@dataclass(frozen=True, slots=True)
class LookBudget:
    """What the looks at the cluster may cost.

    Attributes:
        per_second: how many objects are looked at in a second, at most. Several shards share
            what is set.
        ceiling: the longest round. It wins over `per_second` if both cannot be kept.
    """

    per_second: float
    ceiling: timedelta

    def period(self, objects: int) -> timedelta:
        """Return how long a round over that many objects takes."""
        affordable = timedelta(seconds=objects / self.per_second)
        return min(max(affordable, FLOOR), self.ceiling)

    def earned(self, objects: int, elapsed: timedelta) -> float:
        """Return how many looks are due `elapsed` after the last ones, without a backlog."""
        return objects * (min(elapsed, BURST) / self.period(objects))
