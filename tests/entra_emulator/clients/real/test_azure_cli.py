"""An unmodified azure-cli signs in, and adds and removes every kind of credential."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.arm import resource_manager
from tests.support.clients_table import Cell
from tests.support.emulator import READ_WRITE_ALL, Emulator, MadeApplication
from tests.support.programs import AZURE_CLI, Operation

FEDERATED = {
    "name": "orders",
    "issuer": "https://oidc.example.net/",
    "subject": "s",
    "audiences": ["api://AzureADTokenExchange"],
}
#: Seconds; its first start compiles thousands of modules.
MAXIMUM = 180


class Az:
    """An azure-cli with a folder of its own, for which the emulator is the cloud."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self._command = AZURE_CLI.command()
        settings = {
            "AZURE_CONFIG_DIR": str(folder),
            "HOME": str(folder),
            "REQUESTS_CA_BUNDLE": str(emulator.ca_file),
        }
        self._environment = {**os.environ, **settings}

    def __call__(self, *words: str) -> None:
        done = subprocess.run(
            [*self._command, *words, "--output", "none"],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=MAXIMUM,
            check=False,
        )
        assert done.returncode == 0, f"az {' '.join(words[:3])}: {done.stderr[-500:]}"


@pytest.fixture
def az(emulator: Emulator, tenant: str, tmp_path: Path) -> Iterator[Az]:
    """Make the emulator its cloud, as docs/emulator.md says."""
    az = Az(emulator, tmp_path)
    with resource_manager(emulator.ca_file, tmp_path, tenant) as manager:
        place = ["--endpoint-active-directory", emulator.url]
        place += ["--endpoint-active-directory-resource-id", f"{emulator.url}/"]
        place += ["--endpoint-microsoft-graph-resource-id", f"{emulator.url}/"]
        place += ["--endpoint-management", emulator.url, "--endpoint-resource-manager", manager]
        az("cloud", "register", "--name", "emulator", "--skip-endpoint-discovery", *place)
        az("cloud", "set", "--name", "emulator")
        az("config", "set", "core.instance_discovery=false")
        yield az


def credentials(emulator: Emulator, app: MadeApplication) -> tuple[Any, Any, Any]:
    """Return the application's secrets, certificates and federated credentials."""
    state = emulator.application(app.id)
    kinds = ("passwordCredentials", "keyCredentials", "federatedIdentityCredentials")
    passwords, keys, federated = (state[kind] for kind in kinds)
    return passwords, keys, federated


@pytest.mark.clients
def test_azure_cli_adds_and_removes_every_kind_of_credential(
    az: Az, emulator: Emulator, tenant: str, cell: Cell
) -> None:
    """R3, R6, R7, R10."""
    client, secret = emulator.create_operator(tenant, READ_WRITE_ALL)
    app = emulator.create_application(tenant)
    name = AZURE_CLI.name
    login = ["login", "--service-principal", "-u", client, "-p", secret, "--tenant", tenant]
    with cell(name, Operation.SIGN_IN):
        az(*login, "--allow-no-subscriptions")
    reset = ["ad", "app", "credential", "reset", "--id", app.app_id, "--append"]
    with cell(name, Operation.PASSWORD):
        az(*reset)
        [password], _, _ = credentials(emulator, app)
    with cell(name, Operation.CERTIFICATE):
        az(*reset, "--create-cert")
        _, [key], _ = credentials(emulator, app)
    of_app = ["--id", app.app_id]
    trust = ["ad", "app", "federated-credential"]
    with cell(name, Operation.FEDERATED):
        az(*trust, "create", *of_app, "--parameters", json.dumps(FEDERATED))
        _, _, [federated] = credentials(emulator, app)
    delete = ["ad", "app", "credential", "delete", *of_app]
    with cell(name, Operation.REMOVE):
        az(*delete, "--key-id", password["keyId"])
        az(*delete, "--key-id", key["keyId"], "--cert")
        az(*trust, "delete", *of_app, "--federated-credential-id", federated["id"])
        assert credentials(emulator, app) == ([], [], [])
