"""The table client × operation of docs/emulator.md, made by the run of `make clients`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.support.signin import Kind

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "emulator.md"
#: The headings of the columns, by operation.
OPERATIONS: Final[Mapping[str, str]] = {
    Kind.SECRET: "client secret",
    Kind.CERTIFICATE: "certificate",
    Kind.WORKLOAD_IDENTITY: "workload identity",
    Kind.ASSERTION: "client assertion",
    "refusal": "error of a wrong secret",
}
_PLACE: Final = re.compile(r"(?<=<!-- clients -->\n).*?(?=\n<!-- /clients -->)", re.DOTALL)

#: Client, operation, and how it went.
Table = dict[str, dict[str, str]]


def write_out(table: Table) -> str:
    """Return the table in Markdown; what was not run is a dash."""
    lines = ["| client | " + " | ".join(OPERATIONS.values()) + " |"]
    lines.append("|---" * (len(OPERATIONS) + 1) + "|")
    for client, cells in table.items():
        row = [client, *(cells.get(operation, "–") for operation in OPERATIONS)]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def is_complete(table: Table, clients: list[str]) -> bool:
    """Return whether every client was run in every operation, whatever the result."""
    return list(table) == clients and all(
        cells.keys() == OPERATIONS.keys() for cells in table.values()
    )


def read_table() -> Table:
    """Return the table that the document shows."""
    found = _PLACE.search(DOCUMENT.read_text())
    assert found is not None
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in found.group().splitlines()[2:]
    ]
    return {client: dict(zip(OPERATIONS, cells, strict=True)) for client, *cells in rows}


def put_table(table: Table) -> None:
    """Replace the table in the document."""
    text = write_out(table)
    DOCUMENT.write_text(_PLACE.sub(lambda _: text, DOCUMENT.read_text()))
