"""How often published credentials sign in, who of them does, and what their answers say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.judgement import Judgement, is_confirmed, judged, retry, says_nothing
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.proof import (
    _CODES,
    PROVEN,
    UNREACHABLE,
    UNTRUSTED,
    UNUSABLE,
    SignInResult,
    classify,
)
from appcredential.domain.published_sign_ins import (
    EXCHANGED_BEFORE,
    REFUSALS,
    SignInBudget,
    SignsIn,
    next_slot,
    pause_after,
    signs_in,
)
from appcredential.domain.spec.model import VerificationScope
from tests.support.builders import CLIENT_ID, HOUR, MINUTE, NOT_YET, NOW, SECOND

SETTINGS = LifecycleSettings()
BUDGET = SignInBudget(per_second=2, interval=30 * MINUTE)
DISABLED = classify(400, (7000112,))
MISMATCH = classify(400, (700213,))
BLOCKED = classify(400, (53003,))


@pytest.mark.parametrize(
    ("count", "seconds"), [(0, 1890), (3600, 1890), (7200, 3780), (10_000, 5250)]
)
def test_a_round_is_as_long_as_the_budget_and_the_least_time_ask(
    count: int, seconds: float
) -> None:
    assert BUDGET.period(count) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("left", "elapsed", "expected"),
    [(0, 0.5, 1), (1.5, 0.5, 2), (0, 0.25, 0.5), (0, 3600, 2), (1, 0, 1)],
)
def test_what_was_missed_stays_missed(left: float, elapsed: float, expected: float) -> None:
    assert BUDGET.credit(left, timedelta(seconds=elapsed)) == expected


def test_slots_are_a_period_apart_and_spread() -> None:
    period = BUDGET.period(1000)
    first = [next_slot(f"shop/app-{n}", NOW, period) for n in range(1000)]
    assert all(NOW < slot <= NOW + period for slot in first)
    tenth = period / 10
    each = [sum(NOW + n * tenth < s <= NOW + (n + 1) * tenth for s in first) for n in range(10)]
    assert max(each) < 1.5 * min(each)
    again = next_slot("shop/app-1", first[1], period)
    assert abs(again - first[1] - period) < SECOND
    assert next_slot("shop/app-1", NOW + (first[1] - NOW) / 2, period) == first[1]


def document(
    spec: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
    ready: str = "True",
    verified: tuple[str, str] = ("True", "Proven"),
    **metadata: Any,
) -> dict[str, Any]:
    conditions = [
        {"type": "Ready", "status": ready},
        {"type": "Verified", "status": verified[0], "reason": verified[1]},
    ]
    said = {
        "credential": {"keyId": "k"},
        "application": {"clientId": CLIENT_ID},
        "conditions": conditions,
        **(status or {}),
    }
    wanted = {"application": {"clientId": CLIENT_ID}, **(spec or {})}
    return {"metadata": metadata, "spec": wanted, "status": said}


def stalled(reason: str) -> dict[str, Any]:
    found = document()
    found["status"]["conditions"].append({"type": "Stalled", "status": "True", "reason": reason})
    return found


GRAPH = VerificationScope.GRAPH
REFUSED = ("False", "ApplicationDisabled")


PROVEN_BEFORE = (
    ("True", "Unknown", "BlockedByConditionalAccess", "It is blocked."),
    ("False", "False", "FederationMismatch", f"It does not match. {EXCHANGED_BEFORE}"),
)


def trust(ready: str, verified: str, reason: str, message: str) -> dict[str, Any]:
    said = {"type": "Verified", "status": verified, "reason": reason, "message": message}
    conditions = [{"type": "Ready", "status": ready}, said]
    told: dict[str, Any] = {
        "credential": None,
        "federatedIdentities": [{}],
        "conditions": conditions,
    }
    return document(status=told)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (document(), SignsIn(scope=GRAPH, is_refused=False)),
        (
            document({"verification": {"scope": "Self"}}),
            SignsIn(scope=VerificationScope.SELF, is_refused=False),
        ),
        (
            document(status={"credential": None, "federatedIdentities": [{}]}),
            SignsIn(scope=GRAPH, is_refused=False),
        ),
        (document(verified=REFUSED, ready="False"), SignsIn(scope=GRAPH, is_refused=True)),
        (
            document(verified=("Unknown", "BlockedByConditionalAccess")),
            SignsIn(scope=GRAPH, is_refused=True),
        ),
        (
            document(status={"pending": {}}, verified=REFUSED),
            SignsIn(scope=GRAPH, is_refused=False),
        ),
        *((trust(*found), SignsIn(scope=GRAPH, is_refused=True)) for found in PROVEN_BEFORE),
        (trust("False", "False", "FederationMismatch", "It does not match yet."), None),
        (trust("False", "Unknown", "FederationMismatch", ""), None),
        (trust("False", "True", "Proven", EXCHANGED_BEFORE), None),
        (trust("False", "Unknown", "NotVerified", EXCHANGED_BEFORE), None),
        (document(verified=("Unknown", "NotVerifiable")), None),
        (document(ready="False"), None),
        (document({"suspend": True}), None),
        (document({"mode": "Observe"}), None),
        (document({"verification": {"mode": "Disabled"}}), None),
        (document(deletionTimestamp="2026-11-22T10:00:00Z"), None),
        (document(status={"credential": None}), None),
        (document({"application": {"clientId": "another"}}), None),
        (document({"application": None}, {"application": {}}), None),
        (document(status={"application": None}), None),
        (stalled("NotGranted"), None),
        (stalled("OperatorIdentity"), None),
        (stalled("GrantWithdrawn"), SignsIn(scope=GRAPH, is_refused=False)),
        ({"metadata": {}}, None),
    ],
)
def test_who_signs_in_now_and_then(found: dict[str, Any], expected: SignsIn | None) -> None:
    assert signs_in(found) == expected


def test_who_is_alike_shares_what_is_held() -> None:
    assert signs_in(document()) is signs_in(document())


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (PROVEN, False),
        (NOT_YET, False),
        (DISABLED, False),
        (MISMATCH, False),
        (BLOCKED, False),
        (UNUSABLE, False),
        (classify(400, (1234567,)), False),
        (UNREACHABLE, True),
        (UNTRUSTED, True),
        (classify(429, ()), True),
        (classify(502, ()), True),
        (classify(400, (700024,)), True),
        (classify(400, (500011,)), True),
        (classify(400, (7000218,)), True),
    ],
    ids=lambda v: str(getattr(v, "reason", v)),
)
def test_what_says_nothing_of_a_credential(result: SignInResult, expected: bool) -> None:
    assert says_nothing(result) is expected


def test_each_reason_that_says_something_counts_as_a_refusal_after_a_restart() -> None:
    answers = [UNUSABLE, *(classify(400, (code,)) for code in (*_CODES, 1234567))]
    assert {r.reason for r in answers if not says_nothing(r)} == REFUSALS


def run(*results: SignInResult, every: timedelta, attempt: str = "a") -> Judgement | None:
    found = None
    for number, result in enumerate(results):
        found = judged(found, attempt, result, NOW + number * every)
    return found


def test_refusals_of_one_kind_count_in_a_row() -> None:
    assert run(DISABLED, DISABLED, every=SECOND) == Judgement("a", DISABLED, 2, NOW, NOW + SECOND)
    assert run(DISABLED, UNREACHABLE, DISABLED, every=SECOND) == Judgement(
        "a", DISABLED, 2, NOW, NOW + 2 * SECOND
    )
    later = NOW + 2 * SECOND
    assert run(DISABLED, DISABLED, BLOCKED, every=SECOND) == Judgement(
        "a", BLOCKED, 1, later, later
    )
    assert run(DISABLED, PROVEN, every=SECOND) is None
    assert run(UNREACHABLE, every=SECOND) is None


def test_what_was_refused_hours_before_does_not_count() -> None:
    before = run(DISABLED, DISABLED, every=SECOND)
    assert before is not None
    late = before.last + 15 * MINUTE
    found = judged(before, "a", DISABLED, late)
    assert found == Judgement("a", DISABLED, 3, NOW, late)
    late += SECOND
    assert judged(before, "a", DISABLED, late) == Judgement("a", DISABLED, 1, late, late)


def test_another_credential_begins_anew() -> None:
    before = run(DISABLED, DISABLED, every=SECOND)
    assert judged(before, "b", UNREACHABLE, NOW) is None
    assert judged(before, "b", DISABLED, NOW) == Judgement("b", DISABLED, 1, NOW, NOW)


@pytest.mark.parametrize(
    ("results", "every", "expected"),
    [
        ((DISABLED,) * 3, 15, True),
        ((DISABLED,) * 3, 14, False),
        ((DISABLED,) * 2, 60, False),
        ((NOT_YET, UNREACHABLE, NOT_YET), 60, False),
        ((MISMATCH,) * 5, 60, False),
        ((MISMATCH,) * 6, 60, True),
    ],
)
def test_a_refusal_is_confirmed_by_others(
    results: tuple[SignInResult, ...], every: int, expected: bool
) -> None:
    found = run(*results, every=timedelta(seconds=every))
    assert found is not None
    assert is_confirmed(found, SETTINGS) is expected


@pytest.mark.parametrize(
    ("result", "waits"),
    [
        (DISABLED, [10, 20, 300, 300]),
        (NOT_YET, [10, 20, 300, 300]),
        (MISMATCH, [60, 60, 60, 60, 60, 300]),
    ],
    ids=lambda v: str(getattr(v, "reason", "")),
)
def test_a_refusal_is_tried_again_soon_until_it_is_confirmed(
    result: SignInResult, waits: list[int]
) -> None:
    now, found, seen = NOW, None, []
    for _ in waits:
        found = judged(found, "a", result, now)
        assert found is not None
        seen.append(retry(found, SETTINGS).total_seconds())
        now += timedelta(seconds=seen[-1])
    assert seen == waits


@pytest.mark.parametrize(
    ("result", "failures", "expected"),
    [
        (UNREACHABLE, 0, 30 * SECOND),
        (UNREACHABLE, 1, MINUTE),
        (UNREACHABLE, 99, 5 * MINUTE),
        (classify(429, ()), 0, 5 * MINUTE),
        (classify(429, (), HOUR), 0, HOUR),
        (classify(429, (), SECOND), 0, 5 * MINUTE),
    ],
)
def test_a_token_endpoint_is_left_alone_for_longer_and_longer(
    result: SignInResult, failures: int, expected: timedelta
) -> None:
    assert pause_after(result, failures) == expected
