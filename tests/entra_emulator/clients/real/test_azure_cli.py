"""An unmodified azure-cli signs in and changes credentials; AZ names its command."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.arm import no_subscriptions
from tests.support.emulator import READ_WRITE_ALL, Emulator

AZ = os.environ.get("AZ", "")
FEDERATED = {
    "name": "orders",
    "issuer": "https://oidc.example.net/",
    "subject": "s",
    "audiences": ["api://AzureADTokenExchange"],
}


@pytest.mark.clients
@pytest.mark.skipif(not AZ, reason="AZ does not name an azure-cli")
def test_azure_cli_adds_every_kind_of_credential(
    emulator: Emulator, tenant: str, tmp_path: Path
) -> None:
    """R3, R6, R7, R10: as run with azure-cli 2.91.0."""
    client, secret = emulator.create_operator(tenant, READ_WRITE_ALL)
    app = emulator.create_application(tenant)
    settings = {"AZURE_CONFIG_DIR": str(tmp_path), "REQUESTS_CA_BUNDLE": str(emulator.ca_file)}

    def az(*words: str) -> None:
        command = [AZ, *words, "--output", "none"]
        env = {**os.environ, **settings, "HOME": str(tmp_path)}
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"az {' '.join(words[:3])}: {done.stderr[-500:]}"

    with no_subscriptions(emulator.ca_file, tmp_path) as manager:
        place = ["--endpoint-active-directory", emulator.url]
        place += ["--endpoint-active-directory-resource-id", f"{emulator.url}/"]
        place += ["--endpoint-microsoft-graph-resource-id", f"{emulator.url}/"]
        place += ["--endpoint-management", emulator.url, "--endpoint-resource-manager", manager]
        az("cloud", "register", "--name", "emulator", "--skip-endpoint-discovery", *place)
        az("cloud", "set", "--name", "emulator")
        az("config", "set", "core.instance_discovery=false")
        login = ["--service-principal", "-u", client, "-p", secret, "--tenant", tenant]
        az("login", *login, "--allow-no-subscriptions")
        reset = ["ad", "app", "credential", "reset", "--id", app.app_id, "--append"]
        az(*reset)
        az(*reset, "--create-cert")
        trust = ["--id", app.app_id, "--parameters", json.dumps(FEDERATED)]
        az("ad", "app", "federated-credential", "create", *trust)
    state = emulator.application(app.id)
    assert len(state["passwordCredentials"]) == 1
    assert len(state["keyCredentials"]) == 1
    assert len(state["federatedIdentityCredentials"]) == 1
