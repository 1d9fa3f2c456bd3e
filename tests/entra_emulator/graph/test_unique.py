"""Applications by unique name, their upsert, and values that only one may have."""

from __future__ import annotations

import pytest

from tests.support.graph_user import GraphUser

PATH = "applications(uniqueName='orders')"


def test_upsert_creates_once_and_updates_then(user: GraphUser) -> None:
    """Bicep's extension for Graph works that way (Graph, "Upsert application")."""
    body = {"displayName": "Orders"}
    made = user.call("PATCH", PATH, body, Prefer="create-if-missing")
    assert made.status_code == 201
    assert made.json()["uniqueName"] == "orders"
    again = user.call("PATCH", PATH, {"notes": "n"}, Prefer="create-if-missing")
    assert (again.status_code, again.content) == (204, b"")
    read = user.get(PATH)
    assert (read["id"], read["notes"]) == (made.json()["id"], "n")
    assert user.call("POST", f"{PATH}/addPassword", {}).status_code == 200


def test_without_the_preference_a_missing_one_stays_missing(user: GraphUser) -> None:
    assert user.call("PATCH", PATH, {"displayName": "Orders"}).status_code == 404
    assert user.call("GET", PATH).status_code == 404


def test_upsert_with_another_name_in_the_body_is_400(user: GraphUser) -> None:
    body = {"displayName": "Orders", "uniqueName": "stock"}
    assert user.call("PATCH", PATH, body, Prefer="create-if-missing").status_code == 400


@pytest.mark.parametrize("value", ["stock", None, ""])
def test_a_unique_name_is_set_once_and_never_changed(user: GraphUser, value: str | None) -> None:
    """Graph, resource type application: immutable. An upsert would rename it otherwise."""
    made = user.call("POST", "applications", {"displayName": "Orders"}).json()
    path = f"applications/{made['id']}"
    assert user.call("PATCH", path, {"uniqueName": "orders"}).status_code == 204
    assert user.call("PATCH", path, {"uniqueName": "orders", "notes": "n"}).status_code == 204
    body = {"uniqueName": value, "notes": "changed"}
    assert user.call("PATCH", path, body).status_code == 400
    assert user.call("PATCH", PATH, body, Prefer="create-if-missing").status_code == 400
    read = user.get(PATH)
    assert (read["id"], read["notes"]) == (made["id"], "n")


def test_a_unique_name_is_not_empty(user: GraphUser) -> None:
    body = {"displayName": "Orders", "uniqueName": ""}
    assert user.call("POST", "applications", body).status_code == 400


def test_identifier_uris_and_names_belong_to_one_application(user: GraphUser) -> None:
    """That it is refused is documented; of the text we know no recording."""
    first = {"displayName": "a", "identifierUris": ["api://a.example"], "uniqueName": "a"}
    made = user.call("POST", "applications", first).json()
    for name, value in (("identifierUris", ["api://A.example"]), ("uniqueName", "a")):
        answer = user.call("POST", "applications", {"displayName": "b", name: value})
        assert answer.status_code == 400
        assert answer.json()["error"]["message"] == (
            f"Another object with the same value for property {name} already exists."
        )
    path = f"applications/{made['id']}"
    assert user.call("PATCH", path, {"identifierUris": first["identifierUris"]}).status_code == 204
    assert user.call("DELETE", path).status_code == 204
    assert user.call("POST", "applications", first).status_code == 201
