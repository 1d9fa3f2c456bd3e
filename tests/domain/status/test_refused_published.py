"""What is said of a published credential that Entra lists, and does not let sign in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.judgement import Judgement
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.proof import SignInResult, classify
from appcredential.domain.spec.model import VerificationMode
from appcredential.domain.status.projection import needs_write, project
from appcredential.domain.status.refused_published import LISTED, NOT_LISTED, refusal_of
from tests.support.builders import (
    ATTEMPT,
    KEY,
    MINUTE,
    NEXT,
    NEXT_ATTEMPT,
    NOT_YET,
    NOW,
    application,
    credential,
    facts,
    observation,
    pending,
    problem,
    proven,
    resource,
    spec,
    target,
)

DISABLED = classify(400, (7000112,))
BLOCKED = classify(400, (53003,))
MISMATCH = classify(400, (700213,))


def judged(result: SignInResult, count: int = 3, attempt: str = str(ATTEMPT)) -> Memory:
    return Memory(refused=Judgement(attempt, result, count, NOW - MINUTE, NOW))


def seen(**changes: Any) -> Observation:
    return observation(**{"application": application(credential()), **changes})


def conditions(o: Observation) -> dict[str, tuple[str, str]]:
    status = project(o, facts(o), None)
    return {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}


def test_a_disabled_application_is_for_a_person_and_for_everybody() -> None:
    o = seen(memory=judged(DISABLED))
    found = conditions(o)
    assert found["Ready"] == found["Verified"] == ("False", "ApplicationDisabled")
    assert found["Stalled"] == ("True", "ApplicationDisabled")
    ready = next(c for c in project(o, facts(o), None)["conditions"] if c["type"] == "Ready")
    assert ready["message"].count("AADSTS7000112") == 1


def test_what_entra_lists_and_refuses_is_not_ready_and_may_pass() -> None:
    found = conditions(seen(memory=judged(NOT_YET)))
    assert found["Ready"] == found["Verified"] == ("False", "SignInRejected")
    assert found["Reconciling"] == ("True", "SignInRejected")
    assert "Stalled" not in found


@pytest.mark.parametrize(("rate", "expected"), [(2, "False"), (0, "True")])
@pytest.mark.parametrize("is_told", [False, True], ids=["seen", "told"])
def test_nothing_is_said_that_no_sign_in_could_end(
    rate: int, expected: str, *, is_told: bool
) -> None:
    o = seen(memory=judged(DISABLED))
    if is_told:
        status = {"credential": {"keyId": KEY}, **project(o, facts(o), None)}
        o = replace(o, memory=Memory(), resource=resource(status=status))
    o = replace(o, settings=LifecycleSettings(published_sign_in_rate=rate))
    assert conditions(o)["Ready"][0] == expected


def test_conditional_access_may_be_about_the_operator_alone() -> None:
    found = conditions(seen(memory=judged(BLOCKED)))
    assert found["Verified"] == ("Unknown", "BlockedByConditionalAccess")
    assert found["Ready"] == ("True", "Published")


@pytest.mark.parametrize(
    "memory",
    [Memory(), judged(DISABLED, 2), judged(DISABLED, attempt=str(NEXT_ATTEMPT))],
    ids=["nothing", "twice", "another"],
)
def test_nothing_is_said_before_it_is_confirmed(memory: Memory) -> None:
    assert conditions(seen(memory=memory))["Ready"] == ("True", "Published")


def told(reason: str = "ApplicationDisabled", **changes: Any) -> dict[str, Any]:
    verified = {"type": "Verified", "status": "False", "reason": reason, "message": "As it was."}
    said = {**verified, "lastTransitionTime": "2026-11-22T09:00:00Z", **changes}
    return {"credential": {"keyId": KEY}, "conditions": [said]}


def test_after_a_restart_what_was_said_stands() -> None:
    o = seen(resource=resource(status=told()))
    assert conditions(o)["Ready"] == ("False", "ApplicationDisabled")
    verified = next(c for c in project(o, facts(o), None)["conditions"] if c["type"] == "Verified")
    assert verified["message"] == "As it was."
    blocked = told("BlockedByConditionalAccess", status="Unknown")
    found = conditions(seen(resource=resource(status=blocked)))
    assert found["Verified"] == ("Unknown", "BlockedByConditionalAccess")
    assert found["Ready"] == ("True", "Published")


def test_behind_a_gate_what_was_said_stands_too() -> None:
    o = seen(resource=resource(status=told("SignInRejected", message=LISTED)))
    o = replace(o, tenant=problem())
    found = project(o, None, problem(stalled=False))["conditions"]
    ready = next(c for c in found if c["type"] == "Ready")
    assert ready["status"] == "False"
    assert ready["message"].startswith(LISTED)


@pytest.mark.parametrize(
    "o",
    [
        seen(resource=resource(status=told()), memory=Memory(published_proof=proven(ATTEMPT))),
        seen(resource=resource(status={**told(), "credential": {"keyId": NEXT}})),
        seen(resource=resource(status={**told(), "pending": {"keyId": NEXT}})),
        seen(resource=resource(status=told()), pending=pending()),
        seen(resource=resource(status=told("NotVerifiable"))),
        seen(resource=resource(status=told(status="True"))),
        seen(resource=resource(status=told("SignInRejected", message=NOT_LISTED))),
        seen(resource=resource(status={"credential": {"keyId": KEY}})),
        seen(resource=resource(spec(verification=VerificationMode.DISABLED), status=told())),
        seen(
            resource=resource(spec(verification=VerificationMode.DISABLED)),
            memory=judged(DISABLED),
        ),
        seen(resource=resource(problem())),
    ],
    ids=[
        "it signed in",
        "another key",
        "of a successor, as status says",
        "of a successor",
        "no refusal",
        "proven",
        "it was gone",
        "nothing said",
        "verification is off now",
        "verification is off",
        "no spec",
    ],
)
def test_what_contradicts_it_counts(o: Observation) -> None:
    published = target().published
    assert published is not None
    assert refusal_of(o, published) is None


def test_another_credential_of_the_proof_contradicts_nothing() -> None:
    memory = Memory(published_proof=proven(NEXT_ATTEMPT))
    o = seen(resource=resource(status=told()), memory=memory)
    assert conditions(o)["Ready"] == ("False", "ApplicationDisabled")


def test_the_time_of_the_last_sign_in_alone_is_not_worth_a_write() -> None:
    o = seen(memory=Memory(published_proof=proven(ATTEMPT, last=NOW + timedelta(hours=3))))
    before, after = project(seen(), facts(seen()), None), project(o, facts(o), None)
    assert after["credential"]["verifiedTime"] > before["credential"].get("verifiedTime", "")
    assert after["credential"]["verifiedTime"].endswith(":00:00Z")
    assert not needs_write(before, after)
    assert needs_write({**before, "credential": {"keyId": "other"}}, after)


def test_the_time_of_the_last_sign_in_never_goes_back() -> None:
    later = "2027-01-01T00:00:00Z"
    o = seen(resource=resource(status={"credential": {"keyId": KEY, "verifiedTime": later}}))
    assert project(o, facts(o), None)["credential"]["verifiedTime"] == later
    of_another = {"credential": {"keyId": NEXT, "verifiedTime": later}}
    o = seen(resource=resource(status=of_another))
    assert project(o, facts(o), None)["credential"].get("verifiedTime") != later
