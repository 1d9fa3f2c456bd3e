"""Issue tokens of several issuers, and exchange them at the emulator with azure-identity."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientAssertionCredential, WorkloadIdentityCredential

from demo.seed import TENANT_ID
from localcluster import Cluster

AUDIENCE: Final = "api://AzureADTokenExchange"
GITHUB: Final = "https://token.actions.githubusercontent.com"
GITLAB: Final = "https://gitlab.com"


class Emulator(Protocol):
    """The part of the running emulator that this module uses."""

    url: str
    ca_file: Path

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call its admin API."""
        ...


def add_cluster_issuer(cluster: Cluster, emulator: Emulator) -> None:
    """Let the emulator fetch the keys of the cluster's ServiceAccount tokens."""
    known = {"name": "cluster", "url": cluster.issuer, "caFile": str(cluster.ca_file)}
    emulator.call("POST", "/issuers", known)


def add_issuers(cluster: Cluster, emulator: Emulator) -> None:
    """Let the emulator fetch the cluster's keys, and host GitHub, GitLab and Entra as issuers."""
    add_cluster_issuer(cluster, emulator)
    own = f"{emulator.url}/{TENANT_ID}/v2.0"
    for name, url in (("github", GITHUB), ("gitlab", GITLAB), ("entra", own)):
        emulator.call("POST", "/issuers", {"name": name, "url": url, "hosted": True})


def token_of(emulator: Emulator, issuer: str, subject: str, **claims: Any) -> str:
    """Return a token signed by an issuer that the emulator hosts."""
    wanted = {"sub": subject, "aud": AUDIENCE, **claims}
    made: dict[str, str] = emulator.call("POST", f"/issuers/{issuer}/tokens", {"claims": wanted})
    return made["token"]


def exchange(emulator: Emulator, client_id: str, token: str) -> str:
    """Exchange a token as a workload does; return `""` for success, else Entra's refusal."""
    credential = ClientAssertionCredential(
        TENANT_ID, client_id, lambda: token, **_endpoint(emulator)
    )
    with credential:
        return _outcome(credential, emulator)


def sign_in_as(
    cluster: Cluster, emulator: Emulator, namespace: str, account: str, **who: str
) -> str:
    """Sign in as a pod of the ServiceAccount does: with a token file and the pod's variables.

    Returns `""` for success, else Entra's refusal.
    """
    token = cluster.service_account_token(namespace, account, audiences=[AUDIENCE])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "azure-identity-token"
        path.write_text(token)
        credential = WorkloadIdentityCredential(
            tenant_id=who.get("tenant_id", TENANT_ID),
            client_id=who["client_id"],
            token_file_path=str(path),
            **_endpoint(emulator),
        )
        with credential:
            return _outcome(credential, emulator)


def _endpoint(emulator: Emulator) -> Mapping[str, Any]:
    return {
        "authority": emulator.url,
        "disable_instance_discovery": True,
        "connection_verify": str(emulator.ca_file),
    }


def _outcome(credential: Any, emulator: Emulator) -> str:
    try:
        credential.get_token(f"{emulator.url}/.default")
    except ClientAuthenticationError as error:
        return str(error.message)
    return ""
