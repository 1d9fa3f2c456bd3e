"""Owners of service principals.

Microsoft Graph: serviceprincipal-list-owners, serviceprincipal-post-owners and
serviceprincipal-delete-owners, with their tables of permissions.
"""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.support.emulator import OWNED_BY, READ_ALL, READ_WRITE_ALL, Emulator, MadeApplication
from tests.support.graph_user import GraphUser

DIRECTORY_READ = "Directory.Read.All"


def caller(user: GraphUser, permission: str) -> GraphUser:
    made = user.emulator.create_operator(user.tenant, permission)
    return GraphUser(user.emulator, user.http, user.tenant, *made)


def principal_of(user: GraphUser) -> str:
    return str(user.get(f"servicePrincipals(appId='{user.client_id}')?$select=id")["id"])


def installed(user: GraphUser) -> str:
    """Install an application that the caller creates; return the address of the principal."""
    app = user.call("POST", "applications", {"displayName": "new"}).json()
    made = user.call("POST", "servicePrincipals", {"appId": app["appId"]}).json()
    return f"servicePrincipals/{made['id']}"


def add(user: GraphUser, path: str, owner: str) -> httpx.Response:
    body = {"@odata.id": f"{user.emulator.graph_root}/directoryObjects/{owner}"}
    return user.call("POST", f"{path}/owners/$ref", body)


def owners(user: GraphUser, path: str) -> list[str]:
    return [row["id"] for row in user.get(f"{path}/owners?$select=id")["value"]]


def test_owners_are_listed_added_and_removed(
    user: GraphUser, app: MadeApplication, emulator: Emulator
) -> None:
    admin = caller(user, f"{READ_WRITE_ALL} {DIRECTORY_READ}")
    path = f"servicePrincipals(appId='{app.app_id}')"
    owner = principal_of(user)
    assert add(admin, path, owner).status_code == 204
    listed = admin.get(f"{path}/owners")
    assert listed["@odata.context"] == f"{emulator.graph_root}/$metadata#directoryObjects"
    [row] = listed["value"]
    assert (row["id"], row["@odata.type"]) == (owner, "#microsoft.graph.servicePrincipal")
    assert add(admin, path, owner).status_code == 400, "an owner already"
    remove = f"servicePrincipals/{app.service_principal_id}/owners/{owner}/$ref"
    assert [admin.call("DELETE", remove).status_code for _ in range(2)] == [204, 404]
    assert owners(admin, path) == []


def test_new_owner_may_write_and_a_former_one_may_not(
    user: GraphUser, app: MadeApplication
) -> None:
    """S11."""
    admin = caller(user, f"{READ_WRITE_ALL} {DIRECTORY_READ}")
    path, owner = f"servicePrincipals/{app.service_principal_id}", principal_of(user)
    add(admin, path, owner)
    assert user.call("PATCH", path, {"notes": "n"}).status_code == 204
    assert user.call("DELETE", f"{path}/owners/{owner}/$ref").status_code == 204
    assert user.call("PATCH", path, {"notes": "n"}).status_code == 403


@pytest.mark.parametrize(
    ("permission", "status"),
    [
        (OWNED_BY, 403),
        (READ_WRITE_ALL, 403),
        (f"{READ_ALL} {DIRECTORY_READ}", 403),
        (f"{OWNED_BY} {DIRECTORY_READ}", 204),
        (f"{READ_WRITE_ALL} {DIRECTORY_READ}", 204),
    ],
)
def test_adding_needs_to_read_the_directory(
    user: GraphUser, app: MadeApplication, permission: str, status: int
) -> None:
    writer = caller(user, permission)
    path = installed(writer if OWNED_BY in permission else user)
    assert add(writer, path, str(app.service_principal_id)).status_code == status


def test_owned_by_adds_owners_only_to_what_it_owns(user: GraphUser, app: MadeApplication) -> None:
    writer = caller(user, f"{OWNED_BY} {DIRECTORY_READ}")
    path = f"servicePrincipals/{app.service_principal_id}"
    assert add(writer, path, principal_of(writer)).status_code == 403
    assert owners(user, path) == []


def test_bad_references_are_refused(user: GraphUser, app: MadeApplication) -> None:
    admin = caller(user, f"{READ_WRITE_ALL} {DIRECTORY_READ}")
    path = f"servicePrincipals/{app.service_principal_id}"
    assert admin.call("POST", f"{path}/owners/$ref", {}).status_code == 400
    assert add(admin, path, str(uuid4())).status_code == 404
    assert add(admin, f"servicePrincipals/{uuid4()}", principal_of(user)).status_code == 404


def test_owners_are_counted_and_logged(user: GraphUser, emulator: Emulator) -> None:
    path = installed(user)
    emulator.reset_log()
    answer = user.call("GET", f"{path}/owners/$count", ConsistencyLevel="eventual")
    assert answer.text == "1"
    assert emulator.counts() == {"servicePrincipal.owners.list": 1}
