"""Without the extra, one line says how to install the tool; the operator needs no part of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from appcredential.cli import entry

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HIDDEN = """
import sys
for name in ("click", "rich"):
    sys.modules[name] = None
from importlib import util
found = util.find_spec
util.find_spec = lambda name, *a: None if name in ("click", "rich") else found(name, *a)
from appcredential.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def run(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "operator")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_the_extra_one_line_says_how_to_install_it() -> None:
    done = run(HIDDEN, "ctl", "list")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "error: click, rich not found: the command-line tool needs the package's extra, as with "
        "pipx install '.[cli]' in a checkout\n"
    )


def test_without_the_extra_the_operators_own_commands_work() -> None:
    assert run(HIDDEN, "version").returncode == 0


def test_the_console_scripts_lead_to_functions() -> None:
    scripts = PROJECT["scripts"]

    assert scripts["kubectl-appcredential"] == "appcredential.cli.entry:main"
    assert scripts["kubectl_complete-appcredential"] == "appcredential.cli.entry:complete"
    assert callable(entry.main)
    assert callable(entry.complete)


def test_what_the_extra_names_is_locked_with_hashes() -> None:
    lock = (ROOT / "requirements" / "cli.txt").read_text()

    for needed in PROJECT["optional-dependencies"]["cli"]:
        name = needed.partition(">")[0]
        (entry_,) = [e for e in lock.split("\n\n") if f"\n{name}==" in f"\n{e}"][:1]
        assert "--hash=sha256:" in entry_


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.main(["completion", shell]) == 0
    assert "kubectl-appcredential" in capsys.readouterr().out


def test_kubectl_gets_candidates_one_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["kubectl_complete-appcredential", "re"])

    assert entry.complete() == 0
    assert capsys.readouterr().out.splitlines() == ["report", "resume", "revoke", ":4"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "error: No such command 'nothing'. See kubectl-appcredential --help.\n"),
        (["wait", "a", "--for", "Redy"], "error: Invalid value for '--for': "),
        (["wait", "a", "--timeout", "soon"], "error: Invalid value for '--timeout': soon must be"),
        (["list", "-o", "xml"], "error: Invalid value for '-o' / '--output': 'xml' is not one of"),
        (["status"], "error: Missing argument 'NAME'. See kubectl-appcredential status --help.\n"),
    ],
)
def test_wrong_words_are_told_in_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.main(words) == 1
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert told.count("\n") == 1
