"""Applications and service principals in Graph: create, read, change, soft delete."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.support.emulator import READ_WRITE_ALL, Emulator, MadeApplication
from tests.support.graph_user import GraphUser, is_guid

DAY = 86_400


@pytest.fixture
def admin(user: GraphUser, emulator: Emulator) -> GraphUser:
    """A caller with `Application.ReadWrite.All`."""
    client_id, secret = emulator.create_operator(user.tenant, READ_WRITE_ALL)
    return GraphUser(emulator, user.http, user.tenant, client_id, secret)


def test_read_by_object_id_and_by_app_id_is_the_same(user: GraphUser, app: MadeApplication) -> None:
    """R6."""
    by_id = user.get(f"applications/{app.id}")
    assert by_id == user.get(f"applications(appId='{app.app_id}')")
    assert (by_id["id"], by_id["appId"]) == (app.id, app.app_id)
    assert by_id["@odata.context"] == (f"{user.emulator.graph_root}/$metadata#applications/$entity")


def test_app_id_is_no_object_id(user: GraphUser, app: MadeApplication) -> None:
    """R6: the two ids are different things."""
    assert user.call("GET", f"applications/{app.app_id}").status_code == 404
    assert user.call("GET", f"applications(appId='{app.id}')").status_code == 404


def test_read_shows_the_documented_properties(user: GraphUser, app: MadeApplication) -> None:
    read = user.get(f"applications/{app.id}")
    assert {
        "id",
        "appId",
        "displayName",
        "createdDateTime",
        "deletedDateTime",
        "signInAudience",
        "keyCredentials",
        "passwordCredentials",
        "tags",
        "notes",
        "uniqueName",
        "isDisabled",
        "disabledByMicrosoftStatus",
        "serviceManagementReference",
    } <= set(read)
    assert "owners" not in read
    assert read["signInAudience"] == "AzureADMyOrg"


def test_created_application_has_ids_of_the_server_and_no_service_principal(
    user: GraphUser,
) -> None:
    """R5."""
    answer = user.call("POST", "applications", {"displayName": "new", "tags": ["a"]})
    made = answer.json()
    assert answer.status_code == 201
    assert is_guid(made["id"])
    assert is_guid(made["appId"])
    assert made["tags"] == ["a"]
    assert user.get(f"applications/{made['id']}")["displayName"] == "new"
    assert user.call("GET", f"servicePrincipals(appId='{made['appId']}')").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"displayName": ""},
        {"displayName": "x" * 257},
        {"displayName": None},
        {"displayName": "x", "signInAudience": "Everybody"},
        {"displayName": "x", "tags": "a"},
        {"displayName": "x", "tags": [1]},
        {"displayName": "x", "isDisabled": "yes"},
        {"displayName": "x", "notes": 1},
        {"displayName": "x", "id": str(uuid4())},
        {"displayName": "x", "appId": str(uuid4())},
        {"displayName": "x", "colour": "red"},
    ],
)
def test_bad_application_is_400(user: GraphUser, body: dict[str, Any]) -> None:
    answer = user.call("POST", "applications", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "Request_BadRequest"


def test_name_of_256_characters_is_accepted(user: GraphUser) -> None:
    assert user.call("POST", "applications", {"displayName": "x" * 256}).status_code == 201


def test_patch_is_204_and_keeps_what_it_does_not_name(
    user: GraphUser, app: MadeApplication
) -> None:
    """R6."""
    before = user.get(f"applications/{app.id}")
    answer = user.call("PATCH", f"applications/{app.id}", {"notes": "n", "tags": ["a", "b"]})
    after = user.get(f"applications/{app.id}")
    assert answer.status_code == 204
    assert answer.content == b""
    assert after == {**before, "notes": "n", "tags": ["a", "b"]}


@pytest.mark.parametrize("body", [{"colour": "red"}, {"appId": "x"}, {"displayName": None}])
def test_bad_patch_changes_nothing(user: GraphUser, app: MadeApplication, body: Any) -> None:
    before = user.get(f"applications/{app.id}")
    answer = user.call("PATCH", f"applications/{app.id}", {"notes": "n", **body})
    assert answer.status_code == 400
    assert user.get(f"applications/{app.id}") == before


def test_patch_may_repeat_the_objects_own_id(user: GraphUser, app: MadeApplication) -> None:
    """As Terraform's certificate resource does; another id stays refused."""
    path = f"applications/{app.id}"
    assert user.call("PATCH", path, {"id": app.id, "keyCredentials": []}).status_code == 204
    upper = {"id": app.id.upper(), "appId": app.app_id.upper()}
    assert user.call("PATCH", path, upper).status_code == 204
    before = user.get(path)
    assert user.call("PATCH", path, {"id": str(uuid4()), "notes": "n"}).status_code == 400
    assert user.get(path) == before


def test_patch_may_repeat_what_it_cannot_change(user: GraphUser, app: MadeApplication) -> None:
    """A client that sends back all that it read changes nothing."""
    user.add_password(app.id)
    path = f"applications/{app.id}"
    before = user.get(path)
    assert user.call("PATCH", path, {**before, "notes": "n"}).status_code == 204
    assert user.get(path) == {**before, "notes": "n"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "5c1f9a1e-0a4b-4a52-9a52-1f1f6f2f9a01"),
        ("appId", "5c1f9a1e-0a4b-4a52-9a52-1f1f6f2f9a02"),
        ("createdDateTime", "2001-01-01T00:00:00Z"),
        ("deletedDateTime", "2001-01-01T00:00:00Z"),
        ("disabledByMicrosoftStatus", "NotDisabled"),
        ("publisherDomain", "contoso.example"),
        ("verifiedPublisher", {"displayName": "x"}),
        ("passwordCredentials", [{"displayName": "x"}]),
    ],
)
def test_patch_with_another_value_of_what_it_cannot_change(
    user: GraphUser, app: MadeApplication, name: str, value: Any
) -> None:
    before = user.get(f"applications/{app.id}")
    answer = user.call("PATCH", f"applications/{app.id}", {"notes": "n", name: value})
    assert answer.status_code == 400
    assert user.get(f"applications/{app.id}") == before


def test_patch_by_alternate_key(user: GraphUser, app: MadeApplication) -> None:
    answer = user.call("PATCH", f"applications(appId='{app.app_id}')", {"notes": "n"})
    assert answer.status_code == 204
    assert user.get(f"applications/{app.id}")["notes"] == "n"


def test_deleted_application_is_404_and_among_the_deleted_items(
    user: GraphUser, app: MadeApplication
) -> None:
    assert user.call("DELETE", f"applications/{app.id}").status_code == 204
    for path in (f"applications/{app.id}", f"applications(appId='{app.app_id}')"):
        assert user.call("GET", path).status_code == 404
    assert user.call("PATCH", f"applications/{app.id}", {"notes": "n"}).status_code == 404
    assert user.call("POST", f"applications/{app.id}/addPassword", {}).status_code == 404
    assert user.call("DELETE", f"applications/{app.id}").status_code == 404
    assert app.id not in {row["id"] for row in user.get("applications")["value"]}
    listed = user.get("directory/deletedItems/microsoft.graph.application")["value"]
    assert [row["id"] for row in listed] == [app.id]
    found = user.get(f"directory/deletedItems/{app.id}?$select=id,deletedDateTime")
    assert found["@odata.type"] == "#microsoft.graph.application"
    assert found["deletedDateTime"] is not None
    assert "displayName" not in found


def test_deleted_application_takes_its_service_principal_along(
    user: GraphUser, app: MadeApplication
) -> None:
    user.call("DELETE", f"applications/{app.id}")
    assert user.call("GET", f"servicePrincipals(appId='{app.app_id}')").status_code == 404


def test_restored_application_has_everything_it_had(user: GraphUser, app: MadeApplication) -> None:
    made = user.add_password(app.id)
    user.call("DELETE", f"applications/{app.id}")
    answer = user.call("POST", f"directory/deletedItems/{app.id}/restore")
    assert answer.status_code == 200
    assert answer.json()["deletedDateTime"] is None
    read = user.get(f"applications/{app.id}")
    assert [one["keyId"] for one in read["passwordCredentials"]] == [made["keyId"]]
    assert user.call("GET", f"directory/deletedItems/{app.id}").status_code == 404
    assert user.call("GET", f"servicePrincipals(appId='{app.app_id}')").status_code == 200


def test_application_can_be_restored_for_thirty_days(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    user.call("DELETE", f"applications/{app.id}")
    emulator.move_clock(29 * DAY)
    user.sign_in()
    assert user.call("GET", f"directory/deletedItems/{app.id}").status_code == 200
    emulator.move_clock(DAY)
    user.sign_in()
    assert user.call("GET", f"directory/deletedItems/{app.id}").status_code == 404
    assert user.call("POST", f"directory/deletedItems/{app.id}/restore").status_code == 404
    assert user.get("directory/deletedItems/graph.application")["value"] == []


def test_purged_application_is_gone_for_good(user: GraphUser, app: MadeApplication) -> None:
    user.call("DELETE", f"applications/{app.id}")
    assert user.call("DELETE", f"directory/deletedItems/{app.id}").status_code == 204
    assert user.call("GET", f"directory/deletedItems/{app.id}").status_code == 404
    assert user.call("POST", f"directory/deletedItems/{app.id}/restore").status_code == 404


def test_living_application_is_no_deleted_item(user: GraphUser, app: MadeApplication) -> None:
    assert user.call("DELETE", f"directory/deletedItems/{app.id}").status_code == 404
    assert user.call("GET", f"applications/{app.id}").status_code == 200


def test_service_principal_is_read_by_id_and_app_id(user: GraphUser, app: MadeApplication) -> None:
    """R13."""
    by_app = user.get(f"servicePrincipals(appId='{app.app_id}')")
    assert by_app["id"] == app.service_principal_id
    assert by_app == user.get(f"servicePrincipals/{app.service_principal_id}")
    assert by_app["appOwnerOrganizationId"] == user.tenant
    assert by_app["accountEnabled"] is True


def test_service_principal_is_created_once(user: GraphUser) -> None:
    """R13."""
    made = user.call("POST", "applications", {"displayName": "new"}).json()
    first = user.call("POST", "servicePrincipals", {"appId": made["appId"]})
    second = user.call("POST", "servicePrincipals", {"appId": made["appId"]})
    assert first.status_code == 201
    assert second.status_code == 409
    assert second.json()["error"]["code"] == "Request_MultipleObjectsWithSameKeyValue"


def test_service_principal_of_nothing_names_the_missing_object(user: GraphUser) -> None:
    answer = user.call("POST", "servicePrincipals", {"appId": str(uuid4())})
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["code"] == "Request_BadRequest"
    assert [detail["code"] for detail in error["details"]] == ["NoBackingApplicationObject"]


@pytest.mark.parametrize("body", [{}, {"appId": 1}, {"appId": "x", "colour": "red"}])
def test_bad_service_principal_is_400(user: GraphUser, body: Any) -> None:
    assert user.call("POST", "servicePrincipals", body).status_code == 400


def test_foreign_application_is_installed_only_when_its_audience_allows(
    admin: GraphUser, emulator: Emulator
) -> None:
    home = emulator.create_tenant()
    single = emulator.create_application(home)
    multi = emulator.create_application(home, signInAudience="AzureADMultipleOrgs")
    refused = admin.call("POST", "servicePrincipals", {"appId": single.app_id})
    made = admin.call("POST", "servicePrincipals", {"appId": multi.app_id})
    assert refused.status_code == 400
    assert made.status_code == 201
    assert made.json()["appOwnerOrganizationId"] == home


def test_service_principal_of_a_foreign_application_survives_its_deletion(
    admin: GraphUser, emulator: Emulator
) -> None:
    home = emulator.create_tenant()
    multi = emulator.create_application(home, signInAudience="AzureADMultipleOrgs")
    made = admin.call("POST", "servicePrincipals", {"appId": multi.app_id}).json()
    emulator.delete_application(multi.app_id)
    read = admin.get(f"servicePrincipals/{made['id']}")
    assert read["appId"] == multi.app_id
    assert read["appOwnerOrganizationId"] is None
