"""The table of `list`: which columns, and what fits into a narrow terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appcredential.cli.app_credential import AppCredential
from appcredential.cli.styles import Line, Part, Style
from appcredential.cli.text import bar, cells, cut, span, when
from appcredential.domain.attention import Attention, attention, headline
from appcredential.domain.conditions import ConditionType

_GAP: Final = "  "
_LEAST: Final = 8
"""So many cells a name keeps when all is left out that can be."""
_STYLES: Final = {
    Attention.BROKEN: Style.BAD,
    Attention.STALLED: Style.BAD,
    Attention.EXPIRING: Style.WARN,
    Attention.WORKING: Style.WARN,
    Attention.PAUSED: Style.DIM,
    Attention.FINE: Style.GOOD,
}
_WIDE: Final = ("SECRET", "APPLICATION", "GRANT", "KEY ID")
_LEFT_OUT: Final = (
    "KEY ID",
    "GRANT",
    "APPLICATION",
    "AGE",
    "SECRET",
    "TYPE",
    "LEFT",
    "RENEWS",
    "REASON",
)
"""What a narrow terminal does without, in this order."""


@dataclass(frozen=True, slots=True)
class TableForm:
    """How a table is to look.

    Attributes:
        namespaces: whether there is a column for them.
        wide: whether all columns are there.
        width: cells of the terminal; None where lines may have any length.
        unicode: whether the terminal can show blocks.
    """

    namespaces: bool
    wide: bool
    width: int | None
    unicode: bool


def table(resources: Sequence[AppCredential], now: datetime, form: TableForm) -> Iterator[Line]:
    """Yield the lines of a table, the header first.

    Args:
        resources: in the order in which they are shown.
        now: the present time.
        form: how it is to look.
    """
    rows = [_cells(resource, now, unicode=form.unicode) for resource in resources]
    names = _names(form)
    widths = {name: max(map(cells, (name, *(row[name].text for row in rows)))) for name in names}
    if form.width is not None and not form.wide:
        names = _fitting(names, widths, form.width)
        for name in ("NAME", "NAMESPACE"):
            excess = max(0, _length(names, widths) - form.width)
            widths[name] = max(min(_LEAST, widths.get(name, 0)), widths.get(name, 0) - excess)
    yield _line(names, widths, {name: Part(name, Style.HEAD) for name in names})
    for row in rows:
        yield _line(names, widths, row)


def _names(form: TableForm) -> list[str]:
    names = ["NAME", "READY", "REASON", "LEFT", "EXPIRES", "RENEWS", "TYPE", "AGE"]
    if form.wide:
        names[-1:-1] = _WIDE
    return ["NAMESPACE", *names] if form.namespaces else names


def _cells(resource: AppCredential, now: datetime, *, unicode: bool) -> dict[str, Part]:
    style = _STYLES[attention(resource.situation, now)]
    ready = resource.condition(ConditionType.READY)
    left = resource.share_left(now)
    created = resource.time("metadata", "creationTimestamp")
    return {
        "NAMESPACE": Part(resource.namespace),
        "NAME": Part(resource.name),
        "READY": Part(ready.status if ready is not None else "Unknown", style),
        "REASON": Part(headline(resource.situation, now), style),
        "LEFT": Part("" if left is None else bar(left, unicode=unicode), style),
        "EXPIRES": Part(when(resource.expires, now)),
        "RENEWS": Part(when(resource.time("status", "renewalTime"), now)),
        "TYPE": Part(resource.text("spec", "type")),
        "SECRET": Part(resource.secret_name),
        "APPLICATION": Part(
            resource.text("status", "application", "displayName")
            or resource.text("spec", "application", "clientId")
        ),
        "GRANT": Part(resource.text("status", "grant")),
        "KEY ID": Part(resource.key_id),
        "AGE": Part(span(now - created) if created is not None else "", Style.DIM),
    }


def _fitting(names: list[str], widths: dict[str, int], width: int) -> list[str]:
    for name in _LEFT_OUT:
        if _length(names, widths) <= width:
            break
        names = [other for other in names if other != name]
    return names


def _length(names: Sequence[str], widths: dict[str, int]) -> int:
    return sum(widths[name] for name in names) + len(_GAP) * (len(names) - 1)


def _line(names: Sequence[str], widths: dict[str, int], row: dict[str, Part]) -> Line:
    parts: list[Part] = []
    for name in names:
        text = cut(row[name].text, widths[name])
        blanks = "" if name == names[-1] else " " * (widths[name] - cells(text)) + _GAP
        parts.append(Part(text + blanks, row[name].style))
    return tuple(parts)
