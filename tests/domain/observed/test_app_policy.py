"""What a tenant's app management policy means for what is asked for, and how it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from appcredential.domain.actions import Hold
from appcredential.domain.conditions import Reason
from appcredential.domain.observed.app_policy import (
    PERMISSION_MISSING,
    UNREAD,
    UNRESTRICTED,
    AppPolicy,
    Restriction,
    read_iso_duration,
)
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.observation import Observation
from appcredential.domain.rules.gates import spec_tenant_or_grant_is_unusable
from appcredential.domain.spec.model import CredentialType, Limits
from appcredential.domain.status.problems_entra import refusal
from tests.support.builders import (
    DAY,
    HOUR,
    ISSUED,
    MINUTE,
    NOW,
    SECOND,
    application,
    credential,
    facts,
    grant,
    observation,
    resource,
    spec,
    tenant,
)

SECRET, CERTIFICATE = CredentialType.CLIENT_SECRET, CredentialType.CERTIFICATE
SINCE = NOW - 100 * DAY


def limit(
    most: timedelta | None, kind: CredentialType = SECRET, since: datetime | None = None
) -> Restriction:
    return Restriction(type=kind, max_lifetime=most, created_since=since)


def policy(*restrictions: Restriction) -> AppPolicy:
    return AppPolicy(restrictions=restrictions)


def seen(
    known: AppPolicy,
    *,
    asked: timedelta | None = None,
    kind: CredentialType = SECRET,
    created: datetime | None = ISSUED,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    granted: timedelta | None = None,
) -> Observation:
    """Return an observation under a policy; `created` None for an application not read yet."""
    read: Application | None = None
    if created is not None:
        read = replace(application(credential()), created=created)
    return observation(
        resource=resource(replace(spec(lifetime=asked), type=kind)),
        tenant=replace(tenant(limits=limits), app_policy=known),
        grant=grant(max_lifetime=granted),
        application=read,
        target=None,
    )


@pytest.mark.parametrize("kind", [SECRET, CERTIFICATE])
def test_no_more_is_asked_for_than_the_policy_of_the_type_allows(kind: CredentialType) -> None:
    other = CERTIFICATE if kind is SECRET else SECRET
    known = policy(limit(30 * DAY, kind), limit(2 * DAY, other))
    assert facts(seen(known, kind=kind)).lifetime == 30 * DAY - 5 * MINUTE
    assert facts(seen(known, kind=kind, asked=3 * DAY)).lifetime == 3 * DAY


@pytest.mark.parametrize("kind", [SECRET, CERTIFICATE])
def test_the_smallest_of_all_ceilings_counts(kind: CredentialType) -> None:
    known = policy(limit(30 * DAY, kind))
    limited = seen(known, kind=kind, limits=Limits(max_lifetime=20 * DAY))
    assert facts(limited).lifetime == 20 * DAY
    assert facts(seen(known, kind=kind, granted=10 * DAY)).lifetime == 10 * DAY
    assert facts(seen(known, kind=kind, asked=60 * DAY)).lifetime == 30 * DAY - 5 * MINUTE


@pytest.mark.parametrize(
    ("most", "asked_for"),
    [(DAY, DAY - 5 * MINUTE), (HOUR, 59 * MINUTE + 24 * SECOND), (100 * SECOND, 99 * SECOND)],
)
def test_a_little_less_is_asked_for_because_two_clocks_set_start_and_end(
    most: timedelta, asked_for: timedelta
) -> None:
    assert policy(limit(most)).max_lifetime(SECRET, None) == asked_for


def test_the_shortest_of_several_counts() -> None:
    known = policy(limit(DAY), limit(HOUR, since=SINCE), limit(2 * DAY))
    assert known.max_lifetime(SECRET, SINCE) == HOUR - 36 * SECOND


@pytest.mark.parametrize(
    ("created", "is_limited"),
    [(SINCE, True), (SINCE + DAY, True), (SINCE - SECOND, False), (None, False)],
)
def test_a_policy_for_new_applications_is_none_for_older_ones(
    created: datetime | None, is_limited: bool
) -> None:
    known = policy(limit(DAY, since=SINCE))
    assert (known.max_lifetime(SECRET, created) is not None) is is_limited


def test_what_forbids_the_type_shortens_nothing() -> None:
    """The application may be exempt: Entra decides, and its refusal is told."""
    known = policy(limit(None))
    assert facts(seen(known)).lifetime == 90 * DAY
    assert spec_tenant_or_grant_is_unusable(seen(known)) is None


@pytest.mark.parametrize("known", [UNRESTRICTED, UNREAD, AppPolicy(unknown=PERMISSION_MISSING)])
def test_what_is_not_known_shortens_nothing(known: AppPolicy) -> None:
    assert facts(seen(known)).lifetime == 90 * DAY


@pytest.mark.parametrize("created", [None, ISSUED])
def test_a_policy_below_the_minimum_is_told(created: datetime | None) -> None:
    held = spec_tenant_or_grant_is_unusable(seen(policy(limit(MINUTE)), created=created))
    assert isinstance(held, Hold)
    assert held.problem.reason is Reason.LIFETIME_TOO_SHORT
    assert "policy" in held.problem.message


def test_one_for_new_applications_is_told_when_the_application_was_read() -> None:
    known = policy(limit(MINUTE, since=SINCE))
    assert spec_tenant_or_grant_is_unusable(seen(known, created=None)) is None
    assert spec_tenant_or_grant_is_unusable(seen(known, created=SINCE - DAY)) is None
    assert isinstance(spec_tenant_or_grant_is_unusable(seen(known, created=SINCE)), Hold)


def test_it_is_told_in_stable_phrases() -> None:
    known = policy(
        limit(None, since=SINCE), limit(timedelta(days=90, hours=12)), limit(30 * DAY, CERTIFICATE)
    )
    assert known.summary() == {
        "clientSecret": "forbidden for applications created since 2026-08-14T10:00:00Z; "
        "at most 90d12h",
        "certificate": "at most 30d",
    }
    assert UNRESTRICTED.summary() == {
        "clientSecret": "not restricted",
        "certificate": "not restricted",
    }
    missing = AppPolicy(unknown=PERMISSION_MISSING).summary()
    assert set(missing.values()) == {"Unknown: permission missing"}


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("P90D", 90 * DAY),
        ("P4DT12H30M5S", timedelta(days=4, hours=12, minutes=30, seconds=5)),
        ("PT1H", HOUR),
        ("PT90M", 90 * MINUTE),
        ("PT0.5S", timedelta(0)),
        ("PT10.999S", 10 * SECOND),
    ],
)
def test_durations_of_policies(text: str, length: timedelta) -> None:
    assert read_iso_duration(text) == length


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "P1Y", "P1M", "90d", "-P1D", "P1D "])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        read_iso_duration(text)


@pytest.mark.parametrize(
    ("code", "reason", "word"),
    [
        ("CredentialInvalidLifetimeAsPerAppPolicy", Reason.LIFETIME_OVER_POLICY, "spec.lifetime"),
        ("CredentialTypeNotAllowedAsPerAppPolicy", Reason.TYPE_FORBIDDEN_BY_POLICY, "exempted"),
        ("Request_BadRequest", Reason.CREDENTIAL_REFUSED, "Request_BadRequest"),
        ("", Reason.CREDENTIAL_REFUSED, "bad request"),
    ],
)
def test_a_refusal_is_told_by_its_code(code: str, reason: Reason, word: str) -> None:
    problem = refusal(code)
    assert (problem.reason, problem.stalled) == (reason, True)
    assert word in problem.message
