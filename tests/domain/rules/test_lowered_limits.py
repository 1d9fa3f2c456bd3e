"""Limits that an administrator lowers stop what is new, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appcredential.domain.actions import Mint, ReadApplication, Remove, SignInPublished
from appcredential.domain.conditions import Reason
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.memory import Memory
from appcredential.domain.spec.model import CredentialType, Limits
from tests.domain.worlds.test_scenarios import FIRST, issued
from tests.support.builders import (
    ATTEMPT,
    CLIENT_ID,
    HOUR,
    ISSUED,
    MINUTE,
    NOT_YET,
    NOW,
    OBJECT_ID,
    OLD,
    application,
    credential,
    observation,
    old_credential,
    problem,
    proof,
    proven,
    resource,
    retiring,
    rotation,
    spec,
    target,
    tenant,
)

TYPE = tenant(limits=Limits(types=frozenset({CredentialType.CERTIFICATE})))
LIFETIME = tenant(limits=Limits(max_lifetime=30 * MINUTE))
LOWERED = pytest.mark.parametrize(
    ("lowered", "reason"), [(TYPE, "TypeNotAllowed"), (LIFETIME, "LifetimeTooShort")]
)
SERVED = {"application": {"objectId": OBJECT_ID, "clientId": CLIENT_ID, "displayName": "Orders"}}


def words(status: dict[str, object]) -> dict[str, tuple[str, str]]:
    conditions = status["conditions"]
    assert isinstance(conditions, list)
    return {c["type"]: (c["status"], c["reason"]) for c in conditions}


@LOWERED
def test_the_published_credential_is_still_looked_at(lowered: Tenant, reason: str) -> None:
    gone = observation(resource=resource(status=SERVED), tenant=lowered, application=application())
    assert decide(gone).action == SignInPublished()
    refused = proof(ATTEMPT, *([NOT_YET] * 5), every=30)
    found = decide(replace(gone, memory=Memory(published_proof=refused)))
    assert words(found.status)["Ready"] == ("False", "SignInRejected")
    assert words(found.status)["Stalled"] == ("True", reason)


@LOWERED
def test_what_leaked_is_removed_all_the_same(lowered: Tenant, reason: str) -> None:
    asked = spec(rotation=rotation(revoke_issued_before=ISSUED))
    seen = observation(
        resource=resource(asked, status=SERVED),
        tenant=lowered,
        target=target(spec=asked, retiring=(retiring(since=NOW),)),
        application=application(credential(), old_credential()),
        memory=Memory(published_proof=proven(ATTEMPT, times=1)),
    )
    action = decide(seen).action
    assert isinstance(action, Remove)
    assert action.key_id == OLD
    assert reason


@LOWERED
def test_nothing_new_is_issued_and_status_says_why(lowered: Tenant, reason: str) -> None:
    world = issued()
    world.tenant = lowered
    world.run(5 * HOUR)
    assert world.count(Mint) == 1
    assert world.published == FIRST
    assert world.condition("Stalled") == ("True", reason)


@LOWERED
def test_who_was_never_served_causes_no_call(lowered: Tenant, reason: str) -> None:
    found = decide(observation(tenant=lowered, target=None, application=None))
    assert not isinstance(found.action, ReadApplication)
    assert words(found.status)["Stalled"] == ("True", reason)


def test_the_operators_own_identity_stays_refused() -> None:
    refused = problem(Reason.OPERATOR_IDENTITY)
    seen = observation(resource=resource(status=SERVED), tenant=TYPE, grant=refused)
    assert decide(seen).facts is None
