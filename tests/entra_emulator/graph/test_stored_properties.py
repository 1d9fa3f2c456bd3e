"""Properties that the emulator keeps and shows: types, defaults, and what stays unknown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.emulator import MadeApplication
from tests.support.graph_user import GraphUser

# The answer in "Create application" (microsoftgraph/microsoft-graph-docs-contrib,
# api-reference/v1.0/api/application-post-applications.md), for an application of one tenant.
NEW: dict[str, Any] = {
    "addIns": [],
    "api": {
        "acceptMappedClaims": None,
        "knownClientApplications": [],
        "requestedAccessTokenVersion": None,
        "oauth2PermissionScopes": [],
        "preAuthorizedApplications": [],
    },
    "appRoles": [],
    "applicationTemplateId": None,
    "certification": None,
    "defaultRedirectUri": None,
    "disabledByMicrosoftStatus": None,
    "groupMembershipClaims": None,
    "info": {
        "logoUrl": None,
        "marketingUrl": None,
        "privacyStatementUrl": None,
        "supportUrl": None,
        "termsOfServiceUrl": None,
    },
    "isDeviceOnlyAuthSupported": None,
    "isFallbackPublicClient": None,
    "optionalClaims": None,
    "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
    "publicClient": {"redirectUris": []},
    "requiredResourceAccess": [],
    "samlMetadataUrl": None,
    "spa": {"redirectUris": []},
    "tokenEncryptionKeyId": None,
    "verifiedPublisher": {
        "addedDateTime": None,
        "displayName": None,
        "verifiedPublisherId": None,
    },
    "web": {
        "homePageUrl": None,
        "implicitGrantSettings": {
            "enableAccessTokenIssuance": False,
            "enableIdTokenIssuance": False,
        },
        "logoutUrl": None,
        "redirectUriSettings": [],
        "redirectUris": [],
    },
}


def test_a_new_application_shows_the_documented_defaults(user: GraphUser) -> None:
    made = user.call("POST", "applications", {"displayName": "new"}).json()
    assert {name: made[name] for name in NEW} == NEW
    assert user.get(f"applications/{made['id']}?$select=web,spa")["web"] == NEW["web"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("addIns", [{"id": "x", "type": "FileHandler", "properties": []}]),
        ("appRoles", [{"displayName": "Reader", "value": "read", "allowedMemberTypes": ["User"]}]),
        ("defaultRedirectUri", "https://orders.example/"),
        ("groupMembershipClaims", "SecurityGroup"),
        ("isDeviceOnlyAuthSupported", False),
        ("isFallbackPublicClient", True),
        ("oauth2RequirePostResponse", True),
        ("requiredResourceAccess", [{"resourceAppId": "x", "resourceAccess": []}]),
        ("samlMetadataUrl", "https://orders.example/saml"),
        ("tokenEncryptionKeyId", "0b6d3a52-0000-4000-8000-0000000000aa"),
        ("managerApplications", ["0b6d3a52-0000-4000-8000-0000000000aa"]),
    ],
)
def test_values_of_the_right_type_are_kept(user: GraphUser, name: str, value: Any) -> None:
    body = {"displayName": "new", name: value}
    made = user.call("POST", "applications", body).json()
    path = f"applications/{made['id']}"
    assert made[name] == user.get(path)[name] == value
    refused = user.call("PATCH", path, {name: 7})
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "Request_BadRequest"
    assert f"'{name}'" in refused.json()["error"]["message"]
    assert user.get(path)[name] == value


def test_a_change_of_one_member_keeps_the_others(user: GraphUser, app: MadeApplication) -> None:
    """`az ad app update --web-redirect-uris` names no other member of `web`."""
    path = f"applications/{app.id}"
    whole = {"homePageUrl": "https://orders.example", "logoutUrl": None}
    assert user.call("PATCH", path, {"web": whole}).status_code == 204
    uris = {"@odata.type": "#microsoft.graph.webApplication", "redirectUris": ["https://o/"]}
    assert user.call("PATCH", path, {"web": uris}).status_code == 204
    web = user.get(path)["web"]
    assert web == {**NEW["web"], **whole, "redirectUris": ["https://o/"]}
    assert user.call("PATCH", path, {"web": None, "optionalClaims": None}).status_code == 204
    assert user.get(path)["web"] == NEW["web"]


@pytest.mark.parametrize(
    "body",
    [
        {"web": []},
        {"web": {"colour": "red"}},
        {"info": {"logoUrl": "https://orders.example/logo"}},
        {"optionalClaims": {"cookies": []}},
        {"appRoles": ["Reader"]},
        {"appRoles": None},
        {"tokenEncryptionKeyId": "no-guid"},
        {"managerApplications": ["no-guid"]},
        {"logo": "AAAA"},
        {"appManagementPolicies": []},
        {"owners@odata.delta": []},
        {"@odata.etag": "x"},
        {"colour@odata.bind": []},
    ],
)
def test_what_a_type_has_not_is_refused(
    user: GraphUser, app: MadeApplication, body: dict[str, Any]
) -> None:
    before = user.get(f"applications/{app.id}")
    assert user.call("PATCH", f"applications/{app.id}", {"notes": "n", **body}).status_code == 400
    assert user.get(f"applications/{app.id}") == before


def test_what_is_not_emulated_says_so(user: GraphUser, app: MadeApplication) -> None:
    answer = user.call("PATCH", f"applications/{app.id}", {"logo": "AAAA"})
    assert "is not emulated here" in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["@odata.type", "@odata.id", "@odata.context", "tags@odata.type"])
def test_annotations_are_skipped(user: GraphUser, app: MadeApplication, name: str) -> None:
    answer = user.call("PATCH", f"applications/{app.id}", {name: "x", "notes": "n"})
    assert answer.status_code == 204
