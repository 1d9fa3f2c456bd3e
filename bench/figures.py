"""What was measured, beside what is wanted: rows, a table, and the growth between sizes. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    Attributes:
        scene: in which it was measured.
        what: name, with its unit.
        value: nan when it was not seen in time.
        target: the most that is wanted; None for a value without a target.
        kind, size: of the fleet.
    """

    scene: str
    what: str
    value: float
    target: float | None
    kind: str
    size: int

    @property
    def ratio(self) -> float | None:
        """The value as a part of its target."""
        return None if not self.target else self.value / self.target

    @property
    def is_seen(self) -> bool:
        """Whether it has a value."""
        return not math.isnan(self.value)

    @property
    def shown(self) -> str:
        """The value, for people."""
        if not self.is_seen:
            return "not seen"
        return f"{self.value:,.0f}" if abs(self.value) >= 1000 else f"{self.value:.3g}"

    @property
    def is_detail(self) -> bool:
        """Whether it is a part of another figure, such as the requests of one operation."""
        return ": " in self.what and self.scene != GROWTH

    @property
    def is_missed(self) -> bool:
        """Whether the target was not reached."""
        return self.target is not None and not self.value <= self.target


GROWTH: Final = "growth"
_GROWTH_LIMIT: Final = 1.05
_HEAD: Final = ("fleet", "scene", "what", "target", "measured", "ratio")


def table(figures: Iterable[Figure]) -> str:
    """Return them as a table in Markdown."""
    return markdown(_HEAD, map(_row, figures))


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, its columns aligned."""
    cells = [head, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    rule = ["-" * width for width in widths]
    lines = [cells[0], rule, *cells[1:]]
    return "\n".join("| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines)


def document(figures: Iterable[Figure], machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return them for `build/bench.json`; what was not seen is null."""
    rows = [{**asdict(figure), "missed": figure.is_missed} for figure in figures]
    for row in rows:
        row["value"] = None if math.isnan(row["value"]) else row["value"]
    return {"machine": dict(machine), "figures": rows}


def figures_of(found: Mapping[str, Any]) -> list[Figure]:
    """Return the figures of a document; what was not seen is nan again."""
    rows = [{k: v for k, v in row.items() if k != "missed"} for row in found["figures"]]
    return [Figure(**{**row, "value": _number(row["value"])}) for row in rows]


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def growth(figures: Sequence[Figure]) -> list[Figure]:
    """Return the exponent with which each figure grows from the smallest to the largest fleet."""
    found = []
    for kind, scene, what in dict.fromkeys((f.kind, f.scene, f.what) for f in figures):
        same = [f for f in figures if (f.kind, f.scene, f.what) == (kind, scene, what)]
        small, large = min(same, key=_size), max(same, key=_size)
        if small.size == large.size or not (small.value > 0 and large.value > 0):
            continue
        exponent = math.log(large.value / small.value) / math.log(large.size / small.size)
        # What is counted for each resource grows by one less than all of it.
        limit = _GROWTH_LIMIT - 1 if " each" in what else _GROWTH_LIMIT
        found.append(Figure(GROWTH, f"{scene}: {what}", exponent, limit, kind, large.size))
    return found


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of them lies; nan for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan


def _size(figure: Figure) -> int:
    return figure.size


def _row(figure: Figure) -> tuple[str, ...]:
    ratio, wanted = figure.ratio, figure.target
    return (
        f"{figure.size} {figure.kind}",
        figure.scene,
        figure.what,
        "" if wanted is None else f"≤ {wanted:g}",
        figure.shown,
        "" if ratio is None or math.isnan(ratio) else f"{ratio:.2f}",
    )
