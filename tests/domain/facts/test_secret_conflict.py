"""A Secret that is in the way is told with its owner, and with a remedy that loses no sign-in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appcredential.domain.actions import Hold
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import PendingState, Target, TargetOwner
from appcredential.domain.rules.gates_secret import secret_is_not_ours_to_write
from appcredential.domain.secret.records import pending_name
from appcredential.domain.spec.model import AppCredentialSpec, TenantId
from tests.support.builders import (
    NOW,
    OTHER_OWNER,
    OWNER,
    foreign_target,
    observation,
    pending,
    resource,
    spec,
    target,
)

ADOPT = f"kubectl annotate secret orders-entra -n shop appcredential.io/adopt={OWNER}"


def message(o: Observation) -> str:
    found = secret_is_not_ours_to_write(o)
    assert isinstance(found, Hold)
    assert found.problem.reason == "SecretConflict"
    return found.problem.message


def foreign(owner: str = "", **changes: Any) -> Target:
    """Return a Secret of the wanted name; ours once, as its labels still say."""
    return replace(target(), owner=owner, published=None, value=None, **changes)


def controlled(kind: str, name: str) -> dict[str, Any]:
    return {"ownerReferences": [{"kind": kind, "name": name}]}


@pytest.mark.parametrize(
    ("held", "whose"),
    [
        (foreign(), "belongs to no AppCredential."),
        (foreign(labels={"app.kubernetes.io/managed-by": "Helm"}), "belongs to what Helm manages."),
        (foreign(origin=controlled("ExternalSecret", "orders")), "to ExternalSecret orders."),
        (foreign(origin=controlled("External\nSecret", "orders")), "belongs to no AppCredential."),
        (foreign(origin=controlled("ExternalSecret", "Or ders")), "belongs to no AppCredential."),
        (foreign("bank/orders"), "belongs to no AppCredential here."),
        (foreign("shop/\x1b[31m"), "belongs to no AppCredential here."),
    ],
    ids=["nobody", "label", "reference", "no kind", "no name", "a copy", "no name of an owner"],
)
def test_whose_it_is_and_how_it_is_adopted_are_told(held: Target, whose: str) -> None:
    told = message(observation(target=held))
    assert "The Secret orders-entra exists and " in told
    assert whose in told
    assert ADOPT in told
    assert "spec.secret.name" in told


def test_an_owner_that_does_not_exist_is_named_with_the_annotation() -> None:
    gone = TargetOwner(owner=str(OTHER_OWNER), absent_since=NOW)
    other = replace(foreign_target(), tenant_id=TenantId("another"))
    told = message(observation(target=other, target_owner=gone))
    assert f"AppCredential {OTHER_OWNER}, which does not exist" in told
    assert ADOPT in told


def test_an_owner_that_exists_hands_it_over_itself() -> None:
    seen = TargetOwner(owner=str(OTHER_OWNER), uid="other-uid")
    told = message(observation(target=foreign_target(), target_owner=seen))
    assert f"belongs to AppCredential {OTHER_OWNER}." in told
    assert f"spec.secret.takeOverFrom: {OTHER_OWNER.name}" in told
    assert "adopt" not in told, "the annotation does not count while the owner exists"


@pytest.mark.parametrize("held", [foreign(immutable=True), foreign(type="kubernetes.io/tls")])
def test_what_nobody_can_write_is_not_offered_for_adoption(held: Target) -> None:
    told = message(observation(target=held))
    assert "adopt" not in told
    assert "delete it" in told


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (replace(target(), immutable=True), "is immutable"),
        (replace(target(), type="kubernetes.io/tls"), "is not of type Opaque"),
    ],
)
def test_our_own_is_created_again_with_what_it_holds(held: Target, why: str) -> None:
    told = message(observation(target=held))
    assert f"The Secret orders-entra {why}" in told
    assert "kubectl get secret orders-entra -n shop -o yaml | sed" in told
    assert "kubectl replace --force -f -" in told
    assert "elete it" not in told, "pods could not start until another credential is proven"
    assert ("delete all pods that use it" in told) == held.immutable, "kubelets read it again"


def test_who_has_the_pending_secrets_name_is_told_by_name() -> None:
    told = message(observation(pending=replace(pending(), is_foreign=True)))
    assert f"The Secret {pending_name(OWNER.hash)} is" in told


@pytest.mark.parametrize("state", [PendingState.INTENT, PendingState.ABANDONED])
def test_a_pending_secret_that_was_made_immutable_is_told(state: PendingState) -> None:
    told = message(observation(pending=replace(pending(state), immutable=True)))
    assert f"The Secret {pending_name(OWNER.hash)} is immutable" in told


def test_one_that_holds_its_value_is_published_all_the_same() -> None:
    o = observation(pending=replace(pending(), immutable=True))
    assert secret_is_not_ours_to_write(o) is None


def test_a_wrong_name_in_take_over_from_is_told() -> None:
    wanted: AppCredentialSpec = spec()
    wanted = replace(wanted, secret=replace(wanted.secret, take_over_from="nobody"))
    told = message(observation(resource=resource(wanted), target=foreign()))
    assert "not to what spec.secret.takeOverFrom names" in told
