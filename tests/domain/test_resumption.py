"""What a new process believes of an AppCredential by its status, and what it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.lifecycle import decide
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.observed.observation import Resource
from appcredential.domain.resumption import LastKnown, last_known
from appcredential.domain.spec.model import CredentialType, KeyId, Mode
from appcredential.domain.times import format_time, parse_time
from tests.support.builders import (
    DAY,
    MINUTE,
    NOW,
    OBJECT_ID,
    application,
    credential,
    observation,
    resource,
    rotation,
    spec,
)
from tests.support.federated import federated_spec, listed

SINCE: Final = 7.0


def settled() -> Resource:
    """Return a resource with the status that is written when nothing is due."""
    seen = observation()
    return replace(seen.resource, status=decide(seen).status)


def with_status(found: Resource, **changed: Any) -> Resource:
    """Return it with parts of status changed; None takes one away."""
    status = {**found.status, **changed}
    return replace(found, status={k: v for k, v in status.items() if v is not None})


def condition(found: Resource, kind: str, **changed: str) -> Resource:
    """Return it with one condition changed, or added."""
    held = {c["type"]: c for c in found.status["conditions"]}
    held[kind] = {**held.get(kind, {"type": kind, "status": "True"}), **changed}
    return with_status(found, conditions=list(held.values()))


def inner(found: Resource, part: str, **changed: Any) -> Resource:
    """Return it with one part of status changed."""
    return with_status(found, **{part: {**found.status[part], **changed}})


def known(found: Resource) -> LastKnown | None:
    return last_known(found, NOW, SINCE)


def test_what_is_settled_goes_on_until_its_renewal() -> None:
    found = settled()
    assert known(found) == LastKnown(
        object_id=found.status["application"]["objectId"],
        key_id=found.status["credential"]["keyId"],
        trusts=frozenset(),
        due=parse_time(found.status["renewalTime"]),
        since=SINCE,
    )


def test_what_retires_later_is_due_then() -> None:
    due = NOW + 2 * MINUTE
    found = with_status(settled(), retiring=[{"keyId": "old", "retireTime": format_time(due)}])
    assert getattr(known(found), "due", None) == due


@pytest.mark.parametrize(
    ("waiting_for", "reason"),
    [
        ("Deployment/orders: 2 pods", "Published"),
        ("a list of the pods", "Published"),
        ("its own end: pods cannot be read", "PodsUnreadable"),
    ],
)
def test_what_pods_hold_rests_until_the_first_look(waiting_for: str, reason: str) -> None:
    due = NOW + 2 * MINUTE
    entry = {"keyId": "old", "retireTime": format_time(due), "waitingFor": waiting_for}
    found = condition(with_status(settled(), retiring=[entry]), "Ready", reason=reason)
    assert getattr(known(found), "due", None) == due


def test_who_lost_an_application_goes_on_until_the_renewal_all_the_same() -> None:
    assert known(condition(settled(), "Ready", reason="NotOwner")) == known(settled())


def test_without_a_renewal_it_is_due_at_its_end() -> None:
    found = with_status(settled(), renewalTime=None)
    assert getattr(known(found), "due", None) == parse_time(
        found.status["credential"]["expirationTime"]
    )


def test_a_trust_is_known_by_its_id_and_never_due() -> None:
    found = trusted()
    assert known(found) == LastKnown(
        object_id="object", key_id="", trusts=frozenset({"one"}), due=None, since=SINCE
    )


def trusted() -> Resource:
    """Return a settled FederatedIdentity."""
    asked = federated_spec()
    status = {
        "observedGeneration": 1,
        "conditions": [
            {"type": "Ready", "status": "True", "reason": "Trusted"},
            {"type": "Verified", "status": "Unknown", "reason": "NotVerifiable"},
            {"type": "Expiring", "status": "False", "reason": "NotDue"},
        ],
        "application": {"objectId": "object", "clientId": asked.client_id},
        "federatedIdentities": [{"id": "one"}],
    }
    return resource(asked, status=status)


@pytest.mark.parametrize(
    "found",
    [
        replace(settled(), deletion_time=NOW),
        replace(settled(), has_finalizer=False),
        replace(settled(), generation=2),
        replace(settled(), register_again="key"),
        replace(settled(), spec=Problem(reason=Reason.INVALID_SPEC, message="wrong")),
        replace(settled(), spec=spec(suspend=True)),
        replace(settled(), spec=replace(spec(), mode=Mode.OBSERVE)),
        replace(settled(), spec=replace(spec(), type=CredentialType.CERTIFICATE)),
        replace(settled(), spec=spec(rotation=rotation(rotate_issued_before=NOW))),
        replace(settled(), spec=spec(rotation=rotation(revoke_issued_before=NOW + DAY))),
        replace(settled(), status={}),
        condition(settled(), "Ready", status="False"),
        condition(settled(), "Ready", reason="RotationFailing"),
        condition(settled(), "Ready", reason="CredentialMissing"),
        condition(settled(), "Verified", status="False"),
        condition(settled(), "Expiring", status="True"),
        condition(settled(), "Stalled", reason="GrantWithdrawn"),
        condition(settled(), "Reconciling", reason="Progressing"),
        with_status(settled(), pending={"keyId": "next"}),
        with_status(settled(), removedCertificate={"keyId": "gone"}),
        with_status(settled(), credential=None),
        with_status(settled(), credential="edited"),
        with_status(settled(), application=None),
        with_status(settled(), renewalTime=format_time(NOW)),
        with_status(settled(), renewalTime="soon"),
        with_status(settled(), retiring=[{"keyId": "old"}]),
        with_status(settled(), retiring=[{"keyId": "old", "retireTime": format_time(NOW)}]),
        with_status(
            settled(),
            retiring=[
                {
                    "keyId": "old",
                    "retireTime": format_time(NOW + DAY),
                    "waitingFor": "confirmation that it is gone",
                }
            ],
        ),
        with_status(
            settled(),
            retiring=[{"keyId": "old", "waitingFor": "revokeIssuedBefore to remove it"}],
        ),
        inner(settled(), "credential", keyId=""),
        inner(settled(), "credential", startTime="yesterday"),
        inner(settled(), "credential", expirationTime=format_time(NOW - MINUTE)),
        inner(settled(), "credential", type="Certificate"),
        inner(settled(), "application", clientId="another"),
        inner(settled(), "application", objectId=""),
        with_status(trusted(), federatedIdentities=None),
        with_status(trusted(), federatedIdentities=[{"id": ""}]),
    ],
)
def test_what_is_not_plainly_settled_is_passed_at_once(found: Resource) -> None:
    assert known(found) is None


def test_a_rotation_that_was_asked_for_and_had_does_not_count() -> None:
    start = parse_time(settled().status["credential"]["startTime"])
    met = replace(settled(), spec=spec(rotation=rotation(rotate_issued_before=start)))
    assert known(met) is not None


def edited(change: Callable[[LastKnown], LastKnown]) -> LastKnown:
    found = known(settled())
    assert found is not None
    return change(found)


def test_a_list_bears_status_out_only_with_the_published_credential() -> None:
    seen = observation().application
    assert seen is not None
    assert edited(lambda k: k).agrees_with(seen)
    assert not edited(lambda k: k).agrees_with(replace(seen, credentials=()))
    assert not edited(lambda k: k).agrees_with(application(credential(KeyId("other"))))
    assert not edited(lambda k: replace(k, object_id="x")).agrees_with(seen)
    assert edited(lambda k: replace(k, key_id="")).agrees_with(replace(seen, credentials=()))


def test_a_batch_bears_status_out_only_with_every_trust() -> None:
    found = known(trusted())
    assert found is not None
    shown = FederatedList(object_id=OBJECT_ID, credentials=(listed("one"),), read_time=NOW)
    assert found.agrees_with_trusts(shown)
    assert not found.agrees_with_trusts(replace(shown, credentials=(listed("another"),)))
