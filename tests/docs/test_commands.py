"""Every page with commands has somebody who types them, and each of the tool's is understood."""

from __future__ import annotations

import re
import shlex
from typing import Final

import click
import pytest

from appcredential.cli.main import commands
from tests.docs.reading import DOCUMENTS, ROOT, blocks, name_of
from tests.integration.stories_pages import PAGES

BY_HAND: Final = "people, when they change the page: it takes a tenant of Entra, or hours"
TYPED_BY: Final = {
    "docs/audit.md": "tests/cli/test_audit.py",
    "docs/cli.md": "tests/cli/test_documented.py",
    "docs/development.md": "tests/localcluster/test_command.py",
    "docs/emulator.md": "tests/entra_emulator/test_docs.py",
    "docs/guides/certificates.md": "tests/integration/test_examples.py",
    "docs/guides/entra-permissions.md": "tests/entra/test_documented.py",
    "docs/guides/gitops.md": "tests/gitops/test_installed.py",
    "docs/guides/importing.md": "tests/integration/stories_import.py",
    "docs/guides/secret-to-certificate.md": "tests/integration/stories_takeover.py",
    "docs/guides/some-namespaces.md": "tests/chart/test_documented.py",
    "docs/install.md": "tests/chart/test_documented.py",
    "docs/monitoring.md": "tests/chart/test_kube_state_metrics.py",
    "docs/performance.md": BY_HAND,
    "docs/releases.md": "tests/image/test_released.py",
    "docs/reliability.md": BY_HAND,
    "docs/troubleshooting.md": "tests/docs/test_troubleshooting.py",
    "docs/uninstall.md": "tests/chart/test_documented.py",
    "docs/upgrade.md": "tests/chart/test_documented.py",
}
"""Pages that are not walked as a whole: who types their commands, or does what they do."""
_TOOL: Final = re.compile(r"kubectl appcredential ([a-z][^|;&>)\n]*)")


def _typed(document: str) -> list[list[str]]:
    """Return the words of each call of the command-line tool in a document's blocks."""
    text = "\n".join(blocks((ROOT / document).read_text(), "sh", "console")).replace("\\\n", "")
    return [shlex.split(words, comments=True) for words in _TOOL.findall(text)]


CALLS: Final = [
    pytest.param(words, id=f"{name_of(d)}: {' '.join(words)}")
    for d in DOCUMENTS
    for words in _typed(name_of(d))
]


def test_every_page_has_somebody_who_types_its_commands() -> None:
    found = {
        name
        for name in map(name_of, DOCUMENTS)
        if name.startswith("docs/") and blocks((ROOT / name).read_text(), "sh")
    }
    # tests/chart/test_alerts.py holds what the runbooks tell to type.
    rest = {name for name in found if not name.startswith("docs/runbooks/")}
    assert rest == {*TYPED_BY, *(f"docs/{page}" for page in PAGES)}
    assert not set(TYPED_BY) & {f"docs/{page}" for page in PAGES}
    for test in set(TYPED_BY.values()) - {BY_HAND}:
        assert (ROOT / test).is_file(), test


@pytest.mark.parametrize("words", CALLS)
def test_each_call_of_the_tool_is_understood(words: list[str]) -> None:
    name, *rest = words
    assert isinstance(commands.commands[name].make_context(name, rest), click.Context)
