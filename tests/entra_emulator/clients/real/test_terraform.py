"""An unmodified Terraform with its azuread provider applies what docs/emulator.md shows.

The provider comes from Terraform's registry, or from the folder that AZUREAD_PROVIDER names.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.emulator import READ_WRITE_ALL, Emulator
from tests.support.keys import MadeCertificate

TERRAFORM = shutil.which("terraform")
PROVIDER = os.environ.get("AZUREAD_PROVIDER", "")
DOCUMENT = Path(__file__).parents[4] / "docs" / "emulator.md"
#: `plan -detailed-exitcode` ends with 2 where it would change something.
NO_DRIFT = 0


@dataclass(frozen=True)
class Terraform:
    """A folder with the document's configuration, and the environment that it runs in."""

    folder: Path
    environment: dict[str, str] = field(repr=False)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(TERRAFORM), words[0], "-no-color", *words[1:]]
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
        if PROVIDER:
            overrides = f'dev_overrides {{ "hashicorp/azuread" = {json.dumps(PROVIDER)} }}'
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
    return Terraform(tmp_path, {**os.environ, **settings})


def orders(emulator: Emulator, http: httpx.Client, tenant: str) -> list[dict[str, Any]]:
    """Return the state of the applications that Terraform made beside the operator's own."""
    shown = http.get(f"{emulator.url}/emulator/tenants/{tenant}/applications").json()
    present = [one for one in shown if one["deletedDateTime"] is None]
    return [one for one in present if one["displayName"] == "orders"]


@pytest.mark.clients
@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed")
def test_terraform_applies_every_kind_without_drift_and_destroys_it(
    terraform: Terraform, emulator: Emulator, http: httpx.Client, tenant: str
) -> None:
    """R2, R5, R6: as run with Terraform 1.11.4 and azuread f0169e0, two months after 3.9.0."""
    terraform.init()
    terraform.apply()
    [state] = orders(emulator, http, tenant)
    assert [one["displayName"] for one in state["passwordCredentials"]] == ["rotated"]
    assert len(state["keyCredentials"]) == 1
    assert [one["name"] for one in state["federatedIdentityCredentials"]] == ["deploy"]
    terraform.shows_no_drift()
    terraform.apply("-destroy", "-target=azuread_application_certificate.orders")
    [state] = orders(emulator, http, tenant)
    assert state["keyCredentials"] == []
    assert len(state["passwordCredentials"]) == 1
    terraform.apply("-destroy")
    assert orders(emulator, http, tenant) == []
