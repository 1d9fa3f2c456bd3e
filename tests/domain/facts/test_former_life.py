"""Our own Secret that a resource of our name, for another application, left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.deletion import scheduled_revocation
from appcredential.domain.facts.handover import former_owners
from appcredential.domain.facts.takeover import Claim, claim
from appcredential.domain.observed.observation import Observation
from appcredential.domain.secret.annotations import Name
from appcredential.domain.spec.model import ObjectId, TenantId
from tests.support.builders import (
    ISSUED,
    MINUTE,
    NOW,
    OBJECT_ID,
    SECOND,
    application,
    credential,
    facts,
    observation,
    resource,
    target,
)

ANOTHER: Final = ObjectId("another-object")
LEFT: Final = replace(target(), object_id=ANOTHER)
LATER: Final = replace(resource(), creation_time=NOW - MINUTE)


def seen(**changes: Any) -> Observation:
    found: dict[str, Any] = {"target": LEFT, "resource": LATER, "application": application()}
    return observation(**(found | changes))


FROM_ELSEWHERE: Final = replace(LEFT, annotations={**LEFT.annotations, Name.CLUSTER: "elsewhere"})
NAMED: Final = replace(LATER, status={"application": {"objectId": ANOTHER}})
MEANWHILE: Final = replace(LATER, creation_time=ISSUED + MINUTE)


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (seen(), Claim.TAKES),
        (seen(target=replace(target(), tenant_id=TenantId("another"))), Claim.TAKES),
        (seen(target=replace(LEFT, published_time=None)), Claim.TAKES),
        (seen(resource=MEANWHILE, cluster_skew=2 * MINUTE), Claim.OURS),
        (seen(target=target()), Claim.OURS),
        (seen(target=replace(LEFT, published=None)), Claim.OURS),
        (seen(target=FROM_ELSEWHERE), Claim.OURS),
        (seen(resource=NAMED), Claim.OURS),
        (seen(resource=resource()), Claim.OURS),
        (seen(application=application(credential())), Claim.OURS),
        (seen(application=None), Claim.OURS),
        (seen(tenant=Problem(reason=Reason.TENANT_NOT_READY, message="x")), Claim.OURS),
    ],
    ids=[
        "of another application",
        "of another directory",
        "without the time of its publish, it is that of its creation",
        "published later by the API server's clock",
        "of this application",
        "without a record",
        "of another cluster",
        "status names its application: it was replaced in Entra",
        "published in this life",
        "Entra lists it here: the record was edited",
        "nobody looked yet",
        "the tenant cannot be used",
    ],
)
def test_it_is_replaced_only_if_a_former_life_left_it(o: Observation, expected: Claim) -> None:
    assert claim(o) is expected


def test_nobody_is_its_former_owner() -> None:
    assert former_owners(facts(seen())) == ()


def test_a_second_deletion_revokes_nothing_of_the_first_life() -> None:
    named = replace(LATER, status={"application": {"objectId": OBJECT_ID}})
    wanted = scheduled_revocation(seen(resource=named))
    assert (wanted.object_id, wanted.secret_uid) == (OBJECT_ID, "")


@pytest.mark.parametrize("skew", [None, timedelta(0), SECOND])
def test_the_clocks_may_be_unknown(skew: timedelta | None) -> None:
    assert claim(seen(cluster_skew=skew)) is Claim.TAKES
