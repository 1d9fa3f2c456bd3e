"""While nobody knows whether a grant matches: nothing new, nothing refused, one read at most."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from appcredential.domain.actions import Action, Hold, ReadApplication
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.rules.gates import spec_tenant_or_grant_is_unusable
from appcredential.domain.rules.gates_application import application_is_unknown
from appcredential.domain.status.successor import successor_problem
from tests.support.builders import (
    CLIENT_ID,
    NOW,
    SECOND,
    application,
    facts,
    observation,
    problem,
    resource,
    spec,
    target,
    tenant,
)

UNKNOWN: Final = problem(Reason.GRANT_UNKNOWN, stalled=False)
FAILED: Final = Memory(
    directory_problem=problem(Reason.DIRECTORY_UNAVAILABLE, stalled=False),
    retry_time=NOW + 10 * SECOND,
)
NEW: Final = observation(grant=UNKNOWN, target=None, application=None)
MAY_READ: Final = replace(NEW, may_read_tags=True)
FRESHNESS: Final = NEW.settings.freshness


def doubted(age: timedelta) -> Observation:
    read = replace(application(read_time=NOW - 60 * SECOND), doubted=NOW - age)
    return replace(MAY_READ, application=read)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (NEW, Hold(UNKNOWN)),
        (MAY_READ, ReadApplication(FRESHNESS)),
        (doubted(3 * SECOND), ReadApplication(3 * SECOND)),
        (doubted(50 * SECOND), ReadApplication(FRESHNESS)),
        (replace(NEW, memory=FAILED), Hold(FAILED.directory_problem)),  # type: ignore[arg-type]
        (
            replace(MAY_READ, tenant=tenant(problem=problem(Reason.TENANT_NOT_READY))),
            Hold(
                Problem(
                    reason=UNKNOWN.reason,
                    message=f"{UNKNOWN.message} {problem(Reason.TENANT_NOT_READY).message}",
                    stalled=False,
                )
            ),
        ),
    ],
)
def test_what_the_gate_does(seen: Observation, expected: Action) -> None:
    assert spec_tenant_or_grant_is_unusable(seen) == expected


def test_a_suspended_resource_is_not_read_for_tags() -> None:
    paused = replace(MAY_READ, resource=resource(spec=spec(suspend=True)))
    found = spec_tenant_or_grant_is_unusable(paused)
    assert isinstance(found, Hold)
    assert found.problem.reason is Reason.SUSPENDED


def test_what_is_published_stays_behind_the_gate() -> None:
    served = resource(status={"application": {"clientId": CLIENT_ID}})
    seen = observation(grant=UNKNOWN, target=target(), resource=served)
    assert spec_tenant_or_grant_is_unusable(seen) is None


@pytest.mark.parametrize(
    ("memory", "expected"), [(Memory(), UNKNOWN), (FAILED, FAILED.directory_problem)]
)
def test_it_is_not_told_as_withdrawn(memory: Memory, expected: Problem) -> None:
    found = successor_problem(facts(observation(grant=UNKNOWN, memory=memory)))
    assert found == expected


@pytest.mark.parametrize(
    ("age", "most"), [(2 * SECOND, 2 * SECOND), (timedelta(days=9), timedelta(hours=1))]
)
def test_a_read_from_before_a_list_showed_the_tag_proves_nothing(
    age: timedelta, most: timedelta
) -> None:
    seen = observation(target=None, application=None)
    found = application_is_unknown(replace(seen, tags_seen=NOW - age))
    assert found == ReadApplication(most)
    missed = replace(seen, memory=Memory(application_missing=(NOW - SECOND,)))
    found = application_is_unknown(replace(missed, tags_seen=NOW - age))
    assert found == ReadApplication(SECOND)
