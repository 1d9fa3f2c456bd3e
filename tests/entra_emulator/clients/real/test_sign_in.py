"""Unmodified identity libraries of other languages sign in with every kind of credential."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.support.emulator import Emulator
from tests.support.keys import MadeCertificate
from tests.support.signin import Account, Kind, claims_of, make_account, run
from tests.support.signin_go import SOURCES, locate_signin

DOCUMENT = Path(__file__).parents[4] / "docs" / "emulator.md"


@pytest.fixture
def account(emulator: Emulator, tmp_path: Path, made: MadeCertificate) -> Account:
    return make_account(emulator, tmp_path, made)


@pytest.mark.parametrize("kind", Kind)
def test_go_signs_in(kind: Kind, account: Account, emulator: Emulator, http: httpx.Client) -> None:
    """R1, R4: MSAL for Go sends `openid offline_access profile` beside the scope."""
    trust = {"SSL_CERT_FILE": str(emulator.ca_file)}
    done = run([str(locate_signin())], kind, {**account.environment, **trust})
    assert done.returncode == 0, done.stderr
    token = done.stdout.strip()
    assert claims_of(token)["appid"] == account.app_id
    answer = http.get(
        f"{emulator.graph_root}/applications", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 200
    assert emulator.counts() == {"token": 1, "application.list": 1}


def test_go_shows_the_error_of_a_wrong_secret(account: Account, emulator: Emulator) -> None:
    """R4: the number and the text reach the program's own error."""
    changed = {"SSL_CERT_FILE": str(emulator.ca_file), "AZURE_CLIENT_SECRET": "wrong"}
    done = run([str(locate_signin())], Kind.SECRET, {**account.environment, **changed})
    assert done.returncode == 1
    assert "AADSTS7000215" in done.stderr


def test_go_lines_of_the_documentation_are_those_that_run() -> None:
    [shown] = re.findall(r"^```go\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    run_lines = {line.strip() for line in (SOURCES / "main.go").read_text().splitlines()}
    assert [line for line in shown.splitlines() if line.strip() not in run_lines] == []
