"""The tables of docs/emulator.md about real clients, made by the run of `make clients`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.programs import PROGRAMS, Operation
from tests.support.signin import Kind
from tests.support.signin_clients import GO, OTHERS

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "emulator.md"
NOT_APPLICABLE: Final = "–"
NOT_RUN: Final = "not run"
YES: Final = "yes"
NO: Final = "**no**"

#: Client, operation, and how it went.
Table = dict[str, dict[str, str]]
#: Notes whether the block did what a client's operation has to do; a skipped test notes nothing.
Cell = Callable[[str, str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One of the tables.

    Attributes:
        marker: the comment in the document around the table.
        headings: the headings of the columns, by operation.
        applicable: for each client, in the order of the rows, the operations that it has.
    """

    marker: str
    headings: Mapping[str, str]
    applicable: Mapping[str, Collection[str]]

    @property
    def _place(self) -> re.Pattern[str]:
        return re.compile(rf"(?<=<!-- {self.marker} -->\n).*?(?=\n<!-- /)", re.DOTALL)

    def fill(self, cells: Table) -> Table:
        """Return the table with every cell, also of clients that were not run."""
        return {
            client: {
                operation: cells.get(client, {}).get(operation, NOT_RUN)
                if operation in applicable
                else NOT_APPLICABLE
                for operation in self.headings
            }
            for client, applicable in self.applicable.items()
        }

    def write_out(self, table: Table) -> str:
        """Return a filled table in Markdown."""
        lines = ["| client | " + " | ".join(self.headings.values()) + " |"]
        lines.append("|---" * (len(self.headings) + 1) + "|")
        for client, cells in table.items():
            lines.append("| " + " | ".join([client, *cells.values()]) + " |")
        return "\n".join(lines)

    def read(self) -> Table:
        """Return the table that the document shows."""
        found = self._place.search(DOCUMENT.read_text())
        assert found is not None
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in found.group().splitlines()[2:]
        ]
        return {client: dict(zip(self.headings, cells, strict=True)) for client, *cells in rows}

    def put(self, table: Table) -> bool:
        """Replace the table in the document, if every cell of it was run; tell whether it was."""
        if any(NOT_RUN in cells.values() for cells in table.values()):
            return False
        text = self.write_out(table)
        DOCUMENT.write_text(self._place.sub(lambda _: text, DOCUMENT.read_text()))
        return True


_SIGN_IN_HEADINGS: Final[Mapping[str, str]] = {
    Kind.SECRET: "client secret",
    Kind.CERTIFICATE: "certificate",
    Kind.WORKLOAD_IDENTITY: "workload identity",
    Kind.ASSERTION: "client assertion",
    "refusal": "error of a wrong secret",
}
SIGN_INS: Final = Sheet(
    marker="clients",
    headings=_SIGN_IN_HEADINGS,
    applicable={client.name: set(_SIGN_IN_HEADINGS) for client in (GO, *OTHERS)},
)
CHANGES: Final = Sheet(
    marker="programs",
    headings={operation: str(operation) for operation in Operation},
    applicable={program.name: program.operations for program in PROGRAMS},
)
SHEETS: Final = (SIGN_INS, CHANGES)
