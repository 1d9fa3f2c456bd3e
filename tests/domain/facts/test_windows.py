"""What a successor waits for, and each reason not to wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.facts import assessment
from appcredential.domain.facts import windows as window_facts
from appcredential.domain.facts.windows import awaited_opening, is_only_waiting, override
from appcredential.domain.judgement import judged
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.proof import PROVEN
from appcredential.domain.rules.next_look import next_look
from appcredential.domain.spec.model import VerificationMode
from appcredential.domain.windows import Opening, next_opening
from tests.support.builders import (
    ATTEMPT,
    DAY,
    HOUR,
    KEY,
    MINUTE,
    NEXT_ATTEMPT,
    NOT_YET,
    NOW,
    OTHER_IDENTITY,
    SECOND,
    application,
    credential,
    facts,
    minted,
    next_credential,
    observation,
    old_credential,
    pending,
    proof,
    proven,
    resource,
    retiring,
    rotation,
    spec,
    target,
    window,
)

WINDOW = window("22:00", "04:00")
OPENS = Opening(NOW + 12 * HOUR, NOW + 18 * HOUR)
LISTED = application(credential(), next_credential())
REFUSED = judged(None, ATTEMPT, NOT_YET, NOW)


def seen(
    *,
    memory: Memory = Memory(pending_proof=proven()),  # noqa: B008 - frozen
    status: dict[str, Any] | None = None,
    mode: VerificationMode = VerificationMode.REQUIRED,
    rotations: Any = None,
    **more: Any,
) -> Observation:
    """Return a successor that is proven, while the window is closed."""
    rules = rotation(windows=[WINDOW], **(rotations or {}))
    wanted = resource(spec(rotation=rules, verification=mode), status=status or {})
    words = {"pending": pending(), "application": LISTED, **more}
    return observation(resource=wanted, memory=memory, **words)


def ready(status: str, reason: str, key: str = KEY) -> dict[str, Any]:
    told = [
        {"type": "Verified", "status": "False", "reason": "Proven"},
        {"type": "Ready", "status": status, "reason": reason},
    ]
    return {"credential": {"keyId": key}, "conditions": told}


@pytest.mark.parametrize(
    "o",
    [
        seen(),
        seen(memory=Memory()),
        seen(memory=Memory(pending_proof=proven(), refused=judged(None, "other", NOT_YET, NOW))),
        seen(memory=Memory(pending_proof=proven(), published_proof=proven(ATTEMPT))),
        seen(memory=Memory(published_proof=proof(NEXT_ATTEMPT, NOT_YET))),
        seen(status=ready("False", "InvalidSpec")),
        seen(status=ready("False", "SignInRejected", "key-before")),
        seen(status=ready("True", "SignInRejected")),
        seen(rotations={"rotate_issued_before": NOW}),
        seen(rotations={"revoke_issued_before": NOW + SECOND}),
        seen(rotations={"revoke_issued_before": NOW - 11 * DAY}),
        seen(mode=VerificationMode.DISABLED),
        # A leaked one that is retiring is removed without a publish.
        seen(
            rotations={"revoke_issued_before": NOW - 20 * DAY},
            target=target(retiring=(retiring(),)),
            application=application(credential(), next_credential(), old_credential()),
        ),
    ],
)
def test_it_waits_for_the_window(o: Observation) -> None:
    assert awaited_opening(facts(o)) == OPENS
    assert override(facts(o)) is None


@pytest.mark.parametrize(
    ("o", "cause"),
    [
        (seen(rotations={"revoke_issued_before": NOW}), "revokeIssuedBefore"),
        (seen(application=application(next_credential())), "does not list"),
        (seen(memory=Memory(refused=REFUSED)), "Entra refuses"),
        (seen(memory=Memory(published_proof=proof(ATTEMPT, NOT_YET))), "Entra refuses"),
        (seen(status=ready("False", Reason.SIGN_IN_REJECTED)), "Entra refuses"),
        (seen(status=ready("False", Reason.APPLICATION_DISABLED)), "Entra refuses"),
        (seen(status=ready("False", Reason.CREDENTIAL_MISSING)), "does not list"),
    ],
)
def test_an_emergency_waits_for_nothing(o: Observation, cause: str) -> None:
    assert awaited_opening(facts(o)) is None
    assert not is_only_waiting(facts(o))
    assert cause in str(override(facts(o)))


def test_what_another_cluster_issued_may_go_at_any_time() -> None:
    o = replace(seen(), identity=OTHER_IDENTITY)
    assert "another cluster" in str(override(facts(o)))
    assert awaited_opening(facts(o)) is None


@pytest.mark.parametrize(("spare", "waits"), [(0 * SECOND, True), (-SECOND, False)])
def test_workloads_keep_their_overlap(spare: Any, waits: bool) -> None:
    life = 90 * DAY
    held = minted(not_before=OPENS.closes + 15 * DAY + spare - life)
    listed = application(credential(start=held.not_before, end=held.expires), next_credential())
    o = seen(target=target(held), application=listed)
    assert (awaited_opening(facts(o)) == OPENS) is waits
    assert ("less than its overlap" in str(override(facts(o)))) is not waits


def test_a_lifetime_that_is_shortened_is_no_emergency() -> None:
    """What was issued for longer is valid until its own end."""
    shorter = spec(lifetime=5 * DAY, rotation=rotation(windows=[WINDOW]))
    o = seen()
    o = replace(o, resource=replace(o.resource, spec=shorter))
    assert awaited_opening(facts(o)) == OPENS
    assert override(facts(o)) is None


def test_nobody_waits_where_nothing_works_anyway() -> None:
    begun = NOW - 91 * DAY
    listed = application(credential(start=begun), next_credential())
    expired = seen(target=target(minted(not_before=begun)), application=listed)
    for o in (seen(target=None), seen(target=target(damaged=True)), expired):
        assert awaited_opening(facts(o)) is None
        assert override(facts(o)) is None


def test_without_a_successor_nothing_waits() -> None:
    assert awaited_opening(facts(seen(pending=None))) is None
    assert not is_only_waiting(facts(seen(pending=None)))


def test_within_a_window_nothing_waits_and_nothing_is_overridden() -> None:
    o = seen(now=NOW + 12 * HOUR, rotations={"revoke_issued_before": NOW})
    assert awaited_opening(facts(o)) is None
    assert override(facts(o)) is None


def test_entras_clock_counts() -> None:
    """The end of what is published is by that clock, too."""
    o = seen(now=NOW + 12 * HOUR - MINUTE)
    assert awaited_opening(facts(o)) == OPENS
    assert awaited_opening(facts(replace(o, directory_skew=MINUTE))) is None
    assert next_look(facts(replace(o, directory_skew=30 * SECOND))) == o.now + 30 * SECOND


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (seen(), True),
        (seen(memory=Memory()), False),
        (seen(memory=Memory(pending_proof=proven(times=4))), False),
        (seen(memory=Memory(pending_proof=proven(ATTEMPT))), False),
        (seen(memory=Memory(pending_proof=proven(last=NOW - DAY))), True),
        (seen(memory=Memory(pending_proof=proof(NEXT_ATTEMPT, *[PROVEN] * 9, NOT_YET))), False),
        (seen(mode=VerificationMode.DISABLED, memory=Memory()), True),
    ],
)
def test_whether_it_only_waits(o: Observation, expected: bool) -> None:
    assert is_only_waiting(facts(o)) is expected


def test_the_next_opening_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, real = [], next_opening

    def counted(windows: Any, now: Any) -> Opening | None:
        asked.append(now)
        return real(windows, now)

    for module in (assessment, window_facts):
        monkeypatch.setattr(module, "next_opening", counted, raising=False)
    decide(seen())
    assert len(asked) == 1
