"""`$batch`: each of its requests is independent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.support.emulator import Emulator, MadeApplication
from tests.support.graph_user import GraphUser

JSON = {"Content-Type": "application/json"}


def get(name: str, url: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "method": "GET", "url": url, **fields}


def post(name: str, url: str, body: Any = None, **fields: Any) -> dict[str, Any]:
    sent = {} if body is None else body
    return {"id": name, "method": "POST", "url": url, "headers": JSON, "body": sent, **fields}


def send(user: GraphUser, requests: Sequence[Any], **headers: str) -> httpx.Response:
    return user.call("POST", "$batch", {"requests": list(requests)}, **headers)


def answers(user: GraphUser, requests: Sequence[Any]) -> dict[str, dict[str, Any]]:
    answer = send(user, requests)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["responses"]
    assert len(rows) == len(requests)
    return {row["id"]: row for row in rows}


def statuses(user: GraphUser, requests: Sequence[Any]) -> dict[str, int]:
    return {name: row["status"] for name, row in answers(user, requests).items()}


def test_the_batch_succeeds_whatever_becomes_of_its_requests(
    user: GraphUser, app: MadeApplication
) -> None:
    """R14."""
    rows = answers(
        user,
        [
            get("one", f"/applications/{app.id}?$select=id,appId"),
            get("two", "applications/missing"),
            {
                "id": "three",
                "method": "PATCH",
                "url": f"/applications/{app.id}",
                "headers": JSON,
                "body": {"notes": "from a batch"},
            },
            get("four", "/nowhere"),
            get("five", "/applications?$filter=appId eq 'none'&$orderby=id"),
        ],
    )
    assert {name: row["status"] for name, row in rows.items()} == {
        "one": 200,
        "two": 404,
        "three": 204,
        "four": 400,
        "five": 400,
    }
    assert rows["one"]["body"]["appId"] == app.app_id
    assert rows["one"]["headers"]["Content-Type"] == "application/json"
    assert rows["two"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert rows["three"]["body"] is None
    assert user.emulator.application(app.id)["notes"] == "from a batch"


def test_responses_are_in_no_order(user: GraphUser, app: MadeApplication) -> None:
    """R14: ids must be used to match them."""
    answer = send(user, [get(str(n), f"/applications/{app.id}") for n in range(3)])
    assert [row["id"] for row in answer.json()["responses"]] != ["0", "1", "2"]


def test_twenty_and_no_more(user: GraphUser, app: MadeApplication) -> None:
    """R14."""
    requests = [get(str(n), f"/applications/{app.id}") for n in range(21)]
    assert set(statuses(user, requests[:20]).values()) == {200}
    assert send(user, requests).status_code == 400


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [1],
        [{"id": "1", "method": "GET"}],
        [get("", "/applications")],
        [get("1", "/applications", extra=1)],
        [get("a", "/applications"), get("A", "/applications")],
        [{"id": "1", "method": "HEAD", "url": "/applications"}],
        [get("1", "https://graph.microsoft.com/v1.0/applications")],
        [{"id": "1", "method": "POST", "url": "/applications", "body": {"displayName": "x"}}],
        [{"id": "1", "method": "POST", "url": "/applications", "headers": JSON}],
        [post("1", "/applications", "text")],
        [get("1", "/applications", headers={"a": 1})],
        [get("1", "/applications", dependsOn="2")],
        [get("1", "/applications", dependsOn=["2"])],
        [get("1", "/applications", dependsOn=["1"])],
        [get("1", "/applications"), get("2", "/applications", dependsOn=["1", "1"])],
        [
            get("1", "/applications"),
            get("2", "/applications"),
            get("3", "/applications", dependsOn=["1"]),
            get("4", "/applications", dependsOn=["2"]),
        ],
        [
            get("1", "/applications", dependsOn=["2"]),
            get("2", "/applications", dependsOn=["3"]),
            get("3", "/applications"),
        ],
    ],
)
def test_a_batch_that_cannot_be_read_does_nothing(
    user: GraphUser, requests: list[dict[str, Any]]
) -> None:
    """R14: unique ids, relative addresses, bodies with a type, three patterns of dependencies."""
    user.emulator.reset_log()
    answer = send(user, requests)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BadRequest"
    assert user.emulator.counts() == {"token": 1, "batch": 1}


def test_other_fields_beside_the_requests_are_refused(user: GraphUser) -> None:
    body = {"requests": [get("1", "/applications")], "more": 1}
    assert user.call("POST", "$batch", body).status_code == 400
    assert user.call("GET", "$batch").status_code == 405


def test_a_series_stops_at_its_first_failure(user: GraphUser, app: MadeApplication) -> None:
    """R14: 424 for all that depends on it."""
    path = f"/applications/{app.id}/addPassword"
    requests = [
        post("a", path),
        post("b", path, {"keyId": "unknown property"}, dependsOn=["a"]),
        post("c", path, dependsOn=["b"]),
        post("d", path, dependsOn=["C"]),
    ]
    rows = answers(user, requests)
    assert [rows[name]["status"] for name in "abcd"] == [200, 400, 424, 424]
    assert rows["d"]["body"]["error"]["code"] == "FailedDependency"
    assert len(user.emulator.application(app.id)["passwordCredentials"]) == 1


def test_several_may_wait_for_the_same_one(user: GraphUser, app: MadeApplication) -> None:
    """R14: even when it comes last."""
    path = f"/applications/{app.id}/federatedIdentityCredentials"
    body = {"name": "made", "issuer": "i", "subject": "s", "audiences": ["a"]}
    requests = [
        get("first", f"{path}/made", dependsOn=["make"]),
        get("second", path, dependsOn=["make"]),
        get("free", f"{path}/made"),
        post("make", path, body),
    ]
    expected = {"first": 200, "second": 200, "free": 404, "make": 201}
    assert statuses(user, requests) == expected


def test_headers_of_a_request_are_its_own(user: GraphUser, app: MadeApplication) -> None:
    """R10: `Prefer` in a batch."""
    one = f"/applications/{app.id}/federatedIdentityCredentials(name='made')"
    request = {
        "id": "1",
        "method": "PATCH",
        "url": one,
        "headers": {**JSON, "Prefer": "create-if-missing", "client-request-id": "mine"},
        "body": {"issuer": "i", "subject": "s", "audiences": ["a"]},
    }
    assert statuses(user, [request]) == {"1": 201}
    [entry] = user.emulator.requests("application.federatedIdentityCredentials.update")
    assert (entry.client_request_id, entry.method) == ("mine", "PATCH")


def test_the_token_of_the_batch_is_that_of_its_requests(
    user: GraphUser, emulator: Emulator
) -> None:
    """S11."""
    foreign = emulator.create_application(user.tenant)
    assert statuses(user, [post("1", f"/applications/{foreign.id}/addPassword")]) == {"1": 403}
    user.token = "not.a.token"
    assert send(user, [get("1", "/applications")]).status_code == 401


def test_a_batch_in_a_batch_is_refused(user: GraphUser) -> None:
    assert statuses(user, [post("1", "/$batch", {"requests": []})]) == {"1": 400}


def test_every_request_is_counted(user: GraphUser, app: MadeApplication) -> None:
    """R14: a batch saves round trips, not resource units."""
    user.sign_in()
    user.emulator.reset_log()
    answer = send(user, [get(str(n), f"/applications/{app.id}") for n in range(5)])
    assert user.emulator.counts() == {"batch": 1, "application.get": 5}
    assert answer.headers["x-ms-resource-unit"] == "5"


def test_throttling_is_inside_of_the_batch(user: GraphUser, emulator: Emulator) -> None:
    """F4, F5: the inner answer has a `Retry-After`, while the outer answer is 200."""
    app = emulator.create_application(
        user.tenant, owner=user.client_id, signInAudience="PersonalMicrosoftAccount"
    )
    user.sign_in()
    emulator.stop_clock()
    emulator.set_faults(quotas={"enabled": True})
    patch = {"method": "PATCH", "url": f"/applications/{app.id}", "headers": JSON}
    requests = [{"id": str(n), **patch, "body": {"notes": str(n)}} for n in range(20)]
    for _ in range(3):
        assert set(statuses(user, requests).values()) == {204}
    [row] = answers(user, requests[:1]).values()
    assert (row["status"], row["body"]["error"]["code"]) == (429, "TooManyRequests")
    assert int(row["headers"]["Retry-After"]) >= 1
    assert row["headers"]["x-ms-throttle-information"] == "WriteLimitExceeded"


def test_parallel_writes_to_one_application_conflict(user: GraphUser, app: MadeApplication) -> None:
    """F2: a batch does not avoid conflicts."""
    user.emulator.stop_clock()
    user.emulator.set_faults(rules=[{"fault": "conflict", "seconds": 10}])
    path = f"/applications/{app.id}/addPassword"
    rows = statuses(user, [post(str(n), path) for n in range(3)])
    assert sorted(rows.values()) == [200, 409, 409]


def test_rules_meet_the_requests_and_the_batch_only_by_its_name(
    user: GraphUser, app: MadeApplication
) -> None:
    """F4, F6, F7."""
    emulator, path = user.emulator, f"/applications/{app.id}"
    emulator.set_faults(rules=[{"fault": "unavailable", "retryAfter": 3, "count": 1}])
    rows = answers(user, [get("1", path), get("2", path)])
    assert [rows[name]["status"] for name in "12"] == [503, 200]
    assert (
        rows["1"]["headers"] | {"Content-Type": "text/html", "Retry-After": "3"}
        == (rows["1"]["headers"])
    )
    named = {"match": {"operation": "batch"}, "count": 1}
    emulator.set_faults(rules=[{"fault": "throttle", **named}])
    assert send(user, [post("1", f"{path}/addPassword")]).status_code == 429
    assert emulator.application(app.id)["passwordCredentials"] == []
    emulator.set_faults(rules=[{"fault": "timeout-after-commit", **named}])
    assert send(user, [post("1", f"{path}/addPassword")]).status_code == 504
    assert len(emulator.application(app.id)["passwordCredentials"]) == 1


def test_silence_of_one_request_is_the_silence_of_the_batch(
    user: GraphUser, app: MadeApplication
) -> None:
    rule = {"fault": "hang", "seconds": 0, "match": {"operation": "application.get"}}
    user.sign_in()
    user.emulator.set_faults(rules=[rule])
    with pytest.raises(httpx.RemoteProtocolError):
        send(user, [get("1", f"/applications/{app.id}")])
    assert [entry.status for entry in user.emulator.requests("batch")] == [0]


def test_latency_of_requests_side_by_side_does_not_add_up(
    user: GraphUser, app: MadeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def wait(_: object, seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("entra_emulator.graph.batch_endpoint.wait", wait)
    user.sign_in()
    user.emulator.set_faults(rules=[{"fault": "latency", "seconds": [2, 2]}])
    path = f"/applications/{app.id}"
    assert set(statuses(user, [get("1", path), get("2", path)]).values()) == {200}
    assert set(statuses(user, [get("1", path), get("2", path, dependsOn=["1"])]).values()) == {200}
    assert waited == [2, 2, 2]
