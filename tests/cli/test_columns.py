"""The table of `list`: it fits into a narrow terminal, and holds all of 10,000 rows."""

from __future__ import annotations

import pytest

from appcredential.cli.columns import TableForm, table
from appcredential.cli.styles import Line
from appcredential.cli.text import cells
from tests.cli.scenes import NOW, published, resource

FOUND = [
    resource("orders", published()),
    resource("a-name-that-is-much-longer-than-the-terminal-is-wide", published(ends=-1)),
    resource("new"),
]


def shown(line: Line) -> str:
    return "".join(part.text for part in line)


def form(width: int | None = None, *, wide: bool = False, namespaces: bool = True) -> TableForm:
    return TableForm(namespaces=namespaces, wide=wide, width=width, unicode=True)


def test_without_a_terminal_nothing_is_left_out() -> None:
    head, first, second, third = map(shown, table(FOUND, NOW, form()))

    columns = ["NAMESPACE", "NAME", "READY", "REASON", "LEFT", "EXPIRES", "RENEWS", "TYPE", "AGE"]
    assert head.split() == columns
    assert first.split() == [
        *("shop", "orders", "True", "Published", "███████░░░", "in", "60", "d", "in", "30", "d"),
        *("ClientSecret", "40", "d"),
    ]
    assert FOUND[1].name in second
    assert "Expired" in second
    assert "24 h ago" in second
    assert third.split() == ["shop", "new", "Unknown", "NotLookedAt", "ClientSecret", "40", "d"]


def test_wide_has_what_else_is_known() -> None:
    head, first, *_ = map(shown, table(FOUND, NOW, form(40, wide=True)))

    assert head.split()[-6:] == ["SECRET", "APPLICATION", "GRANT", "KEY", "ID", "AGE"]
    for word in ("orders-entra", "Orders", "shop-apps", FOUND[0].key_id):
        assert word in first


@pytest.mark.parametrize("width", [40, 60, 80, 100, 132, 200])
@pytest.mark.parametrize("namespaces", [True, False])
def test_every_line_fits(width: int, *, namespaces: bool) -> None:
    lines = [shown(line) for line in table(FOUND, NOW, form(width, namespaces=namespaces))]

    assert max(map(cells, lines)) <= width
    for word in ("NAME", "READY", "EXPIRES", *(["NAMESPACE"] if namespaces else [])):
        assert word in lines[0].split()
    assert all("in 60 d" in line for line in lines if "orders" in line)


def test_ten_thousand_rows_are_ten_thousand_lines() -> None:
    found = [resource(f"app-{n:05}", published()) for n in range(10_000)]

    lines = [shown(line) for line in table(found, NOW, form(80))]

    assert len(lines) == 10_001
    assert "app-09999" in lines[-1]
