"""What azure-cli sends about applications, by role/custom.py and its recordings of 2022 and 2025.

The recordings are in role/tests/latest/recordings of Azure/azure-cli: create-cert, app_credential.
"""

from __future__ import annotations

from uuid import uuid4

from tests.support.graph_user import GraphUser
from tests.support.keys import MadeCertificate


def test_app_create(user: GraphUser) -> None:
    """`az ad app create --display-name orders --web-redirect-uris https://orders.example`."""
    body = {
        "displayName": "orders",
        "web": {"redirectUris": ["https://orders.example"]},
    }
    made = user.call("POST", "applications", body)
    assert made.status_code == 201, made.text
    assert made.json()["web"]["redirectUris"] == ["https://orders.example"]
    assert made.json()["signInAudience"] == "AzureADMyOrg"


def test_create_cert(user: GraphUser, made: MadeCertificate) -> None:
    """`--create-cert`: the text between the lines of the PEM, broken at 64 characters."""
    app = user.call("POST", "applications", {"displayName": "orders"}).json()
    lines = made.pem.decode().strip().splitlines()[1:-1]
    credential = {
        "startDateTime": f"{made.certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
        "endDateTime": f"{made.certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        "keyId": str(uuid4()),
        "customKeyIdentifier": None,
        "displayName": None,
        "key": "\n".join(lines) + "\n",
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }
    path = f"applications/{app['id']}"
    assert user.call("PATCH", path, {"keyCredentials": [credential]}).status_code == 204
    [key] = user.get(path)["keyCredentials"]
    assert key["customKeyIdentifier"] == made.thumbprint
    assert key["keyId"] == credential["keyId"]
    assert key["displayName"] == "CN=orders"
