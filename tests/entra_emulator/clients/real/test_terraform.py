"""An unmodified Terraform with its azuread provider applies what docs/emulator.md shows.

The provider comes from Terraform's registry, or from the folder that AZUREAD_PROVIDER names.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients_table import DOCUMENT, Cell
from tests.support.emulator import READ_WRITE_ALL, Emulator
from tests.support.keys import MadeCertificate
from tests.support.programs import TERRAFORM, MissingError, Operation, azuread_folder

#: `plan -detailed-exitcode` ends with 2 where it would change something.
NO_DRIFT = 0


@dataclass(frozen=True)
class Terraform:
    """A folder with the document's configuration, and the environment that it runs in."""

    command: list[str]
    folder: Path
    environment: dict[str, str] = field(repr=False)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [*self.command, words[0], "-no-color", *words[1:]]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def init(self) -> None:
        """Fetch the provider, or skip the test where the registry cannot be reached."""
        try:
            provider = azuread_folder()
        except MissingError as error:
            pytest.skip(str(error))
        if provider is not None:
            overrides = f'dev_overrides {{ "hashicorp/azuread" = {json.dumps(str(provider))} }}'
            settings = self.folder / "settings.tfrc"
            settings.write_text(f"provider_installation {{\n  {overrides}\n  direct {{}}\n}}\n")
            self.environment["TF_CLI_CONFIG_FILE"] = str(settings)
            return
        done = self.run("init", "-input=false")
        if "could not connect to registry.terraform.io" in re.sub(r"\s+", " ", done.stderr):
            pytest.skip("Terraform's registry cannot be reached; AZUREAD_PROVIDER names no folder")
        assert done.returncode == 0, done.stderr

    def apply(self, *words: str) -> None:
        done = self.run("apply", "-input=false", "-auto-approve", *words)
        assert done.returncode == 0, done.stderr

    def shows_no_drift(self) -> None:
        done = self.run("plan", "-input=false", "-detailed-exitcode")
        assert done.returncode == NO_DRIFT, done.stdout + done.stderr


@pytest.fixture
def terraform(emulator: Emulator, tenant: str, tmp_path: Path, made: MadeCertificate) -> Terraform:
    """Write the configuration of docs/emulator.md, with the address of this emulator."""
    found = re.search(r"^```hcl\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    host = emulator.url.removeprefix("https://")
    (tmp_path / "main.tf").write_text(found.group(1).replace("127.0.0.1:8443", host))
    (tmp_path / "certificate.pem").write_bytes(made.pem)
    client, secret = emulator.create_operator(tenant, READ_WRITE_ALL)
    settings = {
        "ARM_TENANT_ID": tenant,
        "ARM_CLIENT_ID": client,
        "ARM_CLIENT_SECRET": secret,
        "SSL_CERT_FILE": str(emulator.ca_file),
        "CHECKPOINT_DISABLE": "1",
    }
    return Terraform(TERRAFORM.command(), tmp_path, {**os.environ, **settings})


@pytest.mark.clients
def test_terraform_applies_every_kind_without_drift_and_destroys_it(
    terraform: Terraform, named: Callable[[str], list[dict[str, Any]]], cell: Cell
) -> None:
    """R2, R5, R6."""
    name = TERRAFORM.name
    terraform.init()
    with cell(name, Operation.SIGN_IN):
        terraform.apply()
        [state] = named("orders")
    with cell(name, Operation.PASSWORD):
        assert [one["displayName"] for one in state["passwordCredentials"]] == ["rotated"]
    with cell(name, Operation.CERTIFICATE):
        assert len(state["keyCredentials"]) == 1
    with cell(name, Operation.FEDERATED):
        assert [one["name"] for one in state["federatedIdentityCredentials"]] == ["deploy"]
    with cell(name, Operation.NO_DRIFT):
        terraform.shows_no_drift()
    with cell(name, Operation.REMOVE):
        terraform.apply("-destroy", "-target=azuread_application_certificate.orders")
        [state] = named("orders")
        assert state["keyCredentials"] == []
        assert len(state["passwordCredentials"]) == 1
        terraform.apply("-destroy")
        assert named("orders") == []
