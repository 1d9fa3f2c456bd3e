"""`/common` and `/organizations`: discovery without a tenant, and no token for an application."""

from __future__ import annotations

import httpx
import pytest

from tests.support.emulator import Emulator
from tests.support.graph_user import GraphUser

NAMES = ["common", "organizations"]


@pytest.mark.parametrize("name", NAMES)
def test_discovery_has_a_template_as_issuer(
    emulator: Emulator, http: httpx.Client, name: str
) -> None:
    """R1: every other address keeps the name."""
    url = f"{emulator.url}/{name}/v2.0/.well-known/openid-configuration"
    document = http.get(url).json()
    assert document["issuer"] == f"{emulator.url}/{{tenantid}}/v2.0"
    assert document["token_endpoint"] == f"{emulator.url}/{name}/oauth2/v2.0/token"
    assert document["jwks_uri"] == f"{emulator.url}/{name}/discovery/v2.0/keys"
    [key] = http.get(document["jwks_uri"]).json()["keys"]
    assert key["kty"] == "RSA"


@pytest.mark.parametrize("name", [*NAMES, "Common"])
def test_an_application_gets_no_token_there(user: GraphUser, name: str) -> None:
    """R4: as AzureAD/microsoft-identity-web issue 462 shows it for an application's own token."""
    user.tenant = name
    answer = user.sign_in()
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (
        400,
        "invalid_request",
        [50059],
    )
    assert body["error_description"].startswith(
        "AADSTS50059: No tenant-identifying information found in either the request or implied"
        " by any provided credentials. Trace ID: "
    )
