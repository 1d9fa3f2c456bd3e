"""@azure/msal-node 5.1.2, below @azure/identity: the body of its token request.

`ClientCredentialClient.createTokenRequestBody`; the fields stand in the order in which they are
added, encoded by `encodeURIComponent`.
"""

from __future__ import annotations

import pytest

from tests.support.graph_user import GraphUser
from tests.support.token_bodies import send_body

REST = (
    "&grant_type=client_credentials&x-client-SKU=msal.js.node&x-client-VER=5.1.2&x-client-OS=linux"
    "&x-client-CPU=x64&x-ms-lib-capability=retry-after%2C%20h429"
    "&x-client-current-telemetry=5%7C771%2C2%2C%2C%2C%7C%2C&x-client-last-telemetry=5%7C0%7C%7C%7C0%2C0"
    "&client-request-id=11111111-2222-4333-8444-555555555555&client_secret=SECRET"
)
CAE = "&claims=%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22CP1%22%5D%7D%7D%7D"


@pytest.mark.parametrize("host", ["graph.microsoft.com", "management.azure.com", "vault.azure.net"])
@pytest.mark.parametrize("end", ["", CAE], ids=["plain", "cae"])
def test_secret(user: GraphUser, host: str, end: str) -> None:
    body = f"client_id=CLIENT&scope=https%3A%2F%2F{host}%2F.default{REST}{end}"
    assert send_body(user, body).status_code == 200
