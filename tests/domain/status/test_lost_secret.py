"""What status says of a target Secret that was deleted or changed, until it is written anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.observation import Observation
from appcredential.domain.status.projection import project
from tests.support.builders import facts, observation, problem, resource, spec, target

PUBLISHED: dict[str, Any] = {"secretRef": {"name": "orders-entra"}}
SAID_TIME = "2026-11-22T09:00:00Z"
MISSING = {"type": "Ready", "status": "False", "reason": "SecretMissing"}
SAID = {"conditions": [{**MISSING, "lastTransitionTime": SAID_TIME}]}
WIPED = replace(target(), published=None, value=None, annotations={"x": "y"})


def seen(status: dict[str, Any], **found: Any) -> Observation:
    return observation(resource=resource(spec(), status=status), **found)


def ready(o: Observation, *, is_gated: bool = False) -> dict[str, Any]:
    gate = problem(Reason.TENANT_NOT_READY) if is_gated else None
    found = project(o, None if is_gated else facts(o), gate)["conditions"]
    return next(c for c in found if c["type"] == "Ready")


@pytest.mark.parametrize("status", [PUBLISHED, SAID])
@pytest.mark.parametrize("is_gated", [True, False])
def test_a_secret_that_was_published_and_is_absent_is_missing(
    status: dict[str, Any], is_gated: bool
) -> None:
    found = ready(seen(status, target=None), is_gated=is_gated)
    assert (found["status"], found["reason"]) == ("False", "SecretMissing")
    assert "The Secret orders-entra does not exist any more." in found["message"]


@pytest.mark.parametrize("found", [target(damaged=True), WIPED])
def test_a_secret_without_the_published_value_was_edited(found: Any) -> None:
    said = ready(seen(PUBLISHED, target=found))
    assert (said["status"], said["reason"]) == ("False", "SecretEdited")
    assert "orders-entra" in said["message"]


def test_a_secret_that_may_not_be_read_is_not_said_to_be_gone() -> None:
    unread = replace(seen(PUBLISHED, target=None), is_target_read=False)
    said = project(unread, None, problem(Reason.SECRET_FORBIDDEN))["conditions"]
    assert next(c["reason"] for c in said if c["type"] == "Ready") == "SecretForbidden"


def test_nobody_changed_a_secret_that_a_wrong_clock_does_not_believe() -> None:
    """The operator's clock is behind, and Graph was not reached yet to tell."""
    early = observation(
        resource=resource(spec(), status=PUBLISHED), target=target(), application=None
    )
    published = target().published
    assert published is not None
    early = replace(early, now=published.not_before - timedelta(minutes=10), directory_skew=None)
    found = decide(replace(early, tenant=problem(Reason.TENANT_NOT_READY)))
    said = next(c for c in found.status["conditions"] if c["type"] == "Ready")
    assert said["reason"] != "SecretEdited"


def test_it_is_said_until_the_secret_is_written_anew() -> None:
    missing = seen(PUBLISHED, target=None)
    status = project(missing, facts(missing), None)
    assert "secretRef" not in status
    again = seen(status, target=None)
    assert ready(again)["reason"] == "SecretMissing"
    assert ready(seen(status, target=target()))["reason"] == "Published"


@pytest.mark.parametrize("found", [None, WIPED])
def test_one_that_was_never_published_is_not_missing(found: Any) -> None:
    assert ready(seen({}, target=found))["reason"] == "Progressing"


def test_an_unreadable_spec_says_nothing_of_a_secret() -> None:
    o = seen(PUBLISHED, target=None)
    unread = replace(o, resource=replace(o.resource, spec=problem(Reason.INVALID_SPEC)))
    found = project(unread, None, problem(Reason.INVALID_SPEC))["conditions"]
    assert next(c for c in found if c["type"] == "Ready")["reason"] == "InvalidSpec"


def test_what_is_anothers_now_is_not_missing() -> None:
    others = replace(target(), owner="shop/another")
    found = ready(seen(PUBLISHED, target=others), is_gated=True)
    assert found["reason"] == "TenantNotReady"
