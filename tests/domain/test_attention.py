"""What needs attention first, also where status was left behind by an operator that is gone."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from appcredential.cli.app_credential import AppCredential
from appcredential.domain.attention import (
    Attention,
    attention,
    headline,
    in_order,
    is_renewal_overdue,
)
from tests.cli.scenes import (
    NOT_EXPIRING,
    NOW,
    READY,
    RECONCILING,
    STALLED,
    condition,
    conditions,
    day,
    published,
    resource,
    spec,
)

NOT_READY = condition("Ready", "False", "SignInRejected")
OBSERVING = condition("Ready", "False", "Observing")
CONFLICT = condition("Ready", "False", "SecretConflict")
EXPIRING = condition("Expiring", "True", "RenewalDue")

CASES: list[tuple[AppCredential, Attention, str]] = [
    (resource("fine", published()), Attention.FINE, "Published"),
    (resource("new"), Attention.WORKING, "NotLookedAt"),
    (
        resource("first", conditions(condition("Ready", "False", "Progressing"), RECONCILING)),
        Attention.WORKING,
        "Progressing",
    ),
    (
        resource("refused", conditions(condition("Ready", "False", "NotGranted"), STALLED)),
        Attention.BROKEN,
        "NotGranted",
    ),
    (
        resource("imported", conditions(OBSERVING), spec=spec(mode="Observe")),
        Attention.PAUSED,
        "Observing",
    ),
    (
        resource("managed", conditions(OBSERVING), spec=spec(mode="Manage")),
        Attention.BROKEN,
        "Observing",
    ),
    (
        resource("conflict", conditions(CONFLICT, STALLED), spec=spec(mode="Observe")),
        Attention.BROKEN,
        "NotGranted",
    ),
    (
        resource("rejected", published(conditions=[NOT_READY, RECONCILING])),
        Attention.BROKEN,
        "SignInRejected",
    ),
    (resource("stalled", published(conditions=[READY, STALLED])), Attention.STALLED, "NotGranted"),
    (
        resource("expiring", published(conditions=[READY, EXPIRING])),
        Attention.EXPIRING,
        "RenewalDue",
    ),
    (resource("over", published(ends=-1)), Attention.BROKEN, "Expired"),
    (resource("overdue", published(renewalTime=day(-2))), Attention.EXPIRING, "RenewalDue"),
    (
        resource("successor", published(renewalTime=day(-2), pending={"keyId": "k"})),
        Attention.FINE,
        "Published",
    ),
    (
        resource("observed", published(renewalTime=day(-2)), spec=spec(mode="Observe")),
        Attention.FINE,
        "Published",
    ),
    (
        resource("paused", published(renewalTime=day(-2)), spec=spec(suspend=True)),
        Attention.PAUSED,
        "Suspended",
    ),
    (
        resource("deleted", published(), deletionTimestamp=day(0)),
        Attention.WORKING,
        "Terminating",
    ),
    (resource("edited", published(), generation=2), Attention.WORKING, "Published"),
    (
        resource("working", published(conditions=[READY, NOT_EXPIRING, RECONCILING])),
        Attention.WORKING,
        "Published",
    ),
]


@pytest.mark.parametrize(("found", "expected", "word"), CASES, ids=lambda v: getattr(v, "name", ""))
def test_how_much_attention_and_why(found: AppCredential, expected: Attention, word: str) -> None:
    assert attention(found.situation, NOW) is expected
    assert headline(found.situation, NOW) == word


def test_the_worst_comes_first_and_then_what_ends_first() -> None:
    found = [case[0] for case in CASES] + [resource("soon", published(ends=3))]
    random.Random(4).shuffle(found)  # noqa: S311 - a test

    ordered = in_order(found, NOW)

    ranks = [attention(r.situation, NOW) for r in ordered]
    assert ranks == sorted(ranks)
    assert next(r.name for r in ordered if attention(r.situation, NOW) is Attention.FINE) == "soon"


def test_a_renewal_that_something_explains_is_no_sign_of_a_missing_operator() -> None:
    def late(**change: Any) -> dict[str, Any]:
        return published(renewalTime=day(-2), **change)

    assert is_renewal_overdue(resource("a", late()).situation, NOW)
    for explained in (
        resource("a", late(conditions=[READY, STALLED])),
        resource("a", late(conditions=[READY, EXPIRING])),
        resource("a", late(conditions=[READY, RECONCILING])),
        resource("a", late(pending={})),
        resource("a", late(), spec=spec(suspend=True)),
        resource("a", late(), spec=spec(mode="Observe")),
        resource("a", published(renewalTime=None)),
    ):
        assert not is_renewal_overdue(explained.situation, NOW)


def test_a_renewal_that_is_due_just_now_is_no_reason_for_doubt() -> None:
    found = resource("orders", published(renewalTime=day(0)))

    assert attention(found.situation, NOW + timedelta(minutes=59)) is Attention.FINE
    assert attention(found.situation, NOW + timedelta(minutes=61)) is Attention.EXPIRING


@pytest.mark.parametrize(
    "status",
    [
        None,
        {},
        {"conditions": "Ready"},
        {"conditions": [None, {"type": "Ready"}]},
        {"credential": {"expirationTime": "soon", "startTime": 5}},
        {"observedGeneration": True, "renewalTime": {}},
    ],
)
def test_a_status_of_any_form_is_shown(status: Any) -> None:
    found = AppCredential({"metadata": {"name": "a"}, "spec": [], "status": status})

    assert attention(found.situation, NOW) in Attention
    assert headline(found.situation, NOW) in {"NotLookedAt", ""}
