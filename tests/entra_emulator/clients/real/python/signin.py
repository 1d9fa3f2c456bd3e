"""Signs in once, as a program that uses azure-identity does, and prints the access token.

The only argument names the credential; its settings are the library's own environment variables,
as in a pod. The CA of the authority is in REQUESTS_CA_BUNDLE, which `requests` reads.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    WorkloadIdentityCredential,
)


def assertion() -> str:
    """Return the federated token, which the library asks for at each sign-in."""
    return Path(os.environ["AZURE_FEDERATED_TOKEN_FILE"]).read_text()


def credential(kind: str) -> TokenCredential:
    """Build the credential of a kind."""
    who = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"]
    authority = os.environ["AZURE_AUTHORITY_HOST"]
    if kind == "secret":
        secret = os.environ["AZURE_CLIENT_SECRET"]
        return ClientSecretCredential(
            *who, secret, authority=authority, disable_instance_discovery=True
        )
    if kind == "certificate":
        path = os.environ["AZURE_CLIENT_CERTIFICATE_PATH"]
        return CertificateCredential(
            *who, path, authority=authority, disable_instance_discovery=True
        )
    if kind == "workload-identity":
        return WorkloadIdentityCredential(authority=authority, disable_instance_discovery=True)
    if kind == "assertion":
        return ClientAssertionCredential(
            *who, assertion, authority=authority, disable_instance_discovery=True
        )
    raise SystemExit(f"unknown kind of credential: {kind}")


try:
    token = credential(sys.argv[1]).get_token(os.environ["SCOPE"])
except ClientAuthenticationError as error:
    raise SystemExit(error.message) from None
sys.stdout.write(token.token)
