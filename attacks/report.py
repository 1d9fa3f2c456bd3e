"""The figures of one attack, the bounds they must keep, and the table. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

LONGEST_ANSWER: Final = 1.0
"""Seconds in which /livez answers, also under an attack."""
_HEAD: Final = (
    "attack",
    "/livez max",
    "renewals missed",
    "peak RSS",
    "neighbour p50",
    "p99",
    "the attacker got",
)
_UNITS: Final = {"Ki": 1 / 1024, "Mi": 1.0, "Gi": 1024.0}


@dataclass(slots=True)
class Figures:
    """What was seen during one attack.

    Attributes:
        attack: its name.
        answer: the longest time that /livez took, in seconds.
        missed: renewals of the Lease that did not come in time.
        is_lease_lost: the Lease ran out, or another process took it.
        rss: the most that the operator's processes held together, in MiB.
        neighbour: seconds from apply to Ready of another namespace's resources.
        unserved: how many of those were not Ready in time.
        outcome: what became of the attacker's objects.
    """

    attack: str
    answer: float = 0.0
    missed: int = 0
    is_lease_lost: bool = False
    rss: float = 0.0
    neighbour: list[float] = field(default_factory=list)
    unserved: int = 0
    outcome: str = ""

    def broken(self, limit: float) -> list[str]:
        """Return which bounds were broken; `limit` is the chart's memory limit in MiB."""
        found = []
        if self.answer > LONGEST_ANSWER:
            found.append(f"{self.attack}: /livez took {self.answer:.1f} s")
        if self.is_lease_lost:
            found.append(f"{self.attack}: the Lease was lost")
        if self.rss > limit:
            found.append(f"{self.attack}: {self.rss:.0f} MiB, the chart allows {limit:.0f}")
        return found


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of them lies; nan for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def mebibytes(quantity: str) -> float:
    """Return a memory quantity of Kubernetes, such as 512Mi, in MiB."""
    match = re.fullmatch(r"(\d+)(Ki|Mi|Gi)", quantity)
    if match is None:
        raise ValueError(f"{quantity} is no quantity with Ki, Mi or Gi")
    return int(match[1]) * _UNITS[match[2]]


def table(rows: Iterable[Figures]) -> str:
    """Return the figures as a table."""
    cells = [_HEAD, *(_row(figures) for figures in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEAD))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    return "\n".join(lines)


def _row(found: Figures) -> tuple[str, ...]:
    late = f" ({found.unserved} not in time)" if found.unserved else ""
    return (
        found.attack,
        f"{found.answer:.2f} s",
        f"{found.missed}{' LOST' if found.is_lease_lost else ''}",
        f"{found.rss:.0f} MiB",
        f"{quantile(found.neighbour, 0.5):.2f} s",
        f"{quantile(found.neighbour, 0.99):.2f} s{late}",
        found.outcome,
    )
