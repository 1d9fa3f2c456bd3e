"""A credential that works stays Ready although the operator could not renew it, and says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.operation import Operation
from appcredential.domain.observed.ownership import NOT_LOOKED, Ownership
from appcredential.domain.status.not_owner import newly_unowned
from appcredential.domain.status.projection import project
from tests.domain.worlds.federated_world import FederatedWorld
from tests.support.builders import (
    CLIENT_ID,
    DAY,
    MINUTE,
    NOW,
    minted,
    observation,
    problem,
    resource,
    spec,
    target,
)

PRINCIPAL = "aaaaaaaa-0000-4000-8000-000000000009"
LOST = Ownership(is_enough=False, principal=PRINCIPAL)
OWNED = Ownership(is_enough=True, principal=PRINCIPAL)
COMMAND = f"az ad app owner add --id {CLIENT_ID} --owner-object-id {PRINCIPAL}"
REFUSED = Memory().failed(Operation.MINT, problem(Reason.PERMISSION_DENIED), NOW + MINUTE)
DUE = target(minted(not_before=NOW - 85 * DAY))


def seen(ownership: Ownership, status: Mapping[str, Any] | None = None, **o: Any) -> Observation:
    told = resource(status=dict(status or {}))
    return replace(observation(**{"resource": told, **o}), ownership=ownership)


def ready(o: Observation) -> dict[str, Any]:
    found = decide(o).status["conditions"]
    assert not [c for c in found if c["type"] in {"Stalled", "Reconciling"}]
    return next(dict(c) for c in found if c["type"] == "Ready")


def test_it_is_ready_and_tells_the_command() -> None:
    found = ready(seen(LOST))
    assert (found["status"], found["reason"]) == ("True", "NotOwner")
    assert found["message"].startswith("The Secret holds a valid credential.")
    assert found["message"].endswith(COMMAND)  # fit to be copied


@pytest.mark.parametrize("ownership", [OWNED, NOT_LOOKED])
def test_nothing_is_told_of_an_owner_nor_before_a_look(ownership: Ownership) -> None:
    assert ready(seen(ownership))["reason"] == "Published"


@pytest.mark.parametrize("is_trial", [True, False])
def test_what_was_told_stays_word_for_word_until_somebody_has_looked(*, is_trial: bool) -> None:
    settings = replace(observation().settings, trial=is_trial)
    told = decide(seen(LOST, settings=settings)).status
    again = decide(seen(NOT_LOOKED, told, settings=settings)).status
    assert again["conditions"] == told["conditions"]
    assert decide(seen(OWNED, told)).status["conditions"][0]["reason"] == "Published"


def test_a_message_that_somebody_edited_is_not_repeated() -> None:
    told = decide(seen(LOST)).status
    edited = {**told, "conditions": [{**told["conditions"][0], "message": "?"}]}
    assert ready(seen(NOT_LOOKED, edited))["reason"] == "Published"


def test_what_is_worse_is_told_instead() -> None:
    found = decide(seen(LOST, target=DUE, memory=REFUSED)).status["conditions"]
    assert (found[0]["status"], found[0]["reason"]) == ("True", "RotationFailing")
    expired = target(minted(not_before=NOW - 91 * DAY))
    found = decide(seen(LOST, target=expired, memory=REFUSED)).status["conditions"]
    assert (found[0]["status"], found[0]["reason"]) == ("False", "Expired")


def test_nothing_is_told_where_nothing_is_written() -> None:
    suspended = resource(replace(spec(), suspend=True))
    found = decide(seen(LOST, resource=suspended)).status["conditions"][0]
    assert (found["status"], found["reason"]) == ("True", "Suspended")


def test_it_stays_told_while_graph_cannot_be_reached() -> None:
    told = decide(seen(LOST)).status
    away = problem(Reason.TENANT_NOT_READY, stalled=False)
    found = project(seen(NOT_LOOKED, told, tenant=away), None, away)["conditions"][0]
    assert (found["status"], found["reason"]) == ("True", "NotOwner")


def test_an_event_tells_when_it_begins_and_not_again() -> None:
    well, told = decide(seen(OWNED)).status, decide(seen(LOST)).status
    assert COMMAND in newly_unowned(well, told)
    assert COMMAND in newly_unowned({}, told)
    assert not newly_unowned(told, told)
    assert not newly_unowned(told, well)


def test_a_trust_tells_it_likewise() -> None:
    world = FederatedWorld()
    world.run(5 * MINUTE)
    o = replace(world.observe(), ownership=LOST)
    told = decide(o).status
    found = told["conditions"][0]
    assert (found["status"], found["reason"]) == ("True", "NotOwner")
    assert found["message"].startswith("Entra trusts the tokens that the spec names.")
    assert COMMAND in found["message"]
    assert [c["type"] for c in told["conditions"]] == ["Ready", "Verified", "Expiring"]
    later = replace(o, ownership=NOT_LOOKED, resource=replace(o.resource, status=told))
    assert decide(later).status["conditions"][0] == found
    owned = replace(o, ownership=OWNED)
    assert decide(owned).status["conditions"][0]["reason"] == "Trusted"
