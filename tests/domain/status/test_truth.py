"""Status does not run ahead of what was asked for, and does not forget what was found out."""

from __future__ import annotations

from typing import Any

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.status.projection import project
from tests.domain.worlds.driver import DEFAULT, World
from tests.support.builders import (
    ATTEMPT,
    HOUR,
    KEY,
    MINUTE,
    NEXT,
    NOT_YET,
    NOW,
    SECOND,
    application,
    credential,
    facts,
    observation,
    problem,
    proof,
    proven,
    resource,
    rotation,
    spec,
    target,
    tenant,
)

GONE = {
    "observedGeneration": 1,
    "credential": {"keyId": KEY},
    "conditions": [
        {
            "type": "Ready",
            "status": "False",
            "reason": "SignInRejected",
            "observedGeneration": 1,
            "lastTransitionTime": "2026-11-22T09:00:00Z",
        }
    ],
}
UNLISTED = application(read_time=NOW)


def ready(o: Observation) -> tuple[str, str]:
    found = next(c for c in projected(o)["conditions"] if c["type"] == "Ready")
    return found["status"], found["reason"]


def projected(o: Observation) -> dict[str, Any]:
    usable = not hasattr(o.tenant, "stalled")
    return project(o, facts(o) if usable else None, None if usable else problem())


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (
            observation(resource=resource(status=GONE), application=UNLISTED),
            ("False", "SignInRejected"),
        ),
        (
            observation(
                resource=resource(status=GONE),
                application=UNLISTED,
                memory=Memory(published_proof=proof(ATTEMPT, NOT_YET)),
            ),
            ("False", "SignInRejected"),
        ),
        (
            observation(
                resource=resource(status=GONE),
                application=UNLISTED,
                memory=Memory(published_proof=proven(ATTEMPT)),
            ),
            ("True", "CredentialMissing"),
        ),
        (
            observation(resource=resource(status=GONE), application=application(credential())),
            ("True", "Published"),
        ),
        (
            observation(
                resource=resource(status={**GONE, "credential": {"keyId": NEXT}}),
                application=UNLISTED,
            ),
            ("True", "CredentialMissing"),
        ),
        (
            observation(resource=resource(status=GONE), tenant=problem(Reason.TENANT_NOT_READY)),
            ("False", "SignInRejected"),
        ),
    ],
    ids=[
        "restarted",
        "restarted, and refused once more",
        "restarted, and it signs in",
        "listed again",
        "another one is published since",
        "the tenant cannot be reached",
    ],
)
def test_a_restart_does_not_make_a_lost_credential_ready(
    o: Observation, expected: tuple[str, str]
) -> None:
    assert ready(o) == expected


ASKED = spec(rotation=rotation(rotate_issued_before=NOW - MINUTE))


@pytest.mark.parametrize("reached", [True, False])
def test_a_rotation_that_was_asked_for_is_not_done_before_it_is_done(reached: bool) -> None:
    seen = resource(ASKED, generation=2, status={"observedGeneration": 1})
    away = problem(Reason.TENANT_NOT_READY, stalled=False)
    o = observation(resource=seen, tenant=tenant() if reached else away)
    status = project(o, facts(o) if reached else None, None if reached else away)
    told = {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}
    assert told["Ready"] == ("True", "Published" if reached else "RotationFailing")
    assert told["Reconciling"] == ("True", "Progressing")
    assert status["observedGeneration"] == 1


def test_it_is_done_once_it_is_published() -> None:
    world = World(spec=DEFAULT)
    world.run(20 * MINUTE)
    world.change(spec(lifetime=6 * HOUR, rotation=rotation(rotate_issued_before=world.now)))
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Published")
    assert not world.condition("Reconciling")
    assert world.resource.status["observedGeneration"] == world.resource.generation
    during = [s for s in world.statuses if len(s["conditions"]) > 3]
    assert during
    assert all(s["observedGeneration"] < world.resource.generation for s in during)


def test_a_tenant_that_is_away_for_a_moment_changes_no_status() -> None:
    before = decide(observation(target=target(), application=application(credential()))).status
    seen = resource(status=before)
    away = problem(Reason.TENANT_NOT_READY, stalled=False)
    o = observation(resource=seen, tenant=away, now=NOW + 30 * SECOND)
    assert decide(o).status["conditions"] == before["conditions"]


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        (1, ("True", "Published")),
        (2, ("False", "ApplicationNotFound")),
    ],
)
def test_two_reads_that_do_not_find_the_application_are_believed(
    reads: int, expected: tuple[str, str]
) -> None:
    memory = Memory(application_missing=tuple(NOW - n * MINUTE for n in range(reads)))
    o = observation(application=None, memory=memory)
    away = problem(Reason.APPLICATION_NOT_FOUND, stalled=False)
    (found,) = (c for c in project(o, None, away)["conditions"] if c["type"] == "Ready")
    assert (found["status"], found["reason"]) == expected
