"""What status says of a successor that waits for a window."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.proof import classify
from appcredential.domain.spec.secret import Template
from tests.support.builders import (
    DAY,
    HOUR,
    NEXT,
    NOT_YET,
    NOW,
    SECOND,
    application,
    credential,
    minted,
    next_credential,
    observation,
    pending,
    proof,
    proven,
    resource,
    rotation,
    spec,
    target,
    window,
)

WINDOW = window("22:00", "04:00")
HELD = minted(not_before=NOW - 70 * DAY)
"""Renewal was due for ten days: 30 % of the time from then to the end are over."""


def waiting(**rotations: Any) -> Observation:
    rules = rotation(windows=[WINDOW], **rotations)
    return observation(
        resource=resource(spec(rotation=rules), generation=3),
        target=target(HELD),
        application=application(credential(start=HELD.not_before), next_credential()),
        pending=pending(),
        memory=Memory(pending_proof=proven()),
    )


def told(o: Observation) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    status = decide(o).status
    return status, {c["type"]: c for c in status["conditions"]}


def test_it_is_told_what_it_waits_for_and_until_when() -> None:
    status, conditions = told(waiting())
    assert status["pending"] == {
        "keyId": NEXT,
        "startTime": "2026-11-22T09:59:55Z",
        "publishTime": "2026-11-22T22:00:00Z",
        "waitingFor": "the next of spec.rotation.windows",
    }
    assert (conditions["Ready"]["status"], conditions["Ready"]["reason"]) == ("True", "Published")


def test_a_wait_that_is_meant_is_no_overdue_renewal() -> None:
    _, conditions = told(waiting())
    assert conditions["Expiring"]["status"] == "False"
    assert "when the next of spec.rotation.windows opens" in conditions["Expiring"]["message"]
    late = replace(waiting(), pending=None)
    assert told(late)[1]["Expiring"]["status"] == "True"


@pytest.mark.parametrize("ahead", [0 * SECOND, HOUR])
def test_nobody_has_to_watch_a_wait_that_is_meant(ahead: Any) -> None:
    """Flux and `kubectl wait` would give up long before the window opens."""
    status, conditions = told(waiting(rotate_issued_before=NOW - HOUR - ahead))
    assert "Reconciling" not in conditions
    assert "Stalled" not in conditions
    assert status["observedGeneration"] == 3


def test_a_revocation_is_told_as_ever() -> None:
    status, conditions = told(waiting(revoke_issued_before=NOW - HOUR))
    assert conditions["Reconciling"]["status"] == "True"
    assert "publishTime" not in status["pending"]


BLOCKED = classify(400, (53003,))


def changed(**words: Any) -> Observation:
    o, wanted = waiting(), replace(spec(rotation=rotation(windows=[WINDOW])), **words)
    return replace(o, resource=replace(o.resource, spec=wanted))


def withdrawn() -> Observation:
    o = waiting()
    known = replace(o.resource, status=decide(o).status)
    return replace(o, resource=known, grant=Problem(reason=Reason.NOT_GRANTED, message="None."))


HINDERED = (
    replace(waiting(), memory=Memory(pending_proof=proof(pending().attempt, BLOCKED))),
    replace(
        waiting(), memory=Memory(pending_proof=proof(pending().attempt, *[NOT_YET] * 9, every=60))
    ),
    withdrawn(),
    changed(suspend=True),
    changed(secret=replace(spec().secret, data={"huge": Template("x" * 2_000_000)})),
)


@pytest.mark.parametrize("o", HINDERED)
def test_a_publish_that_cannot_happen_is_not_promised(o: Observation) -> None:
    status, conditions = told(o)
    assert "publishTime" not in status["pending"]
    assert "waitingFor" not in status["pending"]
    assert conditions["Expiring"]["status"] == "True"


def test_what_cannot_be_published_does_not_meet_what_is_asked_for() -> None:
    o = waiting(rotate_issued_before=NOW - HOUR)
    o = replace(o, memory=Memory(pending_proof=proof(pending().attempt, BLOCKED)))
    assert told(o)[0]["observedGeneration"] == -1


def test_a_new_process_tells_the_same_before_it_has_proven_it_anew() -> None:
    o = waiting()
    assert told(replace(o, memory=Memory()))[0] == told(o)[0]


def test_a_proof_that_fails_while_it_waits_is_told_as_ever() -> None:
    refused = proof(pending().attempt, *[NOT_YET] * 9, every=60)
    _, conditions = told(replace(waiting(), memory=Memory(pending_proof=refused)))
    assert conditions["Ready"]["reason"] == "RotationFailing"


def test_a_wait_is_written_once() -> None:
    o = waiting()
    status = decide(o).status
    for hours in range(1, 12):
        later = replace(o, now=NOW + hours * HOUR, resource=replace(o.resource, status=status))
        assert decide(later).status == status
