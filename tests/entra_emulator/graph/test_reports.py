"""The report of sign-ins, which only beta has: for whom, and what it shows."""

from __future__ import annotations

import httpx
import pytest

from tests.support.emulator import READ_WRITE_ALL, Emulator, MadeApplication
from tests.support.graph_user import GraphUser
from tests.support.keys import make_certificate

REPORT = "beta/reports/appCredentialSignInActivities"


@pytest.fixture
def reader(user: GraphUser, emulator: Emulator) -> GraphUser:
    client_id, secret = emulator.create_operator(user.tenant, "AuditLog.Read.All")
    return GraphUser(emulator, user.http, user.tenant, client_id, secret)


def get(caller: GraphUser, path: str = REPORT) -> httpx.Response:
    if not caller.token:
        caller.sign_in()
    headers = {"Authorization": f"Bearer {caller.token}"}
    return caller.http.get(f"{caller.emulator.url}/{path}", headers=headers)


def made(emulator: Emulator, tenant: str) -> tuple[MadeApplication, GraphUser]:
    app = emulator.create_application(tenant, passwords=[{"displayName": "a"}])
    secret = app.passwords[0].secret
    assert secret is not None
    return app, GraphUser(emulator, httpx.Client(), tenant, app.app_id, secret)


def test_a_sign_in_is_shown_with_its_credential(reader: GraphUser, emulator: Emulator) -> None:
    app, owner = made(emulator, reader.tenant)
    owner.http = reader.http
    assert get(reader, f"{REPORT}?$filter=appId eq '{app.app_id}'").json()["value"] == []
    assert owner.sign_in().status_code == 200
    answer = get(reader, f"{REPORT}?$filter=appId eq '{app.app_id}'").json()
    (row,) = answer["value"]
    assert answer["@odata.context"].endswith(
        "/beta/$metadata#reports/appCredentialSignInActivities"
    )
    assert (row["appId"], row["keyId"]) == (app.app_id, app.passwords[0].key_id)
    assert (row["keyType"], row["keyUsage"]) == ("clientSecret", "verify")
    first = row["signInActivity"]["lastSignInDateTime"]
    emulator.move_clock(60)
    assert owner.sign_in().status_code == 200
    (again,) = get(reader, f"{REPORT}?$filter=appId eq '{app.app_id}'").json()["value"]
    assert again["signInActivity"]["lastSignInDateTime"] > first


def test_a_refused_sign_in_is_none(reader: GraphUser, emulator: Emulator) -> None:
    app, owner = made(emulator, reader.tenant)
    owner.http, owner.secret = reader.http, "wrong"
    assert owner.sign_in().status_code == 401
    emulator.add_key(app.app_id, certificate=make_certificate().pem.decode())
    assert get(reader, f"{REPORT}?$filter=appId eq '{app.app_id}'").json()["value"] == []


def test_pages_stay_in_beta(reader: GraphUser, emulator: Emulator) -> None:
    for _ in range(2):
        _, owner = made(emulator, reader.tenant)
        owner.http = reader.http
        assert owner.sign_in().status_code == 200
    first = get(reader, f"{REPORT}?$top=2").json()
    assert len(first["value"]) == 2
    assert first["@odata.nextLink"].startswith(f"{emulator.url}/{REPORT}?")
    rest = get(reader, first["@odata.nextLink"].removeprefix(f"{emulator.url}/")).json()
    assert len(rest["value"]) == 1


def test_permissions_for_applications_are_not_enough(user: GraphUser, emulator: Emulator) -> None:
    client_id, secret = emulator.create_operator(user.tenant, READ_WRITE_ALL)
    caller = GraphUser(emulator, user.http, user.tenant, client_id, secret)
    assert get(caller).status_code == 403
    assert get(caller, f"v1.0/{REPORT}").status_code == 400, "it is in beta only"
    assert get(caller, REPORT.replace("beta", "v1.0")).status_code == 400


def test_other_tenants_see_nothing(reader: GraphUser, emulator: Emulator) -> None:
    other = emulator.create_tenant()
    app, owner = made(emulator, other)
    owner.http = reader.http
    assert owner.sign_in().status_code == 200
    assert get(reader, f"{REPORT}?$filter=appId eq '{app.app_id}'").json()["value"] == []
