"""What is worked out of an observation before any rule looks at it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import ClusterIdentity, attempt_id
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import PendingState
from appcredential.domain.spec.model import Limits
from tests.support.builders import (
    ATTEMPT,
    DAY,
    HOUR,
    IDENTITY,
    ISSUED,
    KEY,
    LIFETIME,
    MINUTE,
    NEXT_ATTEMPT,
    NOW,
    OLD,
    OTHER_IDENTITY,
    OTHER_OWNER,
    SECOND,
    abandoned,
    application,
    credential,
    facts,
    grant,
    minted,
    observation,
    pending,
    problem,
    resource,
    spec,
    target,
    tenant,
)

CLONE = ClusterIdentity(cluster=IDENTITY.cluster, system=OTHER_IDENTITY.system)


@pytest.mark.parametrize(
    ("lifetime", "spread"),
    [
        (HOUR, 60 * SECOND),
        (40 * MINUTE, 60 * SECOND),
        (20 * MINUTE, 30 * SECOND),
        (4 * MINUTE, 6 * SECOND),
        (MINUTE, 5 * SECOND),
        (90 * DAY, 60 * SECOND),
    ],
)
def test_a_successor_signs_in_five_times_spread_over_a_fortieth_of_its_life(
    lifetime: timedelta, spread: timedelta
) -> None:
    f = facts(observation(resource=resource(spec(lifetime=lifetime))))
    assert f.proof_count == 5
    assert f.proof_spacing * (f.proof_count - 1) == spread


@pytest.mark.parametrize(
    "o",
    [
        observation(target=None),
        observation(target=target(damaged=True)),
        observation(target=target(minted(expires=NOW))),
        observation(target=target(minted(expires=NOW + MINUTE)), directory_skew=MINUTE),
    ],
    ids=["no T", "a damaged T", "an expired T", "expired by Entra's clock"],
)
def test_while_nothing_valid_is_published_three_sign_ins_a_second_apart_do(
    o: Observation,
) -> None:
    assert (facts(o).proof_count, facts(o).proof_spacing) == (3, SECOND)


def test_a_single_sign_in_may_be_set() -> None:
    f = facts(observation(settings=LifecycleSettings(next_proof_count=1)))
    assert f.proof_spacing == 60 * SECOND


@pytest.mark.parametrize(
    ("c", "expected"),
    [
        (credential(), True),
        (credential(owner=OTHER_OWNER), False),
        (credential(identity=OTHER_IDENTITY), False),
        (credential(identity=CLONE, attempt=attempt_id(CLONE, "uid", 1)), False),
        (credential(display_name="appcred1"), False),
        (credential(display_name=""), False),
        (credential(display_name="made in the portal"), False),
    ],
    ids=[
        "ours",
        "another resource's",
        "another cluster's",
        "a cloned cluster's",
        "half a marker",
        "no name",
        "a portal's",
    ],
)
def test_only_our_exact_marker_makes_it_ours(c: Credential, expected: bool) -> None:
    f = facts(observation(application=application(c)))
    assert (KEY in f.ours) is expected
    assert f.is_listed(KEY)
    assert not f.is_listed(OLD)


@pytest.mark.parametrize(
    ("wanted", "granted", "allowed", "expected"),
    [
        (None, None, None, 90 * DAY),
        (30 * DAY, None, None, 30 * DAY),
        (30 * DAY, 20 * DAY, None, 20 * DAY),
        (30 * DAY, 20 * DAY, 10 * DAY, 10 * DAY),
        (5 * DAY, 20 * DAY, 10 * DAY, 5 * DAY),
    ],
)
def test_the_least_of_spec_grant_and_tenant_is_asked_for(
    wanted: timedelta | None,
    granted: timedelta | None,
    allowed: timedelta | None,
    expected: timedelta,
) -> None:
    o = observation(
        resource=resource(spec(lifetime=wanted)),
        grant=grant(max_lifetime=granted),
        tenant=tenant(limits=Limits(max_lifetime=allowed)),
    )
    assert facts(o).lifetime == expected


def test_a_withdrawn_grant_takes_its_ceiling_with_it_and_allows_nothing() -> None:
    f = facts(observation(grant=problem()))
    assert not f.is_granted
    assert f.lifetime == 90 * DAY


def test_both_journals_count() -> None:
    o = observation(
        target=target(abandoned=(abandoned(ATTEMPT),)),
        pending=pending(PendingState.ABANDONED, number=2, abandoned=(abandoned(NEXT_ATTEMPT),)),
    )
    assert facts(o).abandoned_attempts == {ATTEMPT, NEXT_ATTEMPT}
    assert facts(observation(target=None)).abandoned_attempts == frozenset()


@pytest.mark.parametrize(("age", "expected"), [(15, True), (16, False)])
def test_a_read_is_fresh_for_fifteen_seconds(age: int, expected: bool) -> None:
    read = application(credential(), read_time=NOW - age * SECOND)
    assert facts(observation(application=read)).is_fresh is expected


def test_an_attempt_without_a_marker_is_nobodys() -> None:
    plain = credential(display_name="made in the portal")
    f = facts(observation(application=application(plain), pending=pending()))
    assert f.attempt_of(plain) == ""
    assert not f.is_pending(plain)
    assert not f.is_abandoned(plain)


def test_what_another_cluster_wrote_is_told_by_its_own_record() -> None:
    ours = target()
    theirs = {**ours.annotations, "appcredential.io/cluster": OTHER_IDENTITY.cluster}
    lost = {k: v for k, v in ours.annotations.items() if k != "appcredential.io/cluster"}
    found = [
        facts(observation(target=t)).is_from_another_cluster
        for t in (None, ours, replace(ours, annotations=theirs), replace(ours, annotations=lost))
    ]
    assert found == [False, False, True, False]


def test_the_schedule_follows_entras_end_and_the_spec_of_today() -> None:
    shorter = facts(observation(resource=resource(spec(lifetime=30 * DAY)))).schedule
    assert shorter is not None
    assert shorter.end == ISSUED + 30 * DAY
    cut = facts(observation(target=target(minted(expires=ISSUED + 20 * DAY)))).schedule
    assert cut is not None
    assert cut.end == ISSUED + 20 * DAY


def test_the_renewal_stays_when_a_replica_lists_what_was_just_issued() -> None:
    part = timedelta(milliseconds=900)
    listed = credential(start=ISSUED + part, end=ISSUED + LIFETIME + part)
    before = facts(observation(target=target(), application=application()))
    after = facts(observation(target=target(), application=application(listed)))
    assert (after.published, after.schedule) == (before.published, before.schedule)
