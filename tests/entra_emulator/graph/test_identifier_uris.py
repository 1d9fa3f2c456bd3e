"""Identifier URIs need a verified domain (Entra, "Restrictions on identifier URIs")."""

from __future__ import annotations

import pytest

from tests.support.graph_user import GraphUser

DOMAINS = ("contoso.onmicrosoft.com", "Contoso.example")


@pytest.fixture
def at_home(user: GraphUser) -> GraphUser:
    """A caller whose tenant has verified domains."""
    tenant = user.emulator.create_tenant(domains=list(DOMAINS))
    return GraphUser(user.emulator, user.http, tenant, *user.emulator.create_operator(tenant))


@pytest.mark.parametrize(
    "uri",
    [
        "https://contoso.onmicrosoft.com/products",
        "https://contoso.example",
        "https://products.CONTOSO.example/v1",
        "http://contoso.example:8080",
        "api://products",
        "urn:products",
    ],
)
def test_one_of_a_verified_domain_or_without_a_domain_is_taken(
    at_home: GraphUser, uri: str
) -> None:
    made = at_home.call("POST", "applications", {"displayName": "a", "identifierUris": [uri]})
    assert made.status_code == 201, made.text
    assert made.json()["identifierUris"] == [uri]


@pytest.mark.parametrize(
    "uri",
    [
        "https://SignService/products",
        "https://notcontoso.example",
        "https://contoso.example.elsewhere.example",
        "https://[contoso.example",
        "HTTPS://elsewhere.example",
        "https://",
    ],
)
def test_another_domain_is_refused_in_a_post_and_in_a_patch(at_home: GraphUser, uri: str) -> None:
    """Issue 423 of dotnet/sign, issue 16230 of Azure PowerShell: code and text."""
    body = {"displayName": "a", "identifierUris": [uri]}
    path = f"applications/{at_home.call('POST', 'applications', {'displayName': 'b'}).json()['id']}"
    for answer in (
        at_home.call("POST", "applications", body),
        at_home.call("PATCH", path, body),
    ):
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert error["code"] == "HostNameNotOnVerifiedDomain"
        assert error["message"] == (
            "Values of identifierUris property must use a verified domain of the organization or"
            f" its subdomain: '{uri}'"
        )


def test_one_that_an_application_has_already_stays(user: GraphUser) -> None:
    """Entra, breaking changes of October 2021: what exists is not affected."""
    uri = "https://elsewhere.example"
    made = user.emulator.create_application(user.tenant, owner=user.client_id, identifierUris=[uri])
    path, uris = f"applications/{made.id}", [uri, "api://another"]
    assert user.call("PATCH", path, {"identifierUris": uris}).status_code == 204
    assert user.get(path)["identifierUris"] == uris
