"""What a workload's pod runs: signs in once a second, with azure-identity, and says how it went.

Lies in a ConfigMap; the image is the operator's, which has Python and azure-identity. Its words are
`secret FOLDER` for a mounted Secret, `environment` for one that the container was started with, or
`token CLIENT_ID TENANT_ID AUTHORITY` for the pod's own projected token. It never waits for an
answer to become better: each attempt is told as it went.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError
from azure.identity import ClientSecretCredential, WorkloadIdentityCredential

CA_FILE = "/etc/entra/ca.pem"
TOKEN_FILE = "/var/run/secrets/azure/tokens/azure-identity-token"
SCOPE = "https://graph.microsoft.com/.default"

# A pod that has just gone answers nothing at all, and five minutes are the default to wait for it.
AT_ONCE: dict[str, Any] = {
    "disable_instance_discovery": True,
    "connection_verify": CA_FILE,
    "retry_total": 0,
    "connection_timeout": 3,
    "read_timeout": 3,
}

Attempt = tuple[Any, str]


def by_secret(folder: str) -> Attempt:
    """Read the mounted files anew, as a workload that follows a rotation does."""
    # One version of all files: the link is turned to another folder when the Secret changes.
    version = Path(folder, "..data").resolve()
    return _by_values({file.name: file.read_text() for file in version.iterdir()})


def by_environment() -> Attempt:
    """Use what the container was started with, whatever the Secret holds by now."""
    return _by_values(os.environ)


def _by_values(read: Mapping[str, str]) -> Attempt:
    credential = ClientSecretCredential(
        read["AZURE_TENANT_ID"],
        read["AZURE_CLIENT_ID"],
        read["AZURE_CLIENT_SECRET"],
        authority=read["AZURE_AUTHORITY_HOST"],
        **AT_ONCE,
    )
    return credential, hashlib.sha256(read["AZURE_CLIENT_SECRET"].encode()).hexdigest()


def by_token(client_id: str, tenant_id: str, authority: str) -> Attempt:
    """Present the token that the kubelet mounted."""
    credential = WorkloadIdentityCredential(
        tenant_id=tenant_id,
        client_id=client_id,
        token_file_path=TOKEN_FILE,
        authority=authority,
        **AT_ONCE,
    )
    return credential, ""


def main() -> None:
    """Sign in for ever."""
    kinds: dict[str, Callable[..., Attempt]] = {
        "secret": by_secret,
        "environment": by_environment,
        "token": by_token,
    }
    while True:
        credential, value = kinds[sys.argv[1]](*sys.argv[2:])
        refusal = ""
        with credential:
            try:
                credential.get_token(SCOPE)
            except AzureError as error:
                refusal = str(error).partition("\n")[0] or type(error).__name__
        sys.stdout.write(json.dumps({"sha256": value, "refusal": refusal}) + "\n")
        sys.stdout.flush()
        time.sleep(1)


if __name__ == "__main__":
    main()
