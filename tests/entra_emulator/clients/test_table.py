"""What docs/emulator.md says about programs of other languages is what was run."""

from __future__ import annotations

import re

import pytest

from tests.support.clients_table import DOCUMENT, SHEETS, YES, Sheet
from tests.support.programs import AZUREAD_VERSION
from tests.support.signin_clients import SOURCES

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


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.marker)
def test_table_of_the_documentation_is_of_these_clients(sheet: Sheet) -> None:
    """`make clients` writes it: a new version of a library needs a new run."""
    assert sheet.read() == sheet.fill(
        {client: dict.fromkeys(sheet.headings, YES) for client in sheet.applicable}
    )


def test_configuration_of_the_documentation_asks_for_the_provider_of_the_table() -> None:
    assert f'version = "{AZUREAD_VERSION}"' in DOCUMENT.read_text()
