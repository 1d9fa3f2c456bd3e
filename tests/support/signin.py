"""Programs that sign in once with a real library: how they are told, started and believed."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from entra_emulator.directory.entities import Permission
from tests.support.clients import SCOPE
from tests.support.emulator import Emulator
from tests.support.keys import MadeCertificate

ISSUER: Final = "https://oidc.example.net/cluster-1/"
SUBJECT: Final = "system:serviceaccount:orders:api"
#: Seconds; a Java machine takes a few.
MAXIMUM: Final = 60
#: Settings of this machine that would send a client elsewhere, or add other credentials.
FOREIGN: Final = ("AZURE_", "IDENTITY_", "MSI_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class Kind(StrEnum):
    """The credential that a program signs in with; its only argument."""

    SECRET = "secret"
    CERTIFICATE = "certificate"
    WORKLOAD_IDENTITY = "workload-identity"
    ASSERTION = "assertion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An application that can sign in with every kind, and the environment that says so."""

    app_id: str
    environment: dict[str, str]


def make_account(emulator: Emulator, folder: Path, made: MadeCertificate) -> Account:
    """Create the application, and write its certificate and a federated token into the folder."""
    tenant = emulator.create_tenant()
    app = emulator.create_application(
        tenant,
        passwords=[{}],
        keys=[{"certificate": made.pem.decode()}],
        federatedIdentityCredentials=[{"name": "api", "issuer": ISSUER, "subject": SUBJECT}],
        servicePrincipal={"permissions": [Permission.READ_ALL]},
    )
    claims = {"sub": SUBJECT, "aud": ["api://AzureADTokenExchange"]}
    (folder / "token").write_text(emulator.sign(emulator.add_issuer(ISSUER), claims=claims))
    (folder / "bundle.pem").write_bytes(made.bundle)
    secret = app.passwords[0].secret
    assert secret is not None
    return Account(
        app_id=app.app_id,
        environment={
            "AZURE_AUTHORITY_HOST": emulator.authority_host,
            "AZURE_TENANT_ID": tenant,
            "AZURE_CLIENT_ID": app.app_id,
            "AZURE_CLIENT_SECRET": secret,
            "AZURE_CLIENT_CERTIFICATE_PATH": str(folder / "bundle.pem"),
            "AZURE_FEDERATED_TOKEN_FILE": str(folder / "token"),
            "SCOPE": SCOPE,
            "CA_FILE": str(emulator.ca_file),
        },
    )


def run(
    command: Sequence[str], kind: Kind, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; its output is the token, its errors are those of the library."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.upper().startswith(FOREIGN)
    }
    return subprocess.run(
        [*command, kind],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=MAXIMUM,
        check=False,
    )


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token, without a look at its signature."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return claims
