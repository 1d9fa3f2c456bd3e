"""What docs/emulator.md says about programs of other languages is what was run."""

from __future__ import annotations

import re

import pytest

from tests.support.clients_table import DOCUMENT, OPERATIONS, read_table
from tests.support.signin_clients import GO, OTHERS, SOURCES

SHOWN = {
    "go": "go/main.go",
    "js": "javascript/signin.mjs",
    "java": "java/src/main/java/SignIn.java",
}


@pytest.mark.parametrize("language", SHOWN)
def test_lines_of_the_documentation_are_those_that_run(language: str) -> None:
    [shown] = re.findall(
        rf"^```{language}\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL
    )
    program = (SOURCES / SHOWN[language]).read_text()
    assert [line for line in shown.splitlines() if line.strip() not in program] == []


def test_table_of_the_documentation_is_of_these_clients() -> None:
    """`make clients` writes it: a new version of a library needs a new run."""
    table = read_table()
    assert list(table) == [client.name for client in (GO, *OTHERS)]
    cells = [cell for row in table.values() for cell in row.values()]
    assert cells == ["yes"] * len(table) * len(OPERATIONS)
