"""How fast the requests of one process to one tenant may follow each other.

Source of the quotas: learn.microsoft.com/graph/throttling-limits, identity and access. One app
in one tenant has 3,000 writes per 2 min 30 s and, in the smallest tenants, 3,500 resource units
per 10 s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How fast requests to one tenant may follow each other. Times in seconds.

    Attributes:
        spacing: between writes to one application.
        after_conflict: the same, after a write that got a 409.
        max_wait: the longest wait of a call that has its turn.
        writes_per_second, write_burst: 19 · 150 s + 100 is less than 3,000, also with one write
            more for each worker: two turns may count on the same unit.
        units_per_second, unit_burst: 300 · 10 s + 400 is less than 3,500.
    """

    spacing: float = 1.0
    after_conflict: float = 10.0
    max_wait: float = 2.0
    writes_per_second: float = 19.0
    write_burst: float = 100.0
    units_per_second: float = 300.0
    unit_burst: float = 400.0

    def share(self, count: int) -> Pacing:
        """Return the pace of one of `count` processes that share a tenant's quotas.

        With more than one, all bursts at once and one write more for each worker may exceed a
        quota for a moment: Graph asks for a pause then, which is kept.
        """
        return replace(
            self,
            writes_per_second=self.writes_per_second / count,
            write_burst=self.write_burst / count,
            units_per_second=self.units_per_second / count,
            unit_burst=self.unit_burst / count,
        )


PACING: Final = Pacing()
