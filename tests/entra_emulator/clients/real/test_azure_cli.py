"""An unmodified azure-cli runs the lines of docs/emulator.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.arm import resource_manager
from tests.support.clients_table import Cell
from tests.support.documented import EMULATOR, Person, documented_lines
from tests.support.emulator import READ_WRITE_ALL, Emulator, MadeApplication
from tests.support.programs import AZURE_CLI, Operation

FEDERATED = {
    "name": "deploy",
    "issuer": "https://oidc.example.net/",
    "subject": "s",
    "audiences": ["api://AzureADTokenExchange"],
}


@pytest.fixture
def app(emulator: Emulator, tenant: str) -> MadeApplication:
    return emulator.create_application(tenant)


@pytest.fixture
def person(
    emulator: Emulator, tenant: str, app: MadeApplication, tmp_path: Path
) -> Iterator[Person]:
    command = AZURE_CLI.command()
    (tmp_path / "emulator-tls").symlink_to(emulator.ca_file.parent)
    (tmp_path / "federated.json").write_text(json.dumps(FEDERATED))
    client, secret = emulator.create_operator(tenant, READ_WRITE_ALL)
    variables = {
        "TENANT": tenant,
        "CLIENT_ID": client,
        "CLIENT_SECRET": secret,
        "APP_ID": app.app_id,
    }
    with resource_manager(emulator.ca_file, tmp_path, tenant) as manager:
        instead = {EMULATOR: emulator.url, "https://127.0.0.1:8444": manager}
        yield Person(tmp_path, "az", command, variables, instead)


def credentials(emulator: Emulator, app: MadeApplication) -> tuple[Any, Any, Any]:
    """Return the application's secrets, certificates and federated credentials."""
    state = emulator.application(app.id)
    kinds = ("passwordCredentials", "keyCredentials", "federatedIdentityCredentials")
    passwords, keys, federated = (state[kind] for kind in kinds)
    return passwords, keys, federated


@pytest.mark.clients
def test_azure_cli_adds_and_removes_every_kind_of_credential(
    person: Person, emulator: Emulator, app: MadeApplication, cell: Cell
) -> None:
    """R3, R6, R7, R10."""
    name = AZURE_CLI.name
    *cloud, login, password, certificate, federated, first, second, third = documented_lines(
        "azure-cli"
    )
    with cell(name, Operation.SIGN_IN):
        person.types(*cloud, login)
    with cell(name, Operation.PASSWORD):
        person.types(password)
        [made], _, _ = credentials(emulator, app)
        person.knows(KEY_ID=made["keyId"])
    with cell(name, Operation.CERTIFICATE):
        person.types(certificate)
        _, [key], _ = credentials(emulator, app)
        person.knows(CERTIFICATE_ID=key["keyId"])
    with cell(name, Operation.FEDERATED):
        person.types(federated)
        _, _, [trust] = credentials(emulator, app)
        assert trust["name"] == FEDERATED["name"]
    with cell(name, Operation.REMOVE):
        person.types(first, second, third)
        assert credentials(emulator, app) == ([], [], [])
