"""The table of `list`: which columns, and what fits into a narrow terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appcredential.cli.app_credential import AppCredential
from appcredential.cli.styles import Line, Part, Style
from appcredential.cli.tables import Narrower, tabulated
from appcredential.cli.text import bar, span, when
from appcredential.domain.attention import Attention, attention, headline
from appcredential.domain.conditions import ConditionType

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
_NARROWER: Final = Narrower(left_out=_LEFT_OUT, cut=("NAME", "NAMESPACE"))


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
    yield from tabulated(names, rows, None if form.wide else form.width, _NARROWER)


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
