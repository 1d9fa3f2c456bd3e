"""The admin API over HTTP: create, inspect, change, faults, log; and its errors."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.admin_api import AdminApi
from tests.support.emulator import OWNED_BY, READ_ALL, Emulator
from tests.support.graph_user import GraphUser, is_guid


@pytest.fixture
def admin(emulator: Emulator, http: httpx.Client) -> AdminApi:
    return AdminApi(emulator, http)


def test_health(admin: AdminApi) -> None:
    assert admin.do("GET", "healthz") == {"status": "ok"}


def test_tenant_with_everything_in_it_is_made_at_once(admin: AdminApi) -> None:
    """An application may name owners that come later in the request."""
    operator = str(uuid4())
    made = admin.do(
        "POST",
        "tenants",
        {
            "displayName": "Contoso",
            "domains": ["contoso.example"],
            "applications": [
                {"displayName": "orders", "owners": [operator], "passwords": [{}]},
                {"appId": operator, "servicePrincipal": {"permissions": [OWNED_BY]}},
            ],
        },
        201,
    )
    orders, owner = made["applications"]
    shown = admin.do("GET", "tenants/contoso.example")
    assert is_guid(made["id"])
    assert shown["id"] == made["id"]
    assert shown["applications"] == [orders["appId"], operator]
    assert len(shown["servicePrincipals"]) == 2
    assert admin.do("GET", f"applications/{orders['appId']}")["owners"] == [
        owner["servicePrincipalId"]
    ]
    assert made["id"] in {one["id"] for one in admin.do("GET", "tenants")}


def test_deleted_tenant_is_gone_with_its_content(admin: AdminApi, tenant: str) -> None:
    made = admin.do("POST", f"tenants/{tenant}/applications", {}, 201)
    admin.do("DELETE", f"tenants/{tenant}", status=204)
    admin.do("GET", f"tenants/{tenant}", status=404)
    admin.do("GET", f"applications/{made['appId']}", status=404)


def test_generated_secret_is_told_once_and_a_given_one_never(admin: AdminApi, tenant: str) -> None:
    made = admin.do(
        "POST",
        f"tenants/{tenant}/applications",
        {"passwords": [{}, {"value": "given-value-123", "displayName": "mine"}]},
        201,
    )
    generated, given = made["passwords"]
    shown = admin.do("GET", f"applications/{made['id']}")
    assert "secretText" not in given
    assert generated["secretText"] not in str(shown)
    assert "given-value-123" not in str(shown)
    assert [one["hint"] for one in shown["passwordCredentials"]] == [
        generated["secretText"][:3],
        "giv",
    ]


def test_operator_is_made_with_a_secret_and_permissions(
    admin: AdminApi, tenant: str, emulator: Emulator, http: httpx.Client
) -> None:
    made = admin.do("POST", f"tenants/{tenant}/operators", {"permissions": [READ_ALL]}, 201)
    caller = GraphUser(emulator, http, tenant, made["clientId"], made["clientSecret"])
    assert caller.call("GET", "applications").status_code == 200
    assert caller.call("POST", "applications", {"displayName": "x"}).status_code == 403


def test_application_is_changed_and_deleted_for_good(admin: AdminApi, tenant: str) -> None:
    made = admin.do("POST", f"tenants/{tenant}/applications", {}, 201)
    path = f"applications/{made['appId']}"
    admin.do("PATCH", path, {"isDisabled": True, "notes": "n"}, 204)
    shown = admin.do("GET", path)
    assert (shown["isDisabled"], shown["notes"]) == (True, "n")
    admin.do("PATCH", path, {"colour": "red"}, 400)
    admin.do("DELETE", path, status=204)
    admin.do("GET", path, status=404)
    assert admin.do("GET", f"tenants/{tenant}/applications") == []


def test_passwords_and_owners_are_changed_as_somebody_else_would(
    admin: AdminApi, tenant: str
) -> None:
    made = admin.do("POST", f"tenants/{tenant}/applications", {}, 201)
    owner = admin.do("POST", f"tenants/{tenant}/applications", {}, 201)
    path = f"applications/{made['id']}"
    old = {"displayName": "old", "startInDays": -900, "endInDays": -170}
    key = admin.do("POST", f"{path}/passwords", old, 201)["keyId"]
    admin.do("PUT", f"{path}/owners", {"owners": [owner["appId"]]}, 204)
    shown = admin.do("GET", path)
    assert [one["keyId"] for one in shown["passwordCredentials"]] == [key]
    assert shown["owners"] == [owner["servicePrincipalId"]]
    admin.do("DELETE", f"{path}/passwords/{key}", status=204)
    admin.do("DELETE", f"{path}/passwords/{key}", status=404)
    assert admin.do("GET", path)["passwordCredentials"] == []


def test_service_principals_are_put_listed_and_deleted(admin: AdminApi, tenant: str) -> None:
    made = admin.do("POST", f"tenants/{tenant}/applications", {"servicePrincipal": None}, 201)
    assert made["servicePrincipalId"] is None
    path = f"tenants/{tenant}/servicePrincipals"
    wanted = {"appId": made["appId"], "permissions": [READ_ALL]}
    first = admin.do("PUT", path, wanted)
    second = admin.do("PUT", path, {**wanted, "permissions": [], "accountEnabled": False})
    assert first == second
    [shown] = admin.do("GET", path)
    assert (shown["permissions"], shown["accountEnabled"]) == ([], False)
    admin.do("DELETE", f"{path}/{made['appId']}", status=204)
    assert admin.do("GET", path) == []


def test_faults_are_set_shown_extended_and_cleared(admin: AdminApi) -> None:
    rule = {"fault": "throttle", "count": 3, "id": "slow"}
    admin.do("PUT", "faults", {"profile": "realistic", "seed": 7, "rules": [rule]})
    added = admin.do("POST", "faults/rules", {"fault": "server-error"}, 201)
    shown = admin.do("GET", "faults")
    assert (shown["profile"], shown["seed"]) == ("realistic", 7)
    assert [(one["id"], one["left"]) for one in shown["rules"]] == [
        ("slow", 3),
        (added["id"], None),
    ]
    admin.do("DELETE", "faults/rules/slow", status=204)
    admin.do("DELETE", "faults/rules/slow", status=404)
    assert len(admin.do("GET", "faults")["rules"]) == 1
    admin.do("DELETE", "faults", status=204)
    shown = admin.do("GET", "faults")
    assert (shown["profile"], shown["rules"]) == ("none", [])


def test_refused_faults_leave_the_old_ones_in_place(admin: AdminApi) -> None:
    admin.do("PUT", "faults", {"rules": [{"fault": "throttle", "id": "a"}]})
    answer = admin.do("PUT", "faults", {"rules": [{"fault": "trottle"}]}, 400)
    assert "trottle" in answer["error"]
    assert [one["id"] for one in admin.do("GET", "faults")["rules"]] == ["a"]


def test_log_names_operations_and_counts_them(
    admin: AdminApi, user: GraphUser, emulator: Emulator
) -> None:
    app = emulator.create_application(user.tenant, owner=user.client_id)
    admin.do("DELETE", "requests", status=204)
    user.add_password(app.id)
    user.call("GET", f"applications/{app.id}?$select=id")
    user.call("GET", "users")
    user.sign_in(client_secret="wrong")
    assert admin.do("GET", "requests/counts") == {
        "token": 2,
        "application.addPassword": 1,
        "application.get": 1,
        "unknown": 1,
    }
    entries = admin.do("GET", "requests")
    assert [(one["operation"], one["status"]) for one in entries] == [
        ("token", 200),
        ("application.addPassword", 200),
        ("application.get", 200),
        ("unknown", 400),
        ("token", 401),
    ]
    added = entries[1]
    assert added["appId"] == app.app_id
    assert added["callerAppId"] == user.client_id
    assert added["tenant"] == user.tenant
    assert added["method"] == "POST"
    assert entries[-1]["error"] == "AADSTS7000215"


def test_log_is_filtered_by_operation_and_application(
    admin: AdminApi, user: GraphUser, emulator: Emulator
) -> None:
    first, second = (emulator.create_application(user.tenant) for _ in range(2))
    for app in (first, second, second):
        user.call("GET", f"applications/{app.id}")
    assert len(admin.do("GET", "requests?operation=application.get")) == 3
    assert len(admin.do("GET", f"requests?appId={second.app_id}")) == 2
    assert admin.do("GET", f"requests?operation=token&appId={second.app_id}") == []


def test_log_holds_no_query_no_body_and_no_token(
    admin: AdminApi, user: GraphUser, emulator: Emulator
) -> None:
    app = emulator.create_application(user.tenant, owner=user.client_id)
    made = user.add_password(app.id, displayName="canary-name")
    user.call("GET", f"applications/{app.id}?$select=tags")
    log = str(admin.do("GET", "requests"))
    for text in (made["secretText"], user.secret, user.token, "canary-name", "select"):
        assert text not in log


def test_the_admin_api_is_not_in_the_log(admin: AdminApi) -> None:
    admin.do("GET", "tenants")
    assert admin.do("GET", "requests") == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "tenants/none"),
        ("DELETE", "tenants/none"),
        ("POST", "tenants/none/applications"),
        ("GET", "tenants/none/applications"),
        ("GET", "applications/none"),
        ("PATCH", "applications/none"),
        ("DELETE", "applications/none"),
        ("POST", "applications/none/passwords"),
        ("DELETE", "applications/none/passwords/x"),
        ("DELETE", "faults/rules/none"),
    ],
)
def test_what_does_not_exist_is_404_with_its_name(admin: AdminApi, method: str, path: str) -> None:
    body: Any = {} if method in {"POST", "PATCH"} else None
    answer = admin.do(method, path, body, 404)
    assert "there is no" in answer["error"]


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("tenants", {"name": "x"}, "name"),
        ("tenants", {"displayName": 5}, "displayName"),
        ("tenants", {"id": "ABC"}, "$.id"),
        ("tenants", {"applications": [{"appId": ""}]}, "$.applications[0].appId"),
        ("tenants", {"applications": [{"signInAudience": "All"}]}, "signInAudience"),
        ("tenants", {"applications": [{"passwords": [{"value": 5}]}]}, "value"),
        (
            "tenants",
            {"applications": [{"passwords": [{"endDateTime": "2027-01-01T00:00:00"}]}]},
            "endDateTime",
        ),
        ("tenants", {"applications": [{"passwords": [{"endInDays": 1e9}]}]}, "endInDays"),
        ("tenants", [], "object"),
        ("faults/rules", {"fault": "throttle", "retryAfter": "x"}, "retryAfter"),
    ],
)
def test_bad_document_is_400_and_names_the_field(
    admin: AdminApi, path: str, body: Any, named: str
) -> None:
    answer = admin.do("POST", path, body, 400)
    assert named in answer["error"]


def test_refused_value_is_not_repeated(admin: AdminApi) -> None:
    """The value may be a secret in the wrong place."""
    body = {"applications": [{"passwords": [{"value": ["canary-7"]}]}]}
    assert "canary-7" not in admin.send("POST", "tenants", body).text


def test_body_that_is_no_json_is_400(emulator: Emulator, http: httpx.Client) -> None:
    answer = http.post(f"{emulator.url}/emulator/tenants", content=b"{")
    assert answer.status_code == 400


def test_taken_ids_are_409(admin: AdminApi, tenant: str) -> None:
    made = admin.do("POST", f"tenants/{tenant}/applications", {}, 201)
    admin.do("POST", "tenants", {"id": tenant}, 409)
    for name in ("id", "appId"):
        answer = admin.do("POST", f"tenants/{tenant}/applications", {name: made[name]}, 409)
        assert "exists already" in answer["error"]


def test_tenant_that_cannot_be_made_whole_is_not_made(admin: AdminApi, tenant: str) -> None:
    """So the corrected request finds no leftovers."""
    app_id = str(uuid4())
    body: dict[str, Any] = {"id": str(uuid4()), "applications": [{"appId": app_id}] * 2}
    admin.do("POST", "tenants", body, 409)
    admin.do("GET", f"tenants/{body['id']}", status=404)
    admin.do("GET", f"applications/{app_id}", status=404)
    unknown = {**body, "applications": [{"appId": app_id, "owners": ["nobody"]}]}
    admin.do("POST", "tenants", unknown, 404)
    admin.do("POST", "tenants", {**body, "applications": [{"appId": app_id}]}, 201)
