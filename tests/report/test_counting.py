"""What the report counts, and what it advises."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appcredential.cache.seen import known_of
from appcredential.domain.attention import Attention
from appcredential.report.advice import commands, why
from appcredential.report.rows import Row, row_of
from appcredential.report.summary import Judged, age, groups
from appcredential.report.timeline import SPANS, timeline
from tests.cli.scenes import (
    NOW,
    READY,
    STALLED,
    condition,
    conditions,
    day,
    document,
    published,
    retiring,
    spec,
)


def row(status: dict[str, Any] | None = None, **change: Any) -> Row:
    return row_of(document("orders", status, **change), "team")


def test_a_row_is_what_status_says() -> None:
    status = published(
        retiring=retiring(), inventory={"managed": 2, "foreign": -1, "expired": "many"}
    )
    found = row(status, labels={"team": "shop\x07 one"})

    assert (found.namespace, found.name, found.team) == ("shop", "orders", "shop one")
    assert (found.application, found.tenant, found.type) == ("Orders", "default", "ClientSecret")
    assert (found.managed, found.foreign, found.expired, found.retiring) == (2, 0, 0, 1)
    assert found.waits_for.startswith("Deployment/orders")
    assert found.message == ""


def test_without_the_label_the_namespace_is_the_team() -> None:
    assert row().team == "shop"
    assert row_of(document(labels={"": "x", "team": "y"}), "").team == "shop"


@pytest.mark.parametrize("document_", [{}, {"metadata": 3, "status": [], "spec": "x"}])
def test_an_object_of_any_form_is_a_row(document_: dict[str, Any]) -> None:
    found = row_of(document_, "team")

    assert found.name == ""
    assert found.situation.ready == ""


@pytest.mark.parametrize(
    ("status", "change", "reason", "typed"),
    [
        (published(ends=-1), {}, "is an operator running?", "get pods -A"),
        (published(renewalTime=day(-2)), {}, "is an operator running?", "get pods -A"),
        (conditions(condition("Ready", "False", "X", "Y."), STALLED), {}, "No App", "applicationg"),
        (
            conditions(condition("Stalled", "True", "TenantNotReady", "No.")),
            {"spec": spec(tenantRef={"name": "partners"})},
            "No.",
            "kubectl describe entratenant partners",
        ),
        (
            {
                **conditions(condition("Stalled", "True", "SecretConflict", "Whose.")),
                "secretRef": {"name": "s"},
            },
            {},
            "Whose.",
            "kubectl describe secret s -n shop",
        ),
        (published(), {"spec": spec(suspend=True)}, "", "kubectl appcredential resume orders"),
        (
            published(conditions=[condition("Ready", "False", "SignInRejected", "Refused.")]),
            {},
            "Refused.",
            "kubectl appcredential check orders -n shop --wait",
        ),
    ],
)
def test_why_and_what_to_type(
    status: dict[str, Any], change: dict[str, Any], reason: str, typed: str
) -> None:
    found = row(status, **change)

    assert reason in why(found, NOW)
    assert any(typed in command for command in commands(found, NOW))


@pytest.mark.parametrize(
    ("days", "name"),
    [(1, "less than a week"), (40, "one to three months"), (400, "more than a year")],
)
def test_the_age_of_what_is_published(days: int, name: str) -> None:
    status = published()
    status["credential"]["startTime"] = day(-days)

    assert age(row(status), NOW) == name
    assert age(row(), NOW) == "nothing published"


def test_groups_with_trouble_come_first() -> None:
    made = [Judged(row(labels={"team": "a"}), Attention.FINE)] * 3
    made += [Judged(row(labels={"team": "b"}), Attention.BROKEN)]
    made += [Judged(row(labels={"team": "c"}), Attention.PAUSED)]

    found = groups(made, lambda r: r.team)

    assert [(g.name, g.count, g.needing) for g in found] == [("b", 1, 1), ("a", 3, 0), ("c", 1, 0)]


@given(st.lists(st.integers(min_value=-400 * 24, max_value=4000 * 24), max_size=30))
def test_the_timeline_counts_each_end_and_each_renewal_once(hours: list[int]) -> None:
    rows = [
        row(published(ends=h / 24, renewalTime=day(h / 24 - 1), conditions=[READY])) for h in hours
    ]

    spans = timeline(rows, NOW).every()

    assert len(spans) == SPANS + 2
    assert sum(s.renewed + s.ending for s in spans) == len(rows)
    assert sum(s.renewals for s in spans) == len(rows)


@pytest.mark.parametrize(
    ("ends", "unit"),
    [([0.5], "hour"), ([20], "day"), ([100], "week"), ([600], "4 weeks"), ([5000], "13 weeks")],
)
def test_the_spans_are_as_long_as_needed(ends: list[float], unit: str) -> None:
    assert timeline([row(published(ends=end)) for end in ends], NOW).unit == unit


def test_what_is_held_ends_without_a_successor() -> None:
    held = [
        row(published(ends=10), spec=spec(suspend=True)),
        row(published(ends=10), spec=spec(mode="Observe")),
        row(published(ends=10, conditions=[READY, STALLED])),
        row(published(ends=10, renewalTime=None)),
    ]

    found = timeline([*held, row(published(ends=10))], NOW)
    (span,) = [s for s in found.spans if s.ending]
    assert (span.ending, span.renewed) == (4, 1)
    assert sum(s.renewals for s in found.every()) == 1
    assert span.begin is not None
    assert span.begin <= NOW + timedelta(days=10)


def test_the_operator_keeps_a_row_only_where_it_serves_the_report() -> None:
    found = document("orders", published(), labels={"crew": "shop"})

    assert known_of("appcredentials", found).row is None
    kept = known_of("appcredentials", found, "crew").row
    assert kept is not None
    assert kept.team == "shop"
    assert known_of("entratenants", {**found, "spec": {}}, "crew").row is None
