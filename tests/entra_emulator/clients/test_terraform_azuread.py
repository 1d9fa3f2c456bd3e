"""What hashicorp/terraform-provider-azuread f0169e0 sends about applications and principals.

The bodies have the form that internal/services/applications gives them: application_resource.go
(create, with its `password` block) and application_certificate_resource.go; and
internal/services/serviceprincipals/service_principal_resource.go.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.emulator import Emulator, MadeApplication
from tests.support.graph_user import GraphUser
from tests.support.keys import MadeCertificate


def principal_of(user: GraphUser) -> str:
    found: str = user.get(f"servicePrincipals(appId='{user.client_id}')")["id"]
    return found


def application(user: GraphUser, *owners: str, **fields: Any) -> dict[str, Any]:
    root = user.emulator.graph_root
    return {
        "@odata.type": "#microsoft.graph.application",
        "displayName": "orders",
        "api": {
            "acceptMappedClaims": None,
            "knownClientApplications": [],
            "oauth2PermissionScopes": [],
            "requestedAccessTokenVersion": 1,
        },
        "appRoles": [],
        "groupMembershipClaims": None,
        "identifierUris": [],
        "isDeviceOnlyAuthSupported": False,
        "isFallbackPublicClient": False,
        "optionalClaims": {"accessToken": [], "idToken": [], "saml2Token": []},
        "owners@odata.bind": [f"{root}/directoryObjects/{owner}" for owner in owners],
        "publicClient": {"redirectUris": []},
        "requiredResourceAccess": [],
        "signInAudience": "AzureADMyOrg",
        "spa": {"redirectUris": []},
        "web": {
            "implicitGrantSettings": {
                "enableAccessTokenIssuance": False,
                "enableIdTokenIssuance": False,
            },
            "redirectUris": [],
        },
        **fields,
    }


def test_an_application_with_owners(user: GraphUser, emulator: Emulator) -> None:
    another = emulator.create_application(user.tenant).service_principal_id
    owners = [principal_of(user), str(another)]
    body = application(user, *owners)
    made = user.call("POST", "applications", body)
    assert made.status_code == 201, made.text
    found = user.get(f"applications/{made.json()['id']}/owners")["value"]
    assert {row["id"] for row in found} == set(owners)
    shown = {name: made.json()[name] for name in body if "@" not in name}
    whole = {**body["web"], "homePageUrl": None, "logoutUrl": None, "redirectUriSettings": []}
    api = {**body["api"], "preAuthorizedApplications": []}
    assert shown == {n: v for n, v in body.items() if "@" not in n} | {"web": whole, "api": api}


def test_the_caller_is_removed_as_owner(user: GraphUser) -> None:
    """Without `owners` the resource names the caller in the POST, and removes it afterwards."""
    own = principal_of(user)
    made = user.call("POST", "applications", application(user, own)).json()
    path = f"applications/{made['id']}/owners"
    assert user.call("DELETE", f"{path}/{own}/$ref").status_code == 204
    assert user.get(path)["value"] == []


@pytest.mark.parametrize("owners", ["x", [7], None, {}])
def test_owners_that_are_no_list(user: GraphUser, owners: Any) -> None:
    body = {**application(user), "owners@odata.bind": owners}
    assert user.call("POST", "applications", body).status_code == 400


def test_unknown_and_repeated_owners(user: GraphUser) -> None:
    own = principal_of(user)
    unknown = user.call("POST", "applications", application(user, own, str(uuid4())))
    twice = user.call("POST", "applications", application(user, own, own))
    assert (unknown.status_code, twice.status_code) == (404, 400)
    assert "orders" not in {row["displayName"] for row in user.get("applications")["value"]}


def test_a_password_with_the_application(user: GraphUser) -> None:
    """The `password` block: its value is read from the 201."""
    wanted = {"displayName": "first", "endDateTime": "2099-01-01T00:00:00Z"}
    body = application(user, principal_of(user), passwordCredentials=[wanted])
    answer = user.call("POST", "applications", body)
    assert answer.status_code == 201, answer.text
    [made] = answer.json()["passwordCredentials"]
    assert made["displayName"] == "first"
    assert made["secretText"].startswith(made["hint"])
    [read] = user.get(f"applications/{answer.json()['id']}")["passwordCredentials"]
    assert read == {**made, "secretText": None}


@pytest.mark.parametrize(
    "passwords", [None, {}, ["x"], [{}, {}], [{"colour": "red"}], [{"endDateTime": "2001"}]]
)
def test_passwords_that_are_refused(user: GraphUser, passwords: Any) -> None:
    body = application(user, passwordCredentials=passwords)
    assert user.call("POST", "applications", body).status_code == 400


def test_a_certificate_beside_the_repeated_id(
    user: GraphUser, app: MadeApplication, made: MadeCertificate
) -> None:
    key_id = str(uuid4())
    credential = {
        "keyId": key_id,
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": made.base64,
    }
    body = {"id": app.id, "keyCredentials": [credential]}
    assert user.call("PATCH", f"applications/{app.id}", body).status_code == 204
    [key] = user.get(f"applications/{app.id}")["keyCredentials"]
    assert key["keyId"] == key_id
    again = {"id": app.id, "keyCredentials": [key]}
    assert user.call("PATCH", f"applications/{app.id}", again).status_code == 204


def principal(user: GraphUser, app_id: str, *owners: str) -> dict[str, Any]:
    root = user.emulator.graph_root
    return {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        "accountEnabled": True,
        "alternativeNames": [],
        "appId": app_id,
        "appRoleAssignmentRequired": False,
        "description": f"TERRAFORM_UPDATE_{uuid4()}",
        "loginUrl": None,
        "notes": None,
        "notificationEmailAddresses": [],
        "owners@odata.bind": [f"{root}/directoryObjects/{owner}" for owner in owners],
        "preferredSingleSignOnMode": None,
        "tags": [],
    }


def test_a_service_principal_whose_caller_is_removed_as_owner(
    user: GraphUser, emulator: Emulator
) -> None:
    own, another = principal_of(user), str(emulator.create_application(user.tenant).app_id)
    owner = user.get(f"servicePrincipals(appId='{another}')")["id"]
    app = user.call("POST", "applications", application(user, own)).json()
    made = user.call("POST", "servicePrincipals", principal(user, app["appId"], own, owner))
    assert made.status_code == 201, made.text
    path = f"servicePrincipals/{made.json()['id']}"
    assert user.call("PATCH", path, {"description": None}).status_code == 204
    assert user.call("DELETE", f"{path}/owners/{own}/$ref").status_code == 204
    assert [row["id"] for row in user.get(f"{path}/owners")["value"]] == [owner]


def test_a_service_principal_with_unknown_and_repeated_owners(user: GraphUser) -> None:
    own = principal_of(user)
    app = user.call("POST", "applications", application(user, own)).json()
    for owners, status in (((own, str(uuid4())), 404), ((own, own), 400)):
        body = principal(user, app["appId"], *owners)
        assert user.call("POST", "servicePrincipals", body).status_code == status
    assert user.get(f"servicePrincipals?$filter=appId eq '{app['appId']}'")["value"] == []


def test_the_metadata_of_the_cloud(emulator: Emulator, http: httpx.Client) -> None:
    """`metadata_host`: go-azure-sdk v0.20260212.1143955, sdk/environments/from_endpoint.go.

    It demands a name and the addresses of Resource Manager and Graph, and signs in at the
    `loginEndpoint`; Terraform's azuread f0169e0 puts `https://` before the host.
    """
    url = f"{emulator.url}/emulator/metadata/endpoints?api-version=2022-09-01"
    shown = http.get(url).json()
    assert shown["name"]
    assert shown["resourceManager"]
    assert shown["microsoftGraphResourceId"].rstrip("/") == emulator.url
    assert shown["authentication"]["loginEndpoint"] == emulator.url
