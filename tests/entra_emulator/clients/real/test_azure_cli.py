"""An unmodified azure-cli runs the lines of docs/emulator.md, and of the operator's identity."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from entra_emulator.directory.entities import Permission
from tests.docs.reading import ROOT, blocks
from tests.support.arm import resource_manager
from tests.support.clients_table import Cell
from tests.support.documented import EMULATOR, Person, documented_lines
from tests.support.emulator import READ_WRITE_ALL, Emulator, MadeApplication
from tests.support.keys import make_certificate
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
def permission() -> str:
    return READ_WRITE_ALL


@pytest.fixture
def person(
    emulator: Emulator, tenant: str, app: MadeApplication, permission: str, tmp_path: Path
) -> Iterator[Person]:
    command = AZURE_CLI.command()
    (tmp_path / "emulator-tls").symlink_to(emulator.ca_file.parent)
    (tmp_path / "federated.json").write_text(json.dumps(FEDERATED))
    client, secret = emulator.create_operator(tenant, permission)
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


IDENTITY = blocks((ROOT / "docs" / "guides" / "operator-identity.md").read_text(), "sh")


def told(words: str) -> str:
    """Return what the page of the operator's identity tells azure-cli to do."""
    found = {line for block in IDENTITY for line in _commands(block) if words in line}
    (command,) = found
    return command


def _commands(block: str) -> Iterator[str]:
    """Yield the commands of azure-cli in a block, also those whose answer becomes an argument."""
    if block.startswith(("az ad app federated", "az ad app credential list", "OPERATOR_SP=")):
        yield block
        return
    yield from re.findall(r"az ad app credential reset[^)\n]*", block)


@pytest.mark.clients
@pytest.mark.parametrize("permission", [f"{READ_WRITE_ALL} {Permission.DIRECTORY_READ_ALL}"])
def test_azure_cli_gives_the_operator_its_identity(
    person: Person, emulator: Emulator, app: MadeApplication, tmp_path: Path
) -> None:
    """As docs/guides/operator-identity.md tells; what is in the cluster is typed elsewhere."""
    *lines, _, _, _, _, _, _ = documented_lines("azure-cli")
    person.types(*lines)
    person.knows(OPERATOR_CLIENT_ID=app.app_id, ISSUER="https://oidc.example.net/")
    person.types(told("federated-credential create"))
    certificate = make_certificate()
    for name in ("tls.crt", "renewed.pem"):
        (tmp_path / name).write_bytes(certificate.pem)
    person.types(told("@tls.crt"))
    passwords, [key], [trust] = credentials(emulator, app)
    assert (passwords, key["customKeyIdentifier"]) == ([], certificate.thumbprint)
    assert trust["subject"] == "system:serviceaccount:appcredential-system:appcredential"
    person.knows(OLD_KEY_ID=key["keyId"])
    person.types(told("credential delete").replace(" OLD_KEY_ID", " $OLD_KEY_ID"))
    person.types(told("@renewed.pem"), told("--display-name operator"))
    [password], [key], _ = credentials(emulator, app)
    assert password["displayName"] == "operator"
    assert key["customKeyIdentifier"] == certificate.thumbprint
    person.types(told("owner add").partition("kubectl")[0])
    assert emulator.application(app.id)["owners"] != []
