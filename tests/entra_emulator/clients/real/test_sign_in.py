"""Unmodified identity libraries of four languages sign in with every kind of credential."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.support.clients_table import Cell
from tests.support.emulator import Emulator
from tests.support.keys import MadeCertificate
from tests.support.signin import Account, Kind, claims_of, make_account, run
from tests.support.signin_clients import GO, OTHERS, Client

#: The programs of the other languages are made by npm and Maven, which take a minute each.
CLIENTS = [
    pytest.param(GO, id="go"),
    *(pytest.param(one, id=one.language.lower(), marks=pytest.mark.clients) for one in OTHERS),
]


SignIn = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def account(emulator: Emulator, tmp_path: Path, made: MadeCertificate) -> Account:
    return make_account(emulator, tmp_path, made)


@pytest.fixture
def sign_in(account: Account, emulator: Emulator, tmp_path: Path) -> SignIn:
    """Return what runs a client's program."""

    def start(client: Client, kind: Kind, **changed: str) -> subprocess.CompletedProcess[str]:
        trust = client.trusting(emulator.ca_file, tmp_path)
        return run(client.command(), kind, {**account.environment, **trust, **changed})

    return start


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_signs_in(
    client: Client, kind: Kind, sign_in: SignIn, account: Account, http: httpx.Client, cell: Cell
) -> None:
    """R1, R4: MSAL for Go and Java send `openid offline_access profile` beside the scope."""
    with cell(client.name, kind):
        done = sign_in(client, kind)
        assert done.returncode == 0, done.stderr
        token = done.stdout.strip()
        assert claims_of(token)["appid"] == account.app_id
        headers = {"Authorization": f"Bearer {token}"}
        root = account.environment["AZURE_AUTHORITY_HOST"]
        assert http.get(f"{root}/v1.0/applications", headers=headers).status_code == 200


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_shows_the_error_of_a_wrong_secret(
    client: Client, sign_in: SignIn, cell: Cell
) -> None:
    """R4: the number and the text reach the program's own error."""
    with cell(client.name, "refusal"):
        done = sign_in(client, Kind.SECRET, AZURE_CLIENT_SECRET="wrong")
        assert done.returncode == 1
        assert "AADSTS7000215" in done.stderr
