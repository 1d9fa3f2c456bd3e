"""What tokens are for: services of Microsoft, and applications by appId or identifier URI."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from entra_emulator.admin.seed import Seed, read_document
from entra_emulator.directory.services import SERVICES
from entra_emulator.jose.jwt import decode_segment
from tests.support.emulator import Emulator
from tests.support.graph_user import GraphUser

CLIENT = {
    "tenants": [
        {
            "domains": ["contoso.example"],
            "applications": [{"appId": "client", "passwords": [{"value": "a-secret-of-a-test"}]}],
        }
    ]
}


def claims_of(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(decode_segment(answer.json()["access_token"].split(".")[1]))


def codes_of(answer: httpx.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["error_codes"][0]


def test_services_are_resources_by_uri_and_by_app_id(user: GraphUser) -> None:
    """R4: the audience is what the scope names, with its extra slash; no permission of Graph."""
    for uri, app_id in SERVICES.items():
        for name in (uri, f"{uri}/", app_id):
            claims = claims_of(user.sign_in(scope=f"{name}/.default"))
            assert (claims["aud"], claims["roles"]) == (name, [])


def test_token_of_a_service_opens_no_graph(user: GraphUser, emulator: Emulator) -> None:
    token = user.sign_in(scope="https://vault.azure.net/.default").json()["access_token"]
    answer = user.http.get(
        f"{emulator.url}/v1.0/applications", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ("https://vault.azure.net.example/.default", 500011),
        ("http://vault.azure.net/.default", 500011),
        ("https://vault.azure.net/secrets/.default", 500011),
        ("https://vault.azure.net", 70011),
        ("https://vault.azure.net/user_impersonation", 70011),
        ("https://vault.azure.net/.default https://storage.azure.com/.default", 70011),
        ("openid https://vault.azure.net/.default https://graph.microsoft.com/.default", 70011),
    ],
)
def test_other_scopes_stay_refused(user: GraphUser, scope: str, code: int) -> None:
    """R4."""
    assert codes_of(user.sign_in(scope=scope)) == (400, code)


def test_seed_names_further_services(tls_dir: Path) -> None:
    resource = {"appId": "a-service", "identifierUris": ["https://vault.azure.cn"]}
    with Emulator(tls_dir, seed={**CLIENT, "resources": [resource]}) as emulator:
        trust = ssl.create_default_context(cafile=emulator.ca_file)
        with httpx.Client(verify=trust) as http:
            user = GraphUser(emulator, http, "contoso.example", "client", "a-secret-of-a-test")
            for name in ("https://vault.azure.cn", "a-service"):
                assert claims_of(user.sign_in(scope=f"{name}/.default"))["aud"] == name


@pytest.mark.parametrize("resource", [{}, {"appId": "UPPER"}, {"appId": "a", "name": "b"}])
def test_seed_refuses_another_form(resource: dict[str, str]) -> None:
    with pytest.raises(msgspec.ValidationError, match="resources"):
        read_document(Seed, {"resources": [resource]})


def test_application_is_a_resource_where_it_is_installed(
    user: GraphUser, emulator: Emulator
) -> None:
    """R4: by appId or a registered identifier URI."""
    uri = "api://orders.example"
    api = emulator.create_application(user.tenant, identifierUris=[uri])
    for name in (uri, api.app_id):
        claims = claims_of(user.sign_in(scope=f"{name}/.default"))
        assert (claims["aud"], claims["roles"]) == (name, [])
    elsewhere = emulator.create_application(
        emulator.create_tenant(), identifierUris=["api://elsewhere.example"]
    )
    for name in (elsewhere.app_id, "api://elsewhere.example"):
        assert codes_of(user.sign_in(scope=f"{name}/.default")) == (400, 500011)


def test_uri_of_the_app_id_counts_only_where_it_is_registered(
    user: GraphUser, emulator: Emulator
) -> None:
    """R4: Entra makes no such URI by itself."""
    api = emulator.create_application(user.tenant)
    uri = f"api://{api.app_id}"
    assert codes_of(user.sign_in(scope=f"{uri}/.default")) == (400, 500011)
    emulator.change_application(api.id, identifierUris=[uri])
    assert claims_of(user.sign_in(scope=f"{uri}/.default"))["aud"] == uri


def test_uri_of_two_tenants_means_the_own_application(user: GraphUser, emulator: Emulator) -> None:
    uri = "api://orders.example"
    emulator.create_application(emulator.create_tenant(), identifierUris=[uri])
    assert codes_of(user.sign_in(scope=f"{uri}/.default")) == (400, 500011)
    emulator.create_application(user.tenant, identifierUris=[uri])
    assert claims_of(user.sign_in(scope=f"{uri}/.default"))["aud"] == uri
