"""What is said of a leak that another cluster issued, and that only people may end."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from appcredential.domain.conditions import Reason
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.observation import Observation
from appcredential.domain.spec.model import CredentialType, KeyId
from appcredential.domain.status.adopted import adopted_note, unrevoked_problem
from tests.domain.facts.test_adoption import LISTED, RESTORED, THEIRS, seen
from tests.support.builders import (
    HOUR,
    IDENTITY,
    KEY,
    NOW,
    OTHER_IDENTITY,
    OTHER_OWNER,
    credential,
    facts,
    observation,
    resource,
    rotation,
    spec,
    target,
)

LEAKED: Final = KeyId("key-leaked")
OLDER: Final = replace(LISTED, key_id=LEAKED)
REVOKING: Final = resource(spec(rotation=rotation(revoke_issued_before=NOW - HOUR)))


def told(*listed: Credential, **changes: object) -> str:
    """Return what is said once a credential of this cluster is published."""
    o = seen(credential(), *listed, **{"target": target(), "resource": REVOKING} | changes)
    problem = unrevoked_problem(facts(o))
    assert problem is None or (problem.reason is Reason.REVOCATION_BLOCKED and problem.stalled)
    return problem.message if problem is not None else ""


def test_it_is_named() -> None:
    assert f"issued itself: {LEAKED}. Remove it" in told(OLDER)


@pytest.mark.parametrize(
    "listed",
    [
        replace(OLDER, start=NOW - HOUR / 2),
        replace(OLDER, end=NOW),
        replace(OLDER, type=CredentialType.CERTIFICATE),
        credential(LEAKED, attempt=THEIRS, identity=OTHER_IDENTITY, owner=OTHER_OWNER),
        replace(OLDER, display_name="made in the portal"),
    ],
    ids=["issued later", "expired", "another type", "another resource's", "without a marker"],
)
def test_what_is_no_leak_or_not_of_such_a_cluster_is_not(listed: Credential) -> None:
    assert told(listed) == ""


def test_nothing_is_said_where_nobody_asks_or_no_cluster_is_named() -> None:
    assert told(OLDER, resource=resource()) == ""
    assert told(OLDER, identity=IDENTITY) == ""


def test_what_is_published_is_revoked_by_its_successor() -> None:
    found = seen(LISTED, OLDER, resource=REVOKING)
    problem = unrevoked_problem(facts(found))
    assert problem is not None
    assert KEY not in problem.message


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (seen(), True),
        (seen(identity=IDENTITY), False),
        (observation(), False),
        (seen(target=None), False),
        (seen(target=replace(RESTORED, published=None)), False),
    ],
    ids=["adopted", "no cluster is named", "this cluster's own", "deleted", "damaged"],
)
def test_ready_tells_who_issued_what_is_published(o: Observation, expected: bool) -> None:
    assert bool(adopted_note(o, facts(o))) is expected
    assert bool(adopted_note(o, None)) is expected, "behind a closed gate"


def test_what_is_about_to_be_replaced_is_not_said_to_stay() -> None:
    o = seen(replace(LISTED, display_name="made in the portal"))
    assert adopted_note(o, facts(o)) == ""
