"""What status says behind a closed gate of what an earlier resource of the name published."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.observation import Observation
from appcredential.domain.spec.model import ObjectId
from tests.support.builders import (
    HOUR,
    ISSUED,
    KEY,
    NOW,
    OBJECT_ID,
    SECOND,
    application,
    credential,
    observation,
    problem,
    resource,
    target,
    tenant,
)

UNREADABLE = tenant(problem=problem(Reason.DIRECTORY_UNAVAILABLE, stalled=False))
OLDER = observation(
    resource=replace(resource(status={}), creation_time=ISSUED + SECOND),
    application=None,
    tenant=UNREADABLE,
)
"""A resource whose target Secret was published before it was created."""
ANOTHER = replace(application(), object_id=ObjectId("another-object"))


def named(o: Observation, object_id: str) -> Observation:
    """Return it with a status that names an application."""
    status = {"application": {"objectId": object_id}}
    return replace(o, resource=replace(o.resource, status=status))


def ready(o: Observation) -> dict[str, Any]:
    """Return Ready."""
    found: list[dict[str, Any]] = decide(o).status["conditions"]
    return next(c for c in found if c["type"] == "Ready")


@pytest.mark.parametrize(
    "o",
    [OLDER, named(OLDER, "another-object"), replace(OLDER, application=ANOTHER)],
    ids=["nothing is known", "status names another", "Entra has another"],
)
def test_the_resource_is_not_ready_with_it(o: Observation) -> None:
    found = ready(o)
    assert (found["status"], found["reason"]) == ("False", "DirectoryUnavailable")
    assert "an earlier AppCredential of this name" in found["message"]
    assert decide(o).status["credential"]["keyId"] == KEY  # workloads do read it


@pytest.mark.parametrize(
    "o",
    [
        named(OLDER, OBJECT_ID),
        replace(OLDER, application=application(credential())),
        replace(OLDER, resource=replace(OLDER.resource, creation_time=ISSUED)),
    ],
    ids=["status names it", "Entra lists it", "published in this life"],
)
def test_it_is_ready_with_what_is_known_to_be_its_own(o: Observation) -> None:
    assert ready(o)["status"] == "True"


def test_a_tenant_that_is_gone_does_not_make_it_known() -> None:
    gone = replace(OLDER, tenant=problem(Reason.TENANT_NOT_FOUND), application=ANOTHER)
    assert "an earlier AppCredential of this name" in ready(gone)["message"]


@pytest.mark.parametrize("found", [None, replace(target(), published=None)])
def test_without_a_published_credential_the_problem_is_all_that_is_told(found: Any) -> None:
    assert "earlier" not in ready(replace(OLDER, target=found))["message"]


def test_it_is_told_once() -> None:
    status = decide(OLDER).status
    again = replace(OLDER, now=NOW + HOUR, resource=replace(OLDER.resource, status=status))
    assert decide(again).status == status
