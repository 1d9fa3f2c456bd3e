"""Makes the tables client × operation of a run that `make clients` asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from entra_emulator.admin.views import show_application
from tests.support.clients_table import NO, SHEETS, YES, Cell, Table
from tests.support.emulator import Emulator


@pytest.fixture
def cell(record_property: Callable[[str, object], None]) -> Cell:
    @contextmanager
    def noting(client: str, operation: str) -> Iterator[None]:
        result = NO
        try:
            yield
            result = YES
        except pytest.skip.Exception:
            result = ""
            raise
        finally:
            if result:
                # Plain text, which two test processes can exchange.
                record_property("cell", (str(client), str(operation), result))

    return noting


@pytest.fixture
def named(emulator: Emulator, tenant: str) -> Callable[[str], list[dict[str, Any]]]:
    """Return what shows the tenant's applications of a name that are not deleted."""

    def find(name: str) -> list[dict[str, Any]]:
        everything = emulator.do(
            lambda world: [show_application(one) for one in world.directory.applications(tenant)]
        )
        present = [one for one in everything if one["deletedDateTime"] is None]
        return [one for one in present if one["displayName"] == name]

    return find


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print them; one that was run as a whole is also written into docs/emulator.md."""
    if not config.getoption("--clients-table"):
        return
    table: Table = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name == "cell":
                    client, operation, result = value
                    table.setdefault(client, {})[operation] = result
    for sheet in SHEETS:
        filled = sheet.fill(table)
        terminalreporter.write_line(sheet.write_out(filled))
        written = sheet.put(filled)
        told = "was written into" if written else "was not run as a whole, and stays as it was in"
        terminalreporter.write_line(f"The table {told} docs/emulator.md.\n")
