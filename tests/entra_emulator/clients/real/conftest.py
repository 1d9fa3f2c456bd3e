"""Prints the table client × operation of a run that `make clients` asked for."""

from __future__ import annotations

import pytest

from tests.support.clients_table import Table, is_complete, put_table, write_out
from tests.support.signin_clients import GO, OTHERS


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print it; a run of all clients also writes it into docs/emulator.md."""
    if not config.getoption("--clients-table"):
        return
    table: Table = {}
    for outcome, cell in {"passed": "yes", "failed": "**no**"}.items():
        for report in terminalreporter.getreports(outcome):
            named = dict(report.user_properties)
            if "client" in named:
                table.setdefault(named["client"], {})[named["operation"]] = cell
    clients = [client.name for client in (GO, *OTHERS)]
    ordered = {client: table[client] for client in clients if client in table}
    terminalreporter.write_line(write_out(ordered))
    if is_complete(ordered, clients):
        put_table(ordered)
