"""How a stock of credentials is shown: a table for each application, totals, and for programs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import yaml

from appcredential.cli.stock import Finding, Held, Stock, Whose
from appcredential.cli.styles import Line, Part, Style
from appcredential.cli.tables import Narrower, tabulated
from appcredential.cli.text import cells, cut, plain, span, when
from appcredential.domain.spec.model import CredentialType
from appcredential.domain.times import format_time

_COLUMNS: Final = ("TYPE", "NAME", "WHOSE", "FINDINGS", "EXPIRES", "AGE", "LAST USED", "ID")
_WIDE: Final = (*_COLUMNS, "START", "END", "TRUSTS")
_NARROWER: Final = Narrower(
    left_out=("LAST USED", "AGE", "ID", "WHOSE", "EXPIRES", "FINDINGS"), cut=("NAME",)
)
_WHOSE_LONG: Final = 30
_INDENT: Final = "  "
_CAPITAL: Final = re.compile(r"([A-Z])")
_LEAD: Final = 24
"""Cells for what stands before the total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockForm:
    """How the tables are to look.

    Attributes:
        wide: whether all columns are there.
        width: cells of the terminal; None where lines may have any length.
        only_findings: whether credentials without a finding are left out.
    """

    wide: bool
    width: int | None
    only_findings: bool


def tables(stocks: Sequence[Stock], now: datetime, form: StockForm) -> Iterator[Line]:
    """Yield each application's line and table, and the total."""
    for stock in stocks:
        held = [one for one in stock.credentials if one.findings or not form.only_findings]
        if form.only_findings and not held:
            continue
        yield (Part(_cut(f"{stock.name} ({stock.application.client_id})", form), Style.HEAD),)
        yield from ((Part(_cut(_INDENT + told, form), Style.DIM),) for told in _told([stock], form))
        if held:
            names = _WIDE if form.wide else _COLUMNS
            rows = [_row(one, now) for one in held]
            width = None if form.wide or form.width is None else form.width - len(_INDENT)
            for line in tabulated(names, rows, width, _NARROWER):
                yield (Part(_INDENT), *line)
        yield ()
    head, *rest = _told(stocks, form)
    yield (Part(_cut(f"{_count(len(stocks), 'application')}: {head}", form)),)
    yield from ((Part(_cut(_INDENT + told, form)),) for told in rest)


def _cut(text: str, form: StockForm) -> str:
    return text if form.width is None else cut(text, form.width)


def _told(stocks: Sequence[Stock], form: StockForm) -> Sequence[str]:
    """Return what there is in one line, or in several where the terminal is too narrow."""
    parts = list(filter(None, _summary(stocks)))
    line = "; ".join(parts)
    return [line] if form.width is None or cells(line) + _LEAD <= form.width else parts


def _summary(stocks: Sequence[Stock]) -> list[str]:
    """Return how many credentials there are, whose they are, and what was found."""
    held = [one for stock in stocks for one in stock.credentials]
    types = Counter(one.type for one in held)
    whose, findings = Counter(one.whose for one in held), Counter(_findings(held))
    parts = [_count(types[kind], _noun(kind)) for kind in CredentialType if types[kind]]
    parts = parts or ["no credentials"]
    told = [", ".join(parts)]
    told += [", ".join(f"{whose[one]} {one}" for one in Whose if whose[one])]
    told += [", ".join(f"{findings[one]} {one}" for one in Finding if findings[one])]
    unread = sum(not stock.is_complete for stock in stocks)
    told += ["federated credentials not read" if unread else ""]
    return told


def _findings(held: Sequence[Held]) -> Iterator[Finding]:
    for one in held:
        yield from one.findings


def _noun(kind: CredentialType) -> str:
    return _CAPITAL.sub(r" \1", kind).strip().lower()


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {plural}"


def _row(held: Held, now: datetime) -> Mapping[str, Part]:
    style = _style(held)
    trust = held.trust
    trusts = f"{plain(trust.subject)} of {plain(trust.issuer)}" if trust is not None else ""
    whose = held.owner or str(held.whose)
    has_end = not held.type.is_federated
    return {
        "TYPE": Part(str(held.type)),
        "NAME": Part(held.name or "-"),
        "WHOSE": Part(cut(whose, _WHOSE_LONG), Style.GOOD if held.whose is Whose.OURS else style),
        "FINDINGS": Part(", ".join(held.findings), style),
        "EXPIRES": Part((when(held.end, now) or "never") if has_end else "", style),
        "AGE": Part(span(now - held.start) if held.start is not None else "", Style.DIM),
        "LAST USED": Part(when(held.last_used, now)),
        "ID": Part(held.id),
        "START": Part(_time(held.start)),
        "END": Part(_time(held.end)),
        "TRUSTS": Part(trusts),
    }


def _style(held: Held) -> Style:
    if not held.findings:
        return Style.PLAIN
    return Style.DIM if held.findings == (Finding.EXPIRED,) else Style.WARN


def _time(time: datetime | None) -> str:
    return format_time(time) if time is not None else ""


# --- for programs --------------------------------------------------------------------------


def document(
    stocks: Sequence[Stock], tenant_id: str, now: datetime, notes: Sequence[str]
) -> dict[str, Any]:
    """Return all of it as one object; docs/cli.md has its members."""
    return {
        "tenantId": tenant_id,
        "time": format_time(now),
        "notes": list(notes),
        "applications": [_application(stock) for stock in stocks],
    }


def rendered(form: str, found: Mapping[str, Any]) -> str:
    """Return an object as `json` or `yaml`, whose control characters are escaped."""
    if form == "json":
        return json.dumps(found, indent=4)
    return yaml.safe_dump(found, default_flow_style=False, sort_keys=False).rstrip("\n")


def _application(stock: Stock) -> dict[str, Any]:
    return {
        "clientId": stock.application.client_id,
        "objectId": stock.application.object_id,
        "displayName": stock.application.display_name,
        "federatedRead": stock.is_complete,
        "credentials": [_credential(held) for held in stock.credentials],
    }


def _credential(held: Held) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": str(held.type),
        "id": held.id,
        "name": held.name,
        "whose": str(held.whose),
        "owner": held.owner,
        "startTime": _time(held.start),
        "expirationTime": _time(held.end),
        "lastSignInTime": _time(held.last_used),
        "findings": [str(one) for one in held.findings],
    }
    if held.trust is not None:
        found |= {
            "issuer": held.trust.issuer,
            "subject": held.trust.subject,
            "audiences": list(held.trust.audiences),
        }
    return {name: value for name, value in found.items() if value != ""}
