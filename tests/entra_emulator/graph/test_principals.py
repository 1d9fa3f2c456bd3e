"""Service principals are changed and deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.emulator import READ_WRITE_ALL, Emulator, MadeApplication
from tests.support.graph_user import GraphUser


def installed(user: GraphUser, **fields: Any) -> dict[str, Any]:
    app = user.call("POST", "applications", {"displayName": "new"}).json()
    answer = user.call("POST", "servicePrincipals", {"appId": app["appId"], **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_new_one_shows_the_documented_defaults(user: GraphUser) -> None:
    made = installed(user, tags=["HideApp"])
    assert made["tags"] == ["HideApp"]
    assert made["servicePrincipalNames"] == [made["appId"]]
    assert made["signInAudience"] == "AzureADMyOrg"
    assert made["replyUrls"] == made["keyCredentials"] == made["alternativeNames"] == []
    assert made["appRoleAssignmentRequired"] is False


def test_a_change_keeps_what_it_does_not_name(user: GraphUser) -> None:
    made = installed(user, notes="first")
    path = f"servicePrincipals/{made['id']}"
    before = user.get(path)
    wanted = {**before, "accountEnabled": False, "loginUrl": "https://orders.example"}
    assert user.call("PATCH", path, wanted).status_code == 204
    assert user.get(path) == wanted


@pytest.mark.parametrize(
    "body",
    [
        {"colour": "red"},
        {"id": "5c1f9a1e-0a4b-4a52-9a52-1f1f6f2f9a01"},
        {"appId": "5c1f9a1e-0a4b-4a52-9a52-1f1f6f2f9a02"},
        {"accountEnabled": None},
        {"tags": "x"},
        {"keyCredentials": [{}]},
        {"servicePrincipalType": "ManagedIdentity"},
        {"servicePrincipalNames": ["https://mail.contoso.example"]},
        {"servicePrincipalNames": "https://mail.contoso.example"},
    ],
)
def test_a_wrong_change_changes_nothing(user: GraphUser, body: dict[str, Any]) -> None:
    path = f"servicePrincipals/{installed(user)['id']}"
    before = user.get(path)
    assert user.call("PATCH", path, {"notes": "n", **body}).status_code == 400
    assert user.get(path) == before


def test_names_are_added_to_those_of_the_application(user: GraphUser) -> None:
    """As Microsoft's guide to hybrid modern authentication in Exchange does with PowerShell."""
    made = installed(user)
    path = f"servicePrincipals/{made['id']}"
    mail, find = "https://mail.contoso.example", "https://autodiscover.contoso.example"
    for names in ([mail], [mail, find], [find], []):
        wanted = [made["appId"], *names]
        assert user.call("PATCH", path, {"servicePrincipalNames": wanted}).status_code == 204
        assert user.get(path)["servicePrincipalNames"] == wanted
        text = f"servicePrincipals?$filter=servicePrincipalNames/any(x:x eq '{mail}')"
        assert len(user.get(text)["value"]) == names.count(mail)
    user.call("PATCH", path, {"servicePrincipalNames": [made["appId"], mail], "notes": "n"})
    uris = {"identifierUris": ["api://orders.example"]}
    user.call("PATCH", f"applications(appId='{made['appId']}')", uris)
    shown = user.get(path)["servicePrincipalNames"]
    assert shown == [made["appId"], "api://orders.example", mail]


def test_a_deleted_one_leaves_its_application(user: GraphUser) -> None:
    made = installed(user)
    path = f"servicePrincipals(appId='{made['appId']}')"
    assert user.call("DELETE", path).status_code == 204
    assert user.call("GET", path).status_code == 404
    assert user.call("DELETE", path).status_code == 404
    assert user.call("GET", f"applications(appId='{made['appId']}')").status_code == 200
    assert user.call("POST", "servicePrincipals", {"appId": made["appId"]}).status_code == 201


def test_owned_by_writes_only_what_it_owns(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    """S11."""
    path = f"servicePrincipals/{app.service_principal_id}"
    assert user.call("PATCH", path, {"notes": "n"}).status_code == 403
    assert user.call("DELETE", path).status_code == 403
    client_id, secret = emulator.create_operator(user.tenant, READ_WRITE_ALL)
    admin = GraphUser(emulator, user.http, user.tenant, client_id, secret)
    assert admin.call("PATCH", path, {"notes": "n"}).status_code == 204
    assert admin.call("DELETE", path).status_code == 204
