"""How lists are read cheaply, and which of their differences are worth a direct read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from appcredential.domain.inventory import (
    FLOOR,
    MOST_PAGES,
    Budget,
    Cost,
    Disagreement,
    Way,
    choose_way,
    fingerprint,
    fingerprint_of_trusts,
    is_outdated,
    made_since,
    most_pages,
    requests_by_filter,
    with_what_we_made,
)
from appcredential.domain.observed.entra import Application, Credential
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.observed.target import PendingState
from appcredential.domain.spec.model import CredentialType, KeyId, ObjectId
from tests.support.builders import (
    DAY,
    HOUR,
    KEY,
    MINUTE,
    NEXT,
    NOW,
    SECOND,
    application,
    credential,
    pending,
    target,
)
from tests.support.federated import listed

BUDGET = Budget(per_second=33, ceiling=10 * MINUTE)
HALF = timedelta(seconds=30)


@pytest.mark.parametrize(
    ("count", "period"),
    [(0, HALF), (300, HALF), (990, HALF), (1980, MINUTE), (9900, 5 * MINUTE), (10**6, 10 * MINUTE)],
)
def test_few_are_looked_at_often(count: int, period: timedelta) -> None:
    assert BUDGET.period(count) == period


def test_no_round_follows_another_at_once_whatever_the_ceiling() -> None:
    assert Budget(per_second=1, ceiling=timedelta(seconds=1)).period(10) == FLOOR


def test_ten_thousand_cost_two_hundred_requests_an_hour_at_most() -> None:
    pages = -(-10_000 // 999)
    assert pages * (HOUR / BUDGET.period(pages * 999)) <= 200


@pytest.mark.parametrize(
    ("count", "requests"), [(0, 0), (1, 1), (15, 1), (16, 2), (60, 4), (300, 20)]
)
def test_a_filter_names_fifteen(count: int, requests: int) -> None:
    assert requests_by_filter(count) == requests


def test_no_more_pages_are_read_than_filters_would_cost() -> None:
    assert most_pages(300) == 20
    assert most_pages(10**6) == MOST_PAGES


def cost(requests: int | None, found: float = 0.0) -> Cost:
    return Cost(requests=requests, found=found)


@pytest.mark.parametrize(
    ("count", "costs", "way"),
    [
        (1, {}, Way.FILTER),
        (150, {}, Way.FILTER),
        (151, {}, Way.OWNED),
        (151, {Way.OWNED: cost(None)}, Way.ALL),
        (151, {Way.OWNED: cost(None), Way.ALL: cost(None)}, Way.FILTER),
        (151, {Way.OWNED: cost(1)}, Way.OWNED),
        (10_000, {Way.OWNED: cost(11)}, Way.OWNED),
        # It owns a hundred of them, so that most would have to be asked for one by one.
        (10_000, {Way.OWNED: cost(661)}, Way.ALL),
        (10_000, {Way.OWNED: cost(661), Way.ALL: cost(60)}, Way.ALL),
        # A directory of 60,000 in which the operator serves 300.
        (300, {Way.OWNED: cost(21), Way.ALL: cost(60)}, Way.FILTER),
    ],
)
def test_the_cheapest_way_is_taken(count: int, costs: dict[Way, Cost], way: Way) -> None:
    assert choose_way(count, costs, 3599.0) is way


def test_a_way_that_was_too_dear_is_tried_again_an_hour_later() -> None:
    costs = {Way.OWNED: cost(None), Way.ALL: cost(None, 60.0)}
    assert choose_way(151, costs, 3600.0) is Way.OWNED


def test_a_change_shows_in_the_fingerprint_and_the_time_of_a_read_does_not() -> None:
    one = credential()
    before = application(one)
    assert fingerprint(before) == fingerprint(replace(before, read_time=NOW + DAY, created=NOW))
    changed = [
        application(),
        application(one, replace(one, key_id=KeyId("other"))),
        application(replace(one, display_name="renamed")),
        application(replace(one, end=one.end + DAY)),
        application(replace(one, type=CredentialType.CERTIFICATE)),
        replace(before, display_name="renamed"),
        replace(before, sign_in_audience="AzureADMultipleOrgs"),
        replace(before, object_id=ObjectId("other")),
    ]
    assert fingerprint(before) not in map(fingerprint, changed)


OURS, THEIRS = credential(KeyId("ours")), credential(KeyId("theirs"))


@pytest.mark.parametrize(
    ("found", "known", "expected"),
    [
        ([THEIRS, OURS], [THEIRS], True),
        ([OURS], [], True),
        ([THEIRS], [THEIRS], False),
        ([THEIRS, OURS], [THEIRS, OURS], False),
        ([THEIRS], [THEIRS, OURS], False),
        ([THEIRS, OURS], [], False),
        ([OURS], [THEIRS], False),
        ([THEIRS, replace(OURS, key_id=KeyId("another"))], [THEIRS], False),
    ],
)
def test_what_we_made_ourselves_is_no_news(
    found: list[Credential], known: list[Credential], expected: bool
) -> None:
    shown, held = application(*found), application(*known)
    merged = with_what_we_made(held, shown, {OURS.key_id})
    assert (merged is not None) is expected
    if merged is not None:
        assert merged == replace(held, credentials=(*known, OURS)), "it stays the read that it was"


SETTLE = timedelta(seconds=30)


@pytest.mark.parametrize(
    ("read", "published", "begun", "expected"),
    [
        (-HOUR, -MINUTE, None, {KEY}),
        (-HOUR, None, -MINUTE, {NEXT}),
        (-HOUR, -MINUTE, -MINUTE, {KEY, NEXT}),
        (-MINUTE + SETTLE, -MINUTE, -MINUTE, {KEY, NEXT}),
        (-MINUTE + SETTLE + SECOND, -MINUTE, -MINUTE, set()),  # it would show them
        (-HOUR, SECOND, SECOND, set()),  # forged, or of another clock
        (-HOUR, None, None, set()),
    ],
)
def test_what_an_older_read_may_lack(
    read: timedelta, published: timedelta | None, begun: timedelta | None, expected: set[KeyId]
) -> None:
    known = application(read_time=NOW + read)
    secret = target(published_time=NOW + published) if published is not None else None
    successor = pending(intent_time=NOW + begun) if begun is not None else None
    assert set(made_since(known, secret, successor, NOW, SETTLE)) == expected


def test_secrets_that_hold_nothing_explain_nothing() -> None:
    empty = replace(target(published_time=NOW), published=None)
    assert set(made_since(application(), empty, pending(PendingState.INTENT), NOW, SETTLE)) == set()


@pytest.mark.parametrize(
    ("known", "left", "expected"),
    [
        (application(read_time=NOW - MINUTE), NOW + MINUTE, True),
        (application(read_time=NOW + SETTLE), NOW + MINUTE, True),
        (application(read_time=NOW - MINUTE), NOW + SETTLE, False),
        (application(read_time=NOW + MINUTE), NOW + HOUR, False),
        (application(credential(), read_time=NOW - MINUTE), NOW + MINUTE, False),
    ],
    ids=["before the publish", "soon after it", "an early list", "a late read", "listed"],
)
def test_a_read_from_before_the_publish_is_outdated(
    known: Application, left: datetime, expected: bool
) -> None:
    assert is_outdated(known, target(published_time=NOW), left, SETTLE) is expected
    assert not is_outdated(known, None, left, SETTLE)
    assert not is_outdated(known, replace(target(published_time=NOW), published=None), left, SETTLE)


def test_a_changed_trust_shows_in_the_fingerprint() -> None:
    one = listed()
    before = FederatedList(object_id=ObjectId("o"), credentials=(one,), read_time=NOW)
    assert fingerprint_of_trusts(before) == fingerprint_of_trusts(
        replace(before, read_time=NOW + DAY, object_id=ObjectId("p"))
    )
    changed = [
        replace(one, id="other"),
        replace(one, issuer="https://elsewhere.example"),
        replace(one, subject="other"),
        replace(one, audiences=("other",)),
        replace(one, description="other"),
    ]
    for other in changed:
        assert fingerprint_of_trusts(before) != fingerprint_of_trusts(
            replace(before, credentials=(other,))
        )


def test_a_disagreement_that_lasts_costs_less_and_less() -> None:
    found, worth = Disagreement("shown", "known"), []
    for number in range(1, 129):
        if found.is_worth_a_read:
            worth.append(number)
        found = found.again("shown", "known")
    assert worth == [1, 2, 3, 4, 8, 16, 32, 64, 128]
    assert found.again("new", "known").rounds == 1
    assert found.again("shown", "new").rounds == 1
