"""The token endpoint of version 1: `resource` instead of `scope`, and numbers as strings.

Form and answer are those of the page "OAuth 2.0 client credentials flow" of Azure AD for
developers, v1.0 (archived: MicrosoftDocs/azure-docs, v1-oauth2-client-creds-grant-flow.md).
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import jwt
import pytest

from tests.support.emulator import Emulator
from tests.support.graph_user import GraphUser

VAULT = "https://vault.azure.net"


def sign_in(user: GraphUser, form: Mapping[str, str]) -> httpx.Response:
    credential = {"client_id": user.client_id, "client_secret": user.secret}
    fields = {"grant_type": "client_credentials", **credential, **form}
    return user.http.post(f"{user.emulator.url}/{user.tenant}/oauth2/token", data=fields)


def test_answer_of_a_success(user: GraphUser, emulator: Emulator) -> None:
    """R4."""
    emulator.stop_clock()
    now = int(emulator.now().timestamp())
    body = sign_in(user, {"resource": VAULT}).json()
    assert body.pop("access_token").count(".") == 2
    assert body == {
        "token_type": "Bearer",
        "expires_in": "3599",
        "ext_expires_in": "3599",
        "expires_on": str(now + 3600),
        "not_before": str(now),
        "resource": VAULT,
    }


def test_token_opens_graph(user: GraphUser, emulator: Emulator) -> None:
    token = sign_in(user, {"resource": "https://graph.microsoft.com/"}).json()["access_token"]
    answer = user.http.get(
        f"{emulator.url}/v1.0/applications", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code != 401


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({}, 400, 900144),
        ({"scope": f"{VAULT}/.default"}, 400, 900144),
        ({"resource": f"{VAULT}/.default"}, 400, 500011),
        ({"resource": "https://nowhere.example"}, 400, 500011),
        ({"resource": VAULT, "client_secret": "wrong"}, 401, 7000215),
        ({"resource": VAULT, "grant_type": "password"}, 400, 70003),
    ],
)
def test_errors_are_those_of_version_2(
    user: GraphUser, form: Mapping[str, str], status: int, code: int
) -> None:
    """R4: a scope is not read here."""
    answer = sign_in(user, form)
    assert (answer.status_code, answer.json()["error_codes"]) == (status, [code])


def test_resource_is_not_read_at_version_2(user: GraphUser) -> None:
    answer = user.sign_in(scope="", resource=VAULT)
    assert answer.json()["error_codes"] == [900144]


def test_request_is_logged_as_a_token(user: GraphUser, emulator: Emulator) -> None:
    sign_in(user, {"resource": VAULT})
    assert emulator.world.log.counts()["token"] == 1


def document(emulator: Emulator, http: httpx.Client, tenant: str) -> httpx.Response:
    return http.get(f"{emulator.url}/{tenant}/.well-known/openid-configuration")


def test_discovery_leads_to_this_endpoint_and_its_keys(
    user: GraphUser, emulator: Emulator, http: httpx.Client
) -> None:
    """R1, R2: members as in Azure's page on access tokens for FHIR."""
    found = document(emulator, http, user.tenant).json()
    assert found["token_endpoint"] == f"{emulator.url}/{user.tenant}/oauth2/token"
    form = {"client_id": user.client_id, "client_secret": user.secret, "resource": VAULT}
    answer = http.post(found["token_endpoint"], data={"grant_type": "client_credentials", **form})
    token = answer.json()["access_token"]
    [key] = http.get(found["jwks_uri"]).json()["keys"]
    claims = jwt.decode(token, jwt.PyJWK(key).key, algorithms=["RS256"], audience=VAULT)
    assert claims["iss"] == found["issuer"] == f"https://sts.windows.net/{user.tenant}/"
    assert http.get(f"{emulator.url}/{user.tenant}/discovery/keys").json()["keys"] == [key]


@pytest.mark.parametrize("name", ["common", "organizations"])
def test_discovery_without_a_tenant_has_a_template_as_issuer(
    emulator: Emulator, http: httpx.Client, name: str
) -> None:
    found = document(emulator, http, name).json()
    assert found["issuer"] == "https://sts.windows.net/{tenantid}/"
    assert found["token_endpoint"] == f"{emulator.url}/{name}/oauth2/token"


@pytest.mark.parametrize(("name", "code"), [("no_tenant", 900023), ("nowhere.example", 90002)])
def test_discovery_of_no_tenant_is_an_error(
    emulator: Emulator, http: httpx.Client, name: str, code: int
) -> None:
    answer = document(emulator, http, name)
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [code])
