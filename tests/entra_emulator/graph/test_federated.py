"""Federated identity credentials in Graph: calls, rules, errors."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.emulator import READ_ALL, Emulator, MadeApplication
from tests.support.graph_user import GraphUser, is_guid

AUDIENCE = "api://AzureADTokenExchange"
UPSERT = {"Prefer": "create-if-missing"}


@pytest.fixture
def path(app: MadeApplication) -> str:
    return f"applications/{app.id}/federatedIdentityCredentials"


def body(name: str = "orders-api", **changes: Any) -> dict[str, Any]:
    fields = {
        "name": name,
        "issuer": "https://oidc.example.net/cluster-1/",
        "subject": f"system:serviceaccount:orders:{name}",
        "audiences": [AUDIENCE],
        **changes,
    }
    return {key: value for key, value in fields.items() if value != "absent"}


def made(user: GraphUser, path: str, **changes: Any) -> dict[str, Any]:
    answer = user.call("POST", path, body(**changes))
    assert answer.status_code == 201, answer.text
    row: dict[str, Any] = answer.json()
    return row


def error(answer: httpx.Response) -> tuple[int, str, str]:
    told = answer.json()["error"]
    return answer.status_code, told["code"], told["message"]


def plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("@")}


def test_create_answers_with_the_whole_object(
    user: GraphUser, path: str, app: MadeApplication
) -> None:
    """R10, S8: the server chooses the id."""
    row = made(user, path, id="11111111-1111-4111-8111-111111111111")
    assert is_guid(row["id"])
    assert row["id"] != "11111111-1111-4111-8111-111111111111"
    assert plain(row) == {"id": row["id"], **body(), "description": None}
    context = f"#applications('{app.id}')/federatedIdentityCredentials/$entity"
    assert row["@odata.context"].endswith(context)
    assert row["@odata.id"].endswith(f"federatedIdentityCredentials('{row['id']}')")


@pytest.mark.parametrize("form", ["/{id}", "/{name}", "/ORDERS-API", "(name='{name}')"])
def test_one_is_read_by_id_and_by_name(user: GraphUser, path: str, form: str) -> None:
    """R10."""
    row = made(user, path)
    found = user.get(path + form.format(**row))
    assert plain(found) == plain(row)
    assert user.get(f"{path}{form.format(**row)}?$select=name,subject").keys() == {
        "@odata.context",
        "name",
        "subject",
    }


def test_the_application_may_be_named_by_its_app_id(
    user: GraphUser, path: str, app: MadeApplication
) -> None:
    """R10."""
    row = made(user, path)
    other = f"applications(appId='{app.app_id}')/federatedIdentityCredentials"
    assert [one["id"] for one in user.get(other)["value"]] == [row["id"]]


def test_a_list_is_filtered_and_selected(user: GraphUser, path: str) -> None:
    """R10: `$filter` by name and subject."""
    for name in ("first", "second", "third"):
        made(user, path, name=name)
    subject = "system:serviceaccount:orders:second"
    for text in (f"subject eq '{subject}'", "name eq 'second'"):
        found = user.get(f"{path}?$filter={text}&$select=name")["value"]
        assert found == [{"name": "second"}]
    assert [one["name"] for one in user.get(path)["value"]] == ["first", "second", "third"]
    page = user.get(f"{path}?$top=2")
    assert len(page["value"]) == 2
    rest = user.http.get(page["@odata.nextLink"], headers={"Authorization": f"Bearer {user.token}"})
    assert [one["name"] for one in rest.json()["value"]] == ["third"]


@pytest.mark.parametrize("query", ["$filter=issuer eq 'x'", "$select=tags", "$expand=owners"])
def test_other_options_are_refused(user: GraphUser, path: str, query: str) -> None:
    assert user.call("GET", f"{path}?{query}").status_code == 400


@pytest.mark.parametrize(
    "name", ["a" * 121, "a b c", "a/b", "a+b", "äbc", "abc\n", "", None, "absent"]
)
def test_a_name_has_its_rules(user: GraphUser, path: str, name: Any) -> None:
    """S8: up to 120 characters that a URL may hold as they are, and `=`."""
    status, code, text = error(user.call("POST", path, body(subject="s", name=name)))
    assert (status, code) == (400, "Request_BadRequest")
    if name not in {"", None, "absent"}:
        assert text == f"Federated Identity Credential name '{name}' is invalid."


# azwi names a credential by the base64url of a SHA-256.
_AZWI = "_dXvMD9tO2Fq0mRS-2DfCVmh4Q0bW0d5T0gFGgFzt5k="


@pytest.mark.parametrize(
    "name", ["a", "abc", "A-1", "9_x", "-abc", "_abc", "a.b~c", "a" * 120, _AZWI]
)
def test_names_at_their_bounds(user: GraphUser, path: str, name: str) -> None:
    assert made(user, path, name=name)["name"] == name


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "absent"},
        {"issuer": ""},
        {"issuer": None},
        {"issuer": 1},
        {"issuer": "https://" + "i" * 593},
        {"subject": "absent"},
        {"subject": ""},
        {"subject": "s" * 601},
        {"audiences": "absent"},
        {"audiences": []},
        {"audiences": [AUDIENCE, "two"]},
        {"audiences": AUDIENCE},
        {"audiences": [""]},
        {"audiences": [1]},
        {"audiences": ["a" * 601]},
        {"description": "d" * 601},
        {"claimsMatchingExpression": {"value": "claims['sub'] eq 'x'", "languageVersion": 1}},
    ],
)
def test_values_have_bounds(user: GraphUser, path: str, changes: dict[str, Any]) -> None:
    """S8."""
    status, code, text = error(user.call("POST", path, body(**changes)))
    assert (status, code) == (400, "Request_BadRequest")
    if changes.get("audiences") in ([], [AUDIENCE, "two"]):
        assert text == "Federated identity credentials must have exactly one audience."


def test_what_can_only_fail_at_the_exchange_is_accepted(user: GraphUser, path: str) -> None:
    """S8: Graph checks neither the issuer nor the subject."""
    row = made(user, path, issuer=" no address ", subject="ä " * 300, description="d" * 600)
    assert row["issuer"] == " no address "


@pytest.mark.parametrize("name", ["orders-api", "Orders-API"])
def test_a_name_that_is_taken(user: GraphUser, path: str, name: str) -> None:
    """S8."""
    made(user, path)
    answer = user.call("POST", path, body(name, subject="another"))
    assert error(answer) == (
        409,
        "Request_MultipleObjectsWithSameKeyValue",
        f"FederatedIdentityCredential with name {name} already exists.",
    )


def test_issuer_and_subject_are_unique_in_an_application(
    user: GraphUser, path: str, emulator: Emulator
) -> None:
    """S8."""
    row = made(user, path)
    pair = {"issuer": row["issuer"], "subject": row["subject"]}
    answer = user.call("POST", path, body("another", **pair, audiences=["other"]))
    told = (
        "The combination of issuer and subject must be unique for the application. Issuer"
        f" {row['issuer']} and Subject: {row['subject']} already exist. paramName:"
        f" FederatedIdentityCredential.Subject, paramValue: {row['subject']}, objectType:"
        " Microsoft.Online.DirectoryServices.Application"
    )
    assert error(answer) == (400, "InvalidFederatedIdentityCredentialValue", told)
    second = made(user, path, name="another")
    changed = user.call("PATCH", f"{path}/{second['id']}", {"subject": row["subject"]})
    assert error(changed) == (400, "InvalidFederatedIdentityCredentialValue", told)
    other = emulator.create_application(user.tenant, owner=user.client_id)
    made(user, f"applications/{other.id}/federatedIdentityCredentials")


def test_twenty_and_no_more(user: GraphUser, path: str) -> None:
    """S9."""
    for number in range(20):
        made(user, path, name=f"credential-{number}")
    answer = user.call("POST", path, body("one-too-many"))
    assert error(answer)[:2] == (403, "Directory_QuotaExceeded")
    upsert = user.call("PATCH", f"{path}(name='one-too-many')", body("one-too-many"), **UPSERT)
    assert upsert.status_code == 403
    assert user.call("DELETE", f"{path}/credential-3").status_code == 204
    made(user, path, name="one-too-many")


@pytest.mark.parametrize("form", ["/{id}", "/{name}", "(name='{name}')"])
def test_a_change_keeps_what_it_does_not_name(user: GraphUser, path: str, form: str) -> None:
    """R10, S8."""
    row = made(user, path, description="kept")
    one = path + form.format(**row)
    assert user.call("PATCH", one, {"subject": "new", "name": row["name"]}).status_code == 204
    assert plain(user.get(one)) == {**plain(row), "subject": "new"}
    changes = {"issuer": "https://i", "audiences": ["other"], "description": None}
    assert user.call("PATCH", one, changes).status_code == 204
    assert plain(user.get(one)) == {**plain(row), "subject": "new", **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "renamed"},
        {"id": "11111111-1111-4111-8111-111111111111"},
        {"subject": None},
        {"issuer": ""},
        {"audiences": []},
        {"description": "d" * 601},
        {"unknown": 1},
    ],
)
def test_a_change_follows_the_same_rules(user: GraphUser, path: str, changes: Any) -> None:
    """S8: the name is immutable."""
    row = made(user, path)
    assert error(user.call("PATCH", f"{path}/{row['id']}", changes))[0] == 400
    assert plain(user.get(f"{path}/{row['id']}")) == plain(row)


def test_upsert_by_name_creates_then_updates(user: GraphUser, path: str) -> None:
    """R10: `Prefer: create-if-missing`."""
    one = f"{path}(name='orders-api')"
    wanted = body(name="absent", subject="one")
    created = user.call("PATCH", one, wanted, **UPSERT)
    assert created.status_code == 201
    assert created.json()["name"] == "orders-api"
    assert user.call("PATCH", one, {**wanted, "subject": "two"}, **UPSERT).status_code == 204
    found = user.get(one)
    assert (found["id"], found["subject"]) == (created.json()["id"], "two")
    odd = user.call("PATCH", f"{path}(name='other')", body("another"), **UPSERT)
    assert odd.status_code == 400


@pytest.mark.parametrize(
    ("form", "headers"), [("(name='missing')", {}), ("/missing", UPSERT), ("/missing", {})]
)
def test_without_the_preference_or_the_key_a_missing_one_is_not_made(
    user: GraphUser, path: str, form: str, headers: dict[str, str]
) -> None:
    """R10."""
    answer = user.call("PATCH", path + form, body("missing"), **headers)
    assert error(answer)[:2] == (404, "Request_ResourceNotFound")


def test_delete_and_what_is_missing(user: GraphUser, path: str) -> None:
    """R10."""
    row = made(user, path)
    assert user.call("DELETE", f"{path}(name='{row['name']}')").status_code == 204
    for method in ("GET", "DELETE"):
        told = error(user.call(method, f"{path}/{row['id']}"))
        assert told[:2] == (404, "Request_ResourceNotFound")
        assert row["id"] in told[2]
    assert user.call("PUT", f"{path}/{row['id']}", body()).status_code == 405


def test_writes_need_ownership_and_reads_a_permission(
    user: GraphUser, emulator: Emulator, path: str
) -> None:
    """S11."""
    row = made(user, path)
    reader = GraphUser(
        emulator, user.http, user.tenant, *emulator.create_operator(user.tenant, READ_ALL)
    )
    stranger = GraphUser(emulator, user.http, user.tenant, *emulator.create_operator(user.tenant))
    nobody = GraphUser(emulator, user.http, user.tenant, *emulator.create_operator(user.tenant, ""))
    one = f"{path}/{row['id']}"
    assert [nobody.call("GET", p).status_code for p in (path, one)] == [403, 403]
    for caller in (reader, stranger):
        assert [caller.call("GET", p).status_code for p in (path, one)] == [200, 200]
        answers = [
            caller.call("POST", path, body("another")),
            caller.call("PATCH", one, {"subject": "x"}),
            caller.call("PATCH", f"{path}(name='other')", body("other"), **UPSERT),
            caller.call("DELETE", one),
        ]
        assert [error(answer)[:2] for answer in answers] == [
            (403, "Authorization_RequestDenied")
        ] * 4


def test_replicas_know_a_credential_one_after_the_other(user: GraphUser, path: str) -> None:
    """F1: federated credentials have windows of their own."""
    user.sign_in()
    user.emulator.stop_clock()
    window = {"addFederated": [10, 20], "updateFederated": [30, 30], "removeFederated": [40, 40]}
    lag = {"replicas": 3, "application": {"add": [300, 300], "remove": [300, 300], **window}}
    user.emulator.set_faults(lag=lag)
    row = made(user, path)
    one = f"{path}/{row['id']}"

    def statuses() -> set[int]:
        return {user.call("GET", one).status_code for _ in range(20)}

    assert statuses() == {404}
    assert user.call("PATCH", one, {"subject": "x"}).status_code == 404
    user.emulator.move_clock(15)
    assert statuses() == {200, 404}
    user.emulator.move_clock(5)
    assert statuses() == {200}
    assert user.call("PATCH", one, {"subject": "new"}).status_code == 204
    user.emulator.move_clock(29)
    assert user.get(one)["subject"] == row["subject"]
    user.emulator.move_clock(1)
    assert user.get(one)["subject"] == "new"
    assert user.call("DELETE", one).status_code == 204
    assert user.call("DELETE", one).status_code == 404
    user.emulator.move_clock(39)
    assert statuses() == {200}
    user.emulator.move_clock(1)
    assert statuses() == {404}
    made(user, path)


def test_quick_writes_conflict(user: GraphUser, path: str) -> None:
    """F2."""
    user.emulator.stop_clock()
    user.emulator.set_faults(rules=[{"fault": "conflict", "seconds": 10}])
    made(user, path)
    answer = user.call("POST", path, body("second"))
    assert error(answer)[:2] == (409, "Directory_ConcurrencyViolation")


def test_writes_are_charged(user: GraphUser, emulator: Emulator) -> None:
    """F5, tested with the smallest quota, which is for personal accounts."""
    app = emulator.create_application(
        user.tenant, owner=user.client_id, signInAudience="PersonalMicrosoftAccount"
    )
    path = f"applications/{app.id}/federatedIdentityCredentials"
    user.sign_in()
    emulator.stop_clock()
    emulator.set_faults(quotas={"enabled": True})
    made(user, path)
    one = f"{path}/orders-api"
    codes = [user.call("PATCH", one, {"subject": str(n)}).status_code for n in range(60)]
    assert codes == [204] * 59 + [429]
    assert user.get(one)["subject"] == "58"


def test_seed_and_admin_api(user: GraphUser, emulator: Emulator) -> None:
    """Changes by the admin API show at once and ignore Graph's rules."""
    given = [{"name": "a", "issuer": "i", "subject": "s"}]
    app = emulator.create_application(user.tenant, federatedIdentityCredentials=given)
    emulator.add_federated(app.app_id, name="second", issuer="i", subject="t", audiences=["x"])
    emulator.change_federated(app.id, "second", subject="u")
    path = f"applications/{app.id}/federatedIdentityCredentials"
    rows = [plain(row) for row in user.get(path)["value"]]
    assert rows == emulator.application(app.id)["federatedIdentityCredentials"]
    assert [(row["name"], row["subject"], row["audiences"]) for row in rows] == [
        ("a", "s", [AUDIENCE]),
        ("second", "u", ["x"]),
    ]
    emulator.remove_federated(app.id, "a")
    assert len(user.get(path)["value"]) == 1
    admin = f"{emulator.url}/emulator/applications/{app.id}/federatedIdentityCredentials"
    calls = [
        user.http.post(admin, json={"name": "third", "issuer": "i", "subject": "v"}),
        user.http.post(admin, json={"name": "no-subject", "issuer": "i"}),
        user.http.patch(f"{admin}/third", json={"subject": "w"}),
        user.http.patch(f"{admin}/third", json={"name": "other"}),
        user.http.patch(f"{admin}/missing", json={"subject": "w"}),
        user.http.delete(f"{admin}/third"),
        user.http.delete(f"{admin}/third"),
    ]
    assert [call.status_code for call in calls] == [201, 400, 204, 400, 404, 204, 404]
