"""Owners, and the operations that each permission allows."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.support.emulator import OWNED_BY, READ_ALL, READ_WRITE_ALL, Emulator, MadeApplication
from tests.support.graph_user import GraphUser

DIRECTORY_READ = "Directory.Read.All"
OWNER_ADMIN = f"{READ_WRITE_ALL} {DIRECTORY_READ}"
CallerOf = Callable[[str], GraphUser]


@pytest.fixture
def caller_of(user: GraphUser, emulator: Emulator) -> CallerOf:
    """Return a function that makes a caller with a permission."""

    def make(permission: str) -> GraphUser:
        client_id, secret = emulator.create_operator(user.tenant, permission)
        return GraphUser(emulator, user.http, user.tenant, client_id, secret)

    return make


@pytest.fixture
def owned(user: GraphUser, emulator: Emulator) -> MadeApplication:
    return emulator.create_application(user.tenant, owner=user.client_id)


@pytest.fixture
def foreign(user: GraphUser, emulator: Emulator) -> MadeApplication:
    return emulator.create_application(user.tenant)


def principal_of(caller: GraphUser) -> str:
    found: str = caller.get(f"servicePrincipals(appId='{caller.client_id}')")["id"]
    return found


def writes(caller: GraphUser, app: MadeApplication) -> list[int]:
    """Try every kind of write; return the statuses. The key to remove does not exist."""
    path = f"applications/{app.id}"
    return [
        caller.call("POST", f"{path}/addPassword", {}).status_code,
        caller.call("POST", f"{path}/removePassword", {"keyId": str(uuid4())}).status_code,
        caller.call("PATCH", path, {"notes": "n"}).status_code,
        caller.call("DELETE", path).status_code,
    ]


def test_owned_by_writes_what_it_owns(user: GraphUser, owned: MadeApplication) -> None:
    """S11."""
    assert writes(user, owned) == [200, 400, 204, 204]


def test_owned_by_reads_all_and_writes_nothing_else(
    user: GraphUser, foreign: MadeApplication
) -> None:
    """S11."""
    assert user.call("GET", f"applications/{foreign.id}").status_code == 200
    assert writes(user, foreign) == [403, 403, 403, 403]


def test_read_write_all_writes_everything(caller_of: CallerOf, foreign: MadeApplication) -> None:
    assert writes(caller_of(READ_WRITE_ALL), foreign) == [200, 400, 204, 204]


def test_owner_without_a_write_permission_writes_nothing(
    caller_of: CallerOf, emulator: Emulator
) -> None:
    reader = caller_of(READ_ALL)
    app = emulator.create_application(reader.tenant, owner=reader.client_id)
    assert reader.call("GET", f"applications/{app.id}").status_code == 200
    assert writes(reader, app) == [403, 403, 403, 403]
    assert reader.call("POST", "applications", {"displayName": "x"}).status_code == 403


@pytest.mark.parametrize("permission", ["", DIRECTORY_READ])
def test_other_permissions_read_no_application(
    caller_of: CallerOf, foreign: MadeApplication, permission: str
) -> None:
    caller = caller_of(permission)
    for path in (
        "applications",
        "applications/delta",
        f"applications/{foreign.id}",
        f"applications/{foreign.id}/owners",
        "servicePrincipals",
        f"servicePrincipals(appId='{foreign.app_id}')",
        f"servicePrincipals/{foreign.service_principal_id}/ownedObjects",
        f"servicePrincipals/{foreign.service_principal_id}/owners",
        "directory/deletedItems/microsoft.graph.application",
        f"directory/deletedItems/{foreign.id}",
    ):
        assert caller.call("GET", path).status_code == 403, path


def test_lost_ownership_refuses_the_next_write(
    user: GraphUser, emulator: Emulator, owned: MadeApplication
) -> None:
    """S11: every request checks ownership; the token does not contain it."""
    user.add_password(owned.id)
    emulator.set_owners(owned.id)
    assert user.call("POST", f"applications/{owned.id}/addPassword", {}).status_code == 403


def test_owned_by_becomes_owner_of_what_it_creates(user: GraphUser) -> None:
    made = user.call("POST", "applications", {"displayName": "mine"}).json()
    owners = user.get(f"applications/{made['id']}/owners")["value"]
    assert [row["id"] for row in owners] == [principal_of(user)]
    user.add_password(made["id"])


def test_read_write_all_becomes_no_owner(caller_of: CallerOf) -> None:
    admin = caller_of(READ_WRITE_ALL)
    made = admin.call("POST", "applications", {"displayName": "x"}).json()
    assert admin.get(f"applications/{made['id']}/owners")["value"] == []


def test_owned_by_installs_only_what_it_owns(user: GraphUser, emulator: Emulator) -> None:
    app = emulator.create_application(user.tenant, servicePrincipal=None)
    assert user.call("POST", "servicePrincipals", {"appId": app.app_id}).status_code == 403


def test_owned_by_restores_and_purges_only_what_it_owns(
    user: GraphUser, caller_of: CallerOf, foreign: MadeApplication
) -> None:
    caller_of(READ_WRITE_ALL).call("DELETE", f"applications/{foreign.id}")
    path = f"directory/deletedItems/{foreign.id}"
    assert user.call("POST", f"{path}/restore").status_code == 403
    assert user.call("DELETE", path).status_code == 403


def test_owners_are_listed_as_directory_objects(
    user: GraphUser, emulator: Emulator, owned: MadeApplication
) -> None:
    """R9."""
    listed = user.get(f"applications/{owned.id}/owners")
    assert listed["@odata.context"] == f"{emulator.graph_root}/$metadata#directoryObjects"
    [row] = listed["value"]
    assert row["@odata.type"] == "#microsoft.graph.servicePrincipal"
    assert row["appId"] == user.client_id


def test_owners_are_selected_and_paged(user: GraphUser, emulator: Emulator) -> None:
    """R9: query options work as in every list."""
    others = [emulator.create_application(user.tenant).app_id for _ in range(2)]
    app = emulator.create_application(user.tenant, owner=[user.client_id, *others])
    first = user.get(f"applications/{app.id}/owners?$select=id&$top=2")
    rest = user.http.get(
        first["@odata.nextLink"], headers={"Authorization": f"Bearer {user.token}"}
    ).json()
    assert [set(row) for row in first["value"]] == [{"@odata.type", "id"}] * 2
    assert len(rest["value"]) == 1
    assert user.call("GET", f"applications/{app.id}/owners?$filter=x eq 1").status_code == 400


@pytest.mark.parametrize("permission", [OWNED_BY, f"{OWNED_BY} {DIRECTORY_READ}", READ_WRITE_ALL])
def test_naming_owners_needs_two_permissions(
    caller_of: CallerOf, emulator: Emulator, permission: str
) -> None:
    """R9: `…OwnedBy` is not enough, even for an owner."""
    caller = caller_of(permission)
    app = emulator.create_application(caller.tenant, owner=caller.client_id)
    reference = {"@odata.id": f"{emulator.graph_root}/directoryObjects/{uuid4()}"}
    added = caller.call("POST", f"applications/{app.id}/owners/$ref", reference)
    assert added.status_code == 403


@pytest.mark.parametrize(
    ("permission", "own", "others"),
    [(OWNED_BY, 204, 403), (READ_WRITE_ALL, 204, 204), (READ_ALL, 403, 403)],
)
def test_removing_an_owner_needs_what_any_change_needs(
    caller_of: CallerOf, emulator: Emulator, permission: str, own: int, others: int
) -> None:
    """Graph's page application-delete-owners: no Directory.Read.All, and `…OwnedBy` is enough."""
    caller = caller_of(permission)
    another = emulator.create_application(caller.tenant)
    answers = []
    for owner, principal in (
        (caller.client_id, principal_of(caller)),
        (another.app_id, another.service_principal_id),
    ):
        app = emulator.create_application(caller.tenant, owner=owner)
        answer = caller.call("DELETE", f"applications/{app.id}/owners/{principal}/$ref")
        answers.append(answer.status_code)
    assert answers == [own, others]


def test_owner_is_added_and_removed_by_reference(
    user: GraphUser, caller_of: CallerOf, emulator: Emulator, foreign: MadeApplication
) -> None:
    """R9."""
    admin = caller_of(OWNER_ADMIN)
    owner = principal_of(user)
    reference = {"@odata.id": f"{emulator.graph_root}/directoryObjects/{owner}"}
    path = f"applications/{foreign.id}/owners"
    assert admin.call("POST", f"{path}/$ref", reference).status_code == 204
    user.add_password(foreign.id)
    again = admin.call("POST", f"{path}/$ref", reference)
    assert again.status_code == 400
    assert "already exist" in again.json()["error"]["message"]
    assert admin.call("DELETE", f"{path}/{owner}/$ref").status_code == 204
    assert admin.call("DELETE", f"{path}/{owner}/$ref").status_code == 404
    assert user.call("POST", f"applications/{foreign.id}/addPassword", {}).status_code == 403


def test_bad_reference_is_refused(
    caller_of: CallerOf, emulator: Emulator, foreign: MadeApplication
) -> None:
    admin = caller_of(OWNER_ADMIN)
    path = f"applications/{foreign.id}/owners/$ref"
    nobody = f"{emulator.graph_root}/directoryObjects/{uuid4()}"
    assert admin.call("POST", path, {}).status_code == 400
    assert admin.call("POST", path, {"@odata.id": 5}).status_code == 400
    assert admin.call("POST", path, {"@odata.id": nobody, "role": "x"}).status_code == 400
    assert admin.call("POST", path, {"@odata.id": nobody}).status_code == 404


def test_application_has_at_most_100_owners(
    caller_of: CallerOf, emulator: Emulator, user: GraphUser
) -> None:
    admin = caller_of(OWNER_ADMIN)
    owners = [emulator.create_application(user.tenant).app_id for _ in range(100)]
    app = emulator.create_application(user.tenant, owner=owners)
    reference = {"@odata.id": f"{emulator.graph_root}/directoryObjects/{principal_of(user)}"}
    answer = admin.call("POST", f"applications/{app.id}/owners/$ref", reference)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "Directory_QuotaExceeded"


def test_owned_objects_are_what_a_principal_owns(
    user: GraphUser, owned: MadeApplication, foreign: MadeApplication
) -> None:
    principal = principal_of(user)
    plain = user.get(f"servicePrincipals/{principal}/ownedObjects")["value"]
    cast = user.get(
        f"servicePrincipals/{principal}/ownedObjects/microsoft.graph.application?$select=id"
    )["value"]
    assert [row["id"] for row in plain] == [owned.id]
    assert cast == [{"@odata.type": "#microsoft.graph.application", "id": owned.id}]


@pytest.mark.parametrize("cast", ["", "/microsoft.graph.application", "/graph.application"])
def test_pages_of_owned_objects_keep_the_type_that_was_asked_for(
    user: GraphUser, owned: MadeApplication, emulator: Emulator, cast: str
) -> None:
    emulator.create_application(user.tenant, owner=user.client_id)
    path = f"servicePrincipals/{principal_of(user)}/ownedObjects"
    first = user.get(f"{path}{cast}?$top=1")
    kept = cast and "/microsoft.graph.application"
    assert first["@odata.nextLink"].startswith(f"{emulator.graph_root}/{path}{kept}?")


def test_new_owner_is_refused_by_a_replica_that_does_not_know_it(
    user: GraphUser, caller_of: CallerOf, emulator: Emulator, foreign: MadeApplication
) -> None:
    """F1, S11: a 403 right after a change of owners may be lag."""
    emulator.stop_clock()
    emulator.set_faults(lag={"replicas": 1, "application": {"update": [10, 10]}})
    reference = {"@odata.id": f"{emulator.graph_root}/directoryObjects/{principal_of(user)}"}
    caller_of(OWNER_ADMIN).call("POST", f"applications/{foreign.id}/owners/$ref", reference)
    assert user.call("POST", f"applications/{foreign.id}/addPassword", {}).status_code == 403
    emulator.move_clock(10)
    user.add_password(foreign.id)


def test_former_owner_is_refused_at_once(
    user: GraphUser, caller_of: CallerOf, emulator: Emulator, owned: MadeApplication
) -> None:
    """F1, S11: a replica that still shows the owner does not help."""
    emulator.stop_clock()
    emulator.set_faults(lag={"replicas": 1, "application": {"update": [10, 10]}})
    admin = caller_of(OWNER_ADMIN)
    owner = principal_of(user)
    assert admin.call("DELETE", f"applications/{owned.id}/owners/{owner}/$ref").status_code == 204
    assert user.get(f"applications/{owned.id}/owners")["value"] != []
    assert user.call("POST", f"applications/{owned.id}/addPassword", {}).status_code == 403
