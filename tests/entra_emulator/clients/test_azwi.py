"""What azwi 1.6.0 (Azure/azure-workload-identity) sends: names made of a SHA-256 in base64url."""

from __future__ import annotations

import pytest

from tests.support.emulator import MadeApplication
from tests.support.graph_user import GraphUser


@pytest.mark.parametrize(
    "name",
    [
        "_dXvMD9tO2Fq0mRS-2DfCVmh4Q0bW0d5T0gFGgFzt5k=",
        "-dXvMD9tO2Fq0mRS-2DfCVmh4Q0bW0d5T0gFGgFzt5k=",
        "0dXvMD9tO2Fq0mRS_2DfCVmh4Q0bW0d5T0gFGgFzt5k=",
    ],
)
def test_a_federated_credential_has_a_padded_name(
    user: GraphUser, app: MadeApplication, name: str
) -> None:
    body = {
        "@odata.type": "#microsoft.graph.federatedIdentityCredential",
        "name": name,
        "issuer": "https://oidc.example.net/cluster-1/",
        "subject": "system:serviceaccount:orders:orders-api",
        "description": "Federated Service Account for orders/orders-api",
        "audiences": ["api://AzureADTokenExchange"],
    }
    path = f"applications/{app.id}/federatedIdentityCredentials"
    made = user.call("POST", path, body)
    assert made.status_code == 201, made.text
    assert made.json()["name"] == name
    again = user.call("POST", path, body)
    assert again.status_code == 409
    assert user.call("DELETE", f"{path}/{made.json()['id']}").status_code == 204
