"""What is scheduled when a resource is deleted, by what is there to tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from appcredential.domain.conditions import Problem
from appcredential.domain.facts.deletion import (
    completed,
    is_unbegun,
    name_of,
    open_uid,
    own_revocations,
    revocation_name,
    scheduled_revocation,
)
from appcredential.domain.lifecycle import decide
from appcredential.domain.marker import Attempt
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.observed.target import Pending, PendingState, Target
from appcredential.domain.spec.model import CredentialType, DeletionPolicy, ObjectId, TenantId
from tests.support.builders import (
    CLIENT_ID,
    DAY,
    HOUR,
    NEXT_ATTEMPT,
    NOW,
    OBJECT_ID,
    OPERATOR_CLIENT_ID,
    OTHER_OWNER,
    OWNER,
    TENANT_ID,
    foreign_target,
    observation,
    pending,
    problem,
    resource,
    spec,
    target,
    tenant,
)
from tests.support.federated import federated_spec

OTHER_TENANT = TenantId("88888888-8888-8888-8888-888888888888")
OTHER_OBJECT = ObjectId("99999999-9999-9999-9999-999999999999")
TOLD = {"application": {"objectId": OTHER_OBJECT}}


def deleted(
    *,
    target: Target | None = target(),  # noqa: B008 - frozen
    pending: Pending | None = None,
    tenant: Tenant | Problem = tenant(),  # noqa: B008 - frozen
    status: Mapping[str, Any] | None = None,
) -> Observation:
    wanted = replace(spec(deletion_policy=DeletionPolicy.RETAIN), deletion_grace_period=HOUR)
    return observation(
        resource=resource(wanted, deletion_time=NOW, status=status or {}),
        target=target,
        pending=pending,
        tenant=tenant,
    )


def test_it_says_what_the_resource_was() -> None:
    left = pending(PendingState.INTENT)
    assert scheduled_revocation(deleted(pending=left)) == Revocation(
        owner=OWNER,
        resource_uid="resource-uid",
        tenant="default",
        tenant_id=TENANT_ID,
        client_id=CLIENT_ID,
        object_id=OBJECT_ID,
        type=CredentialType.CLIENT_SECRET,
        policy=DeletionPolicy.RETAIN,
        secret_name="orders-entra",
        secret_uid=target().uid,
        pending_attempt=NEXT_ATTEMPT,
        due=NOW + HOUR,
    )


@pytest.mark.parametrize(
    ("given", "tenant_id", "object_id", "secret_uid"),
    [
        (deleted(status=TOLD), TENANT_ID, OBJECT_ID, target().uid),
        (
            deleted(target=replace(target(), tenant_id=OTHER_TENANT)),
            OTHER_TENANT,
            OBJECT_ID,
            "target-uid",
        ),
        (
            deleted(target=replace(target(), tenant_id=TenantId(""))),
            TENANT_ID,
            OBJECT_ID,
            "target-uid",
        ),
        (deleted(target=replace(target(), object_id=ObjectId(""))), TENANT_ID, None, "target-uid"),
        (deleted(target=None, pending=pending(), tenant=problem()), TENANT_ID, OBJECT_ID, ""),
        (deleted(target=foreign_target(), status=TOLD), TENANT_ID, OTHER_OBJECT, ""),
        (deleted(target=None, status=TOLD, tenant=problem()), "", OTHER_OBJECT, ""),
        (deleted(target=None, status={"application": None}), TENANT_ID, None, ""),
    ],
    ids=[
        "the target Secret counts, not status",
        "also its tenant",
        "without a tenant there: that of the spec",
        "without an application there: none",
        "without a target Secret: what the pending Secret says",
        "the target Secret of another says nothing",
        "without Secrets: what status says",
        "without anything",
    ],
)
def test_tenant_and_application_are_those_of_the_credentials(
    given: Observation, tenant_id: str, object_id: str | None, secret_uid: str
) -> None:
    found = scheduled_revocation(given)
    assert (found.tenant_id, found.object_id, found.secret_uid) == (
        tenant_id,
        object_id,
        secret_uid,
    )


def test_what_it_replaces_completes_it() -> None:
    known = scheduled_revocation(deleted())
    bare = replace(known, tenant_id=TenantId(""), object_id=None, secret_uid="")
    assert completed(bare, [known]) == known
    assert completed(known, [bare]) == known
    assert completed(bare, []) == bare
    other = replace(known, tenant_id=OTHER_TENANT, object_id=OTHER_OBJECT)
    assert completed(replace(bare, tenant_id=TENANT_ID), [other, known]) == known


def test_without_a_pending_secret_no_attempt_is_named() -> None:
    assert scheduled_revocation(deleted()).pending_attempt == Attempt("")


def test_a_federated_identity_names_its_account_and_output() -> None:
    wanted = federated_spec()
    found = scheduled_revocation(observation(resource=resource(wanted), target=None))
    assert wanted.federated is not None
    assert found.service_account == wanted.federated.account == "orders"
    assert found.config_map == wanted.federated.config_map


def test_the_name_is_that_of_the_owner_tenant_application_and_type() -> None:
    expected = revocation_name(OWNER, "default", CLIENT_ID, CredentialType.CLIENT_SECRET)
    assert name_of(scheduled_revocation(observation())) == expected


LEFT = scheduled_revocation(observation())


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (LEFT, True),
        (replace(LEFT, tenant="second"), True),
        (replace(LEFT, tenant_id=OTHER_TENANT), True),
        (replace(LEFT, tenant="second", tenant_id=OTHER_TENANT), False),
        (replace(LEFT, tenant="second", tenant_id=TenantId("")), True),
        (replace(LEFT, tenant="third", tenant_id=TenantId("")), False),
        (replace(LEFT, owner=OTHER_OWNER), False),
        (replace(LEFT, type=CredentialType.CERTIFICATE), False),
        (replace(LEFT, client_id=OPERATOR_CLIENT_ID), False),
    ],
    ids=[
        "its own",
        "under another name of the directory",
        "the EntraTenant leads elsewhere now",
        "in another directory",
        "the directory is that of the other name",
        "nobody knows the directory",
        "another owner's",
        "of another type",
        "of another application",
    ],
)
def test_what_an_earlier_life_left_is_found(left: Revocation, expected: bool) -> None:
    found = own_revocations(
        {"name": left},
        OWNER,
        spec(),
        tenant_ids={TENANT_ID},
        led_to={"default": TENANT_ID, "second": TENANT_ID}.get,
    )
    assert bool(found) == expected


def test_an_earlier_life_is_told_first() -> None:
    earlier, own = (replace(LEFT, resource_uid=uid) for uid in ("a", "b"))
    assert open_uid([], "a") is None
    assert open_uid([own, earlier], "a") == "b"
    assert open_uid([own, earlier], "b") == "a"
    assert open_uid([own], "b") == "b"


def test_a_spec_that_cannot_be_used_is_never_asked_for() -> None:
    with pytest.raises(AssertionError):
        scheduled_revocation(observation(resource=resource(problem())))


@pytest.mark.parametrize(
    ("asked", "granted"), [(HOUR, HOUR), (7 * DAY, 7 * DAY), (365 * DAY, 7 * DAY)]
)
def test_a_grace_period_is_as_long_as_the_setting_allows(
    asked: timedelta, granted: timedelta
) -> None:
    o = observation(resource=resource(replace(spec(), deletion_grace_period=asked)))
    assert scheduled_revocation(o).due == NOW + granted
    told = {"deletionGracePeriod": "7d"} if granted < asked else {}
    status = decide(o).status
    assert {k: status[k] for k in ("deletionGracePeriod",) if k in status} == told


def test_a_resource_is_unbegun_until_it_has_a_finalizer_or_a_trace_in_status() -> None:
    fresh = replace(observation().resource, has_finalizer=False, status={})
    assert is_unbegun(fresh)
    assert not is_unbegun(replace(fresh, has_finalizer=True))
    assert not is_unbegun(replace(fresh, status={"application": {"objectId": OBJECT_ID}}))
