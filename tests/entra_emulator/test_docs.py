"""docs/emulator.md: its blocks run unchanged, and its tables agree with the code."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from entra_emulator.admin.endpoint import admin_routes
from entra_emulator.admin.seed import Seed, read_file
from entra_emulator.faults.documents import AnyRule
from entra_emulator.graph.pipeline import ROUTES
from tests.support.emulator import Emulator

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "emulator.md").read_text()
SEED = ROOT / "examples" / "emulator" / "seed.json"
ADDRESS = "https://127.0.0.1:8443"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


CONSTANTS, *EXAMPLES = blocks("python")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[0])
def test_python_block_runs_as_it_stands(example: str, tls_dir: Path, tmp_path: Path) -> None:
    """Each block runs in a process of its own, with the constants before it."""
    with Emulator(tls_dir, seed=json.loads(SEED.read_text())) as emulator:
        program = CONSTANTS.replace(ADDRESS, emulator.url)
        program = program.replace("emulator-tls/ca.pem", str(emulator.ca_file)) + example
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT / "operator")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


@pytest.mark.skipif(shutil.which("curl") is None, reason="the shell examples use curl")
def test_shell_blocks_run_as_they_stand(tmp_path: Path) -> None:
    """All blocks run in one shell; only the port differs."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / ".venv" / "bin" / "python").chmod(0o755)
    for folder in ("examples", "packaging", "operator", "LICENSE"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    story = "\n".join(blocks("sh")).replace("8443", str(free_port()))
    script = f'set -eu\ntrap \'kill "$!"; wait "$!" || true\' EXIT\n{story}'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "operator"), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"clientSecret"' in done.stdout
    assert '"offsetSeconds"' in done.stdout
    assert list((tmp_path / "dist").glob("entra_emulator-*.whl"))


def test_seed_of_the_examples_is_read() -> None:
    seed = read_file(Seed, SEED)
    assert [tenant.display_name for tenant in seed.tenants] == ["Contoso", "Fabrikam"]


def test_every_fault_is_documented() -> None:
    rows = "\n".join(line for line in DOCUMENT.splitlines() if line.startswith("|"))
    for rule in get_args(AnyRule):
        assert f"`{rule.__struct_config__.tag}`" in rows


def test_every_operation_is_documented() -> None:
    [text] = re.findall(r"^Operations are called (.*?)\n\n", DOCUMENT, re.MULTILINE | re.DOTALL)
    named: list[str] = []
    for word in re.findall(r"`([^`]+)`", text):
        named.append(named[-1].split(".")[0] + word if word.startswith(".") else word)
    assert sorted(named) == sorted({"token", *(one.operation for one in ROUTES)})


def test_every_request_of_the_admin_api_is_documented() -> None:
    documented: set[tuple[str, str]] = set()
    for cell in re.findall(r"^\| (`(?:GET|POST|PUT|PATCH|DELETE).*?) \|", DOCUMENT, re.MULTILINE):
        path = ""
        for methods, named in reversed(_requests(cell)):
            path = named or path
            documented.add((methods, path))
    served = {(one.method, _neutral(one.path.removeprefix("/emulator/"))) for one in admin_routes()}
    assert documented == served


def _requests(cell: str) -> list[tuple[str, str]]:
    """Return method and path of each code span; a span without a path has that of the next one."""
    spans = [span.split(" ", 1) for span in re.findall(r"`([^`]+)`", cell)]
    return [(span[0], _neutral(span[1]) if len(span) > 1 else "") for span in spans]


def _neutral(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "{}", path.split("?", maxsplit=1)[0])
