"""Faults on request: conflicts, throttling, errors before and after the commit, silence."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from entra_emulator.faults.documents import faults_from, rule_from
from entra_emulator.faults.engine import FaultEngine, Incoming
from tests.support.emulator import Emulator, MadeApplication
from tests.support.graph_user import GraphUser

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = "4d2f5c1e-0000-4000-8000-00000000000a"


@pytest.fixture
def app(user: GraphUser, emulator: Emulator) -> MadeApplication:
    user.sign_in()
    return emulator.create_application(user.tenant, owner=user.client_id)


def add(user: GraphUser, app: MadeApplication) -> httpx.Response:
    return user.call("POST", f"applications/{app.id}/addPassword", {})


def names(emulator: Emulator, app: MadeApplication) -> list[str | None]:
    return [one["displayName"] for one in emulator.application(app.id)["passwordCredentials"]]


def hits(engine: FaultEngine, times: int, **fields: Any) -> list[bool]:
    incoming = Incoming(**{"operation": "application.get", "now": NOW, **fields})
    return [engine.decide(incoming) is not None for _ in range(times)]


def engine_with(*rules: dict[str, Any], seed: int = 1) -> FaultEngine:
    engine = FaultEngine()
    engine.configure(tuple(rule_from(rule) for rule in rules), seed, NOW)
    return engine


def test_rule_fires_as_often_as_its_count() -> None:
    engine = engine_with({"fault": "server-error", "count": 2, "id": "r"})
    assert hits(engine, 4) == [True, True, False, False]
    [(rule, left)] = engine.rules()
    assert (rule.id, left) == ("r", 0)


def test_probability_is_seeded() -> None:
    rule = {"fault": "server-error", "probability": 0.5}
    first, second, other = (hits(engine_with(rule, seed=seed), 60) for seed in (3, 3, 4))
    assert first == second != other
    assert 15 < sum(first) < 45


def test_first_matching_rule_wins_and_a_spent_one_lets_the_next_through() -> None:
    engine = engine_with(
        {"fault": "forbidden", "count": 1, "id": "a"}, {"fault": "not-found", "id": "b"}
    )
    incoming = Incoming(operation="application.get", now=NOW)
    found = [engine.decide(incoming) for _ in range(2)]
    assert [one.rule.id for one in found if one] == ["a", "b"]


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ({"operation": "application.get"}, True),
        ({"operation": "application.*"}, True),
        ({"operation": "servicePrincipal.*"}, False),
        ({"tenant": "t"}, True),
        ({"tenant": "other"}, False),
        ({"app": "app-id"}, True),
        ({"app": "object-id"}, True),
        ({"app": "other"}, False),
    ],
)
def test_match_narrows_a_rule(match: dict[str, str], hit: bool) -> None:
    engine = engine_with({"fault": "server-error", "match": match})
    names = frozenset({"app-id", "object-id"})
    assert hits(engine, 1, tenant="t", app_names=names) == [hit]


def test_rule_without_an_operation_means_graph_and_not_the_token_endpoint() -> None:
    engine = engine_with({"fault": "throttle"})
    assert hits(engine, 1, operation="token") == [False]
    assert hits(engine, 1, operation="directory.unknown") == [True]


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "unknown"},
        {},
        {"fault": "throttle", "retry": 5},
        {"fault": "throttle", "count": 0},
        {"fault": "throttle", "probability": 0},
        {"fault": "throttle", "probability": 1.5},
        {"fault": "throttle", "match": {"opeartion": "token"}},
        {"fault": "conflict", "seconds": 301},
        {"fault": "graph-error", "status": 200, "code": "x"},
        {"fault": "graph-error"},
        {"fault": "token-error"},
    ],
)
def test_rule_with_an_error_in_it_is_refused(rule: dict[str, Any]) -> None:
    """A typing error never means "no fault"."""
    with pytest.raises(ValueError, match=r"field|Invalid|Expected"):
        faults_from({"rules": [rule]})


def test_two_quick_writes_to_one_application_conflict(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F2: a committed write starts the window, and only for its application."""
    other = emulator.create_application(user.tenant, owner=user.client_id)
    emulator.stop_clock()
    emulator.set_faults(rules=[{"fault": "conflict", "seconds": 10}])
    assert add(user, app).status_code == 200
    refused = add(user, app)
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "Directory_ConcurrencyViolation"
    assert refused.json()["error"]["message"] == (
        "Error due to concurrent requests being made to the tenant. Please wait briefly and retry."
    )
    assert add(user, other).status_code == 200
    assert user.call("GET", f"applications/{app.id}").status_code == 200
    emulator.move_clock(9.9)
    assert add(user, app).status_code == 409
    emulator.move_clock(0.1)
    assert add(user, app).status_code == 200
    assert len(names(emulator, app)) == 2


def test_conflict_concerns_every_kind_of_write(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F2."""
    made = user.add_password(app.id)
    emulator.stop_clock()
    emulator.set_faults(rules=[{"fault": "conflict"}])
    assert user.remove_password(app.id, made["keyId"]).status_code == 409
    assert user.call("PATCH", f"applications/{app.id}", {"notes": "m"}).status_code == 409
    assert add(user, app).status_code == 409
    assert user.call("DELETE", f"applications/{app.id}").status_code == 409


def test_refused_write_opens_no_window(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F2: neither a 400 nor the 409 itself starts a window."""
    emulator.stop_clock()
    emulator.set_faults(rules=[{"fault": "conflict", "seconds": 10}])
    assert user.remove_password(app.id, POLICY).status_code == 400
    assert add(user, app).status_code == 200
    emulator.move_clock(6)
    assert add(user, app).status_code == 409
    emulator.move_clock(6)
    assert add(user, app).status_code == 200


def test_remove_right_after_add_is_500(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F3."""
    emulator.stop_clock()
    emulator.set_faults(rules=[{"fault": "remove-after-add", "seconds": 5}])
    made = user.add_password(app.id)
    refused = user.remove_password(app.id, made["keyId"])
    assert refused.status_code == 500
    assert refused.json()["error"]["code"] == "Service_InternalServerError"
    assert len(names(emulator, app)) == 1
    emulator.move_clock(5)
    assert user.remove_password(app.id, made["keyId"]).status_code == 204


def test_429_carries_retry_after_and_throttle_headers(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F4."""
    emulator.set_faults(
        rules=[{"fault": "throttle", "retryAfter": 17, "information": "WriteLimitExceeded"}]
    )
    answer = add(user, app)
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "TooManyRequests"
    assert answer.headers["Retry-After"] == "17"
    assert answer.headers["x-ms-throttle-information"] == "WriteLimitExceeded"
    assert answer.headers["x-ms-throttle-scope"] == (
        f"Tenant_Application/ReadWrite/{user.client_id}/{user.tenant}"
    )
    assert names(emulator, app) == []


def test_429_may_come_without_retry_after(user: GraphUser, emulator: Emulator) -> None:
    """F4."""
    emulator.set_faults(rules=[{"fault": "throttle", "retryAfter": None}])
    answer = user.call("GET", "applications")
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers


def test_500_has_a_body_in_graphs_form_and_changes_nothing(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    emulator.set_faults(rules=[{"fault": "server-error"}])
    answer = add(user, app)
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "Service_InternalServerError"
    assert names(emulator, app) == []


@pytest.mark.parametrize("retry_after", [None, 30])
def test_503_is_html_of_a_gateway(
    user: GraphUser, emulator: Emulator, app: MadeApplication, retry_after: int | None
) -> None:
    """F6."""
    emulator.set_faults(rules=[{"fault": "unavailable", "retryAfter": retry_after}])
    answer = add(user, app)
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert answer.headers.get("Retry-After") == (None if retry_after is None else "30")
    assert names(emulator, app) == []


def test_504_comes_after_the_commit(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F7: the secret exists, and nobody knows its value."""
    emulator.set_faults(rules=[{"fault": "timeout-after-commit", "count": 1}])
    answer = user.call(
        "POST",
        f"applications/{app.id}/addPassword",
        {"passwordCredential": {"displayName": "lost"}},
    )
    assert answer.status_code == 504
    assert answer.json()["error"]["code"] == "UnknownError"
    assert names(emulator, app) == ["lost"]
    [key_id] = [one["keyId"] for one in emulator.application(app.id)["passwordCredentials"]]
    emulator.add_rule("timeout-after-commit", count=1)
    assert user.remove_password(app.id, key_id).status_code == 504
    assert names(emulator, app) == []


def test_504_leaves_reads_alone(user: GraphUser, emulator: Emulator, app: MadeApplication) -> None:
    """F7."""
    emulator.set_faults(rules=[{"fault": "timeout-after-commit"}])
    assert user.call("GET", f"applications/{app.id}").status_code == 200


def test_write_that_would_fail_anyway_says_so_instead_of_504(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F7: nothing was committed, so the answer is the failure."""
    emulator.set_faults(rules=[{"fault": "timeout-after-commit"}])
    assert user.remove_password(app.id, POLICY).status_code == 400


def test_committed_write_behind_a_504_opens_the_conflict_window(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    """F2, F7."""
    emulator.stop_clock()
    rules = [{"fault": "timeout-after-commit", "count": 1}, {"fault": "conflict"}]
    emulator.set_faults(rules=rules)
    assert [add(user, app).status_code for _ in range(2)] == [504, 409]


@pytest.mark.parametrize(("commit", "left"), [(False, 0), (True, 1)])
def test_silence_ends_in_a_closed_connection(
    user: GraphUser, emulator: Emulator, app: MadeApplication, commit: bool, left: int
) -> None:
    emulator.set_faults(rules=[{"fault": "hang", "seconds": 0.05, "commit": commit}])
    with pytest.raises(httpx.TransportError):
        add(user, app)
    assert len(names(emulator, app)) == left
    [entry] = emulator.requests("application.addPassword")
    assert (entry.status, entry.error) == (0, "silence")


def test_client_that_waits_less_than_the_silence_times_out(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    emulator.set_faults(rules=[{"fault": "hang", "seconds": 30}])
    with pytest.raises(httpx.ReadTimeout):
        user.http.get(
            f"{emulator.graph_root}/applications",
            headers={"Authorization": f"Bearer {user.token}"},
            timeout=0.2,
        )


def test_latency_delays_in_real_time_and_changes_nothing_else(
    user: GraphUser, emulator: Emulator, app: MadeApplication
) -> None:
    emulator.set_faults(rules=[{"fault": "latency", "seconds": [0.2, 0.2]}])
    answer = user.call("GET", f"applications/{app.id}")
    assert answer.status_code == 200
    assert answer.elapsed >= timedelta(seconds=0.2)


def test_expired_token_is_401_with_entras_words(user: GraphUser, emulator: Emulator) -> None:
    """F8."""
    user.sign_in()
    emulator.set_faults(rules=[{"fault": "expired-token", "count": 1}])
    answer = user.call("GET", "applications")
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == (
        "Lifetime validation failed, the token is expired."
    )
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm=""')
    assert user.call("GET", "applications").status_code == 200


def test_claims_challenge_is_answered_by_a_token_with_the_claims(
    user: GraphUser, emulator: Emulator
) -> None:
    """F8: a new token without the claims is not enough."""
    user.sign_in()
    emulator.set_faults(rules=[{"fault": "claims-challenge"}])
    answer = user.call("GET", "applications")
    header = answer.headers["WWW-Authenticate"]
    assert answer.status_code == 401
    assert 'error="insufficient_claims"' in header
    claims = base64.b64decode(header.split('claims="')[1].split('"')[0]).decode()
    assert json.loads(claims)["access_token"]["nbf"]["essential"] is True
    user.sign_in()
    assert user.call("GET", "applications").status_code == 401
    user.token = user.sign_in(claims=claims).json()["access_token"]
    assert user.call("GET", "applications").status_code == 200


def test_403_and_404_on_request(user: GraphUser, emulator: Emulator, app: MadeApplication) -> None:
    emulator.set_faults(rules=[{"fault": "forbidden", "count": 1}, {"fault": "not-found"}])
    answers = [user.call("GET", f"applications/{app.id}") for _ in range(2)]
    assert [(one.status_code, one.json()["error"]["code"]) for one in answers] == [
        (403, "Authorization_RequestDenied"),
        (404, "Request_ResourceNotFound"),
    ]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "CredentialTypeNotAllowedAsPerAppPolicy",
            f"Credential type not allowed as per assigned policy '{POLICY}'.",
        ),
        (
            "CredentialInvalidLifetimeAsPerAppPolicy",
            f"Credential lifetime exceeds the max value allowed as per assigned policy '{POLICY}'.",
        ),
    ],
)
def test_refusal_by_a_policy_is_made_with_any_error_of_graph(
    user: GraphUser, emulator: Emulator, app: MadeApplication, code: str, message: str
) -> None:
    """F9 for secrets: the answer that a policy of the tenant would give."""
    match = {"operation": "application.addPassword", "app": app.app_id}
    rule = {
        "fault": "graph-error",
        "status": 400,
        "code": code,
        "message": message,
        "match": match,
    }
    emulator.set_faults(rules=[rule])
    answer = add(user, app)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["message"] == message


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        ({"fault": "token-error", "code": 7000215}, 401, 7000215),
        ({"fault": "token-error", "code": 90033}, 503, 90033),
        ({"fault": "token-error", "code": 53003}, 400, 53003),
        ({"fault": "token-error", "code": 4711}, 401, 4711),
        ({"fault": "throttle", "match": {"operation": "token"}}, 429, 90055),
        ({"fault": "server-error", "match": {"operation": "token"}}, 500, 50000),
    ],
)
def test_faults_of_the_token_endpoint(
    user: GraphUser, emulator: Emulator, rule: dict[str, Any], status: int, code: int
) -> None:
    emulator.set_faults(rules=[rule])
    answer = user.sign_in()
    assert answer.status_code == status
    assert answer.json()["error_codes"] == [code]
    assert answer.headers.get("Retry-After") == ("10" if status == 429 else None)


def test_token_endpoint_can_answer_html_and_silence(user: GraphUser, emulator: Emulator) -> None:
    """F6."""
    token = {"operation": "token"}
    emulator.set_faults(rules=[{"fault": "unavailable", "match": token}])
    assert user.sign_in().headers["content-type"].startswith("text/html")
    emulator.set_faults(rules=[{"fault": "hang", "seconds": 0.05, "match": token}])
    with pytest.raises(httpx.TransportError):
        user.sign_in()


def test_token_error_of_one_client_leaves_the_others_alone(
    user: GraphUser, emulator: Emulator
) -> None:
    app = emulator.create_application(user.tenant, passwords=[{}])
    emulator.set_faults(
        rules=[{"fault": "token-error", "code": 7000215, "match": {"app": app.app_id}}]
    )
    secret = app.passwords[0].secret or ""
    other = GraphUser(emulator, user.http, user.tenant, app.app_id, secret)
    assert other.sign_in().status_code == 401
    assert user.sign_in().status_code == 200


def test_faults_are_named_in_the_log(user: GraphUser, emulator: Emulator) -> None:
    user.sign_in()
    emulator.set_faults(rules=[{"fault": "server-error", "id": "mine", "count": 1}])
    emulator.reset_log()
    for _ in range(2):
        user.call("GET", "applications")
    assert [(one.status, one.fault) for one in emulator.requests()] == [(500, "mine"), (200, "")]
