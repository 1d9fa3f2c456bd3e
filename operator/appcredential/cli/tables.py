"""Tables that fit a terminal: what they leave out, and what they cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from appcredential.cli.styles import Line, Part, Style
from appcredential.cli.text import cells, cut

_GAP: Final = "  "
_LEAST: Final = 8
"""So many cells a name keeps when all is left out that can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrower:
    """What a table does without in a narrow terminal.

    Attributes:
        left_out: columns that go, in this order.
        cut: columns that are cut then, in this order.
    """

    left_out: Sequence[str]
    cut: Sequence[str]


def tabulated(
    names: Sequence[str],
    rows: Sequence[Mapping[str, Part]],
    width: int | None,
    narrower: Narrower,
) -> Iterator[Line]:
    """Yield the lines of a table, the header first.

    Args:
        names: the columns, in order.
        rows: one part for each column; others are not shown.
        width: cells of the terminal; None where lines may have any length.
        narrower: what goes when that is too little.
    """
    shown = list(names)
    widths = {name: max(map(cells, (name, *(row[name].text for row in rows)))) for name in names}
    if width is not None:
        shown = _fitting(shown, widths, width, narrower.left_out)
        for name in narrower.cut:
            excess = max(0, _length(shown, widths) - width)
            widths[name] = max(min(_LEAST, widths.get(name, 0)), widths.get(name, 0) - excess)
    yield _line(shown, widths, {name: Part(name, Style.HEAD) for name in shown})
    for row in rows:
        yield _line(shown, widths, row)


def _fitting(
    names: list[str], widths: Mapping[str, int], width: int, left_out: Sequence[str]
) -> list[str]:
    for name in left_out:
        if _length(names, widths) <= width:
            break
        names = [other for other in names if other != name]
    return names


def _length(names: Sequence[str], widths: Mapping[str, int]) -> int:
    return sum(widths[name] for name in names) + len(_GAP) * (len(names) - 1)


def _line(names: Sequence[str], widths: Mapping[str, int], row: Mapping[str, Part]) -> Line:
    parts: list[Part] = []
    for name in names:
        text = cut(row[name].text, widths[name])
        blanks = "" if name == names[-1] else " " * (widths[name] - cells(text)) + _GAP
        parts.append(Part(text + blanks, row[name].style))
    return tuple(parts)
