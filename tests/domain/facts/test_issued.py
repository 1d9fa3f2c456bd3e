"""What the record of a resource says, and what it becomes once the resource is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appcredential.domain.facts.deletion import name_of, scheduled_revocation
from appcredential.domain.facts.issued import (
    issued_record,
    known_record,
    name_of_own,
    record_name,
    recorded,
    revocation_of,
)
from appcredential.domain.marker import Attempt
from appcredential.domain.observed.issued import KnownRecord, Recorded
from appcredential.domain.observed.observation import Observation
from appcredential.domain.spec.model import (
    DeletionPolicy,
    Mode,
    ObjectId,
    TenantId,
)
from tests.support.builders import (
    DAY,
    HOUR,
    NEXT_ATTEMPT,
    NOW,
    OBJECT_ID,
    OTHER_OWNER,
    TENANT_ID,
    named,
    observation,
    pending,
    problem,
    resource,
    spec,
    target,
    tenant,
)
from tests.support.federated import federated_spec

OTHER: Any = "99999999-9999-9999-9999-999999999999"


def issued(**changes: Any) -> Observation:
    """Return a resource whose status names its application."""
    return named(observation(**changes))


def known(o: Observation) -> KnownRecord:
    return known_record(issued_record(o, None))


def changed(o: Observation, **changes: Any) -> Observation:
    return replace(o, resource=replace(o.resource, spec=replace(o.usable_spec, **changes)))


def test_it_says_what_a_deletion_would() -> None:
    o = issued(pending=pending())
    record, scheduled = issued_record(o, None), scheduled_revocation(o)
    assert record.grace == DAY
    assert record.created == o.resource.creation_time
    assert record_name(record.left).removeprefix("appcredential-issued-") == name_of(
        scheduled
    ).removeprefix("appcredential-ticket-")
    assert record_name(record.left) == name_of_own(o) == record_name(known(o))
    found = revocation_of(record, o.target, o.pending, now=NOW, longest=7 * DAY)
    assert found == scheduled


def test_of_a_federated_identity_it_says_what_was_annotated() -> None:
    o = issued(resource=resource(federated_spec()), target=None)
    found = revocation_of(issued_record(o, None), None, None, now=NOW, longest=7 * DAY)
    assert found == scheduled_revocation(o)
    assert found.service_account == "orders"


def test_it_is_current_until_the_spec_or_the_life_changes() -> None:
    o = issued()
    record = known(o)
    assert recorded(o, record) is Recorded.CURRENT
    assert recorded(o, None) is Recorded.ABSENT
    for change in (
        {"deletion_policy": DeletionPolicy.RETAIN},
        {"deletion_grace_period": HOUR},
        {"mode": Mode.OBSERVE},
    ):
        assert recorded(changed(o, **change), record) is Recorded.OUTDATED, change
    other = replace(o, resource=replace(o.resource, uid="another"))
    assert recorded(other, record) is Recorded.OF_FORMER_LIFE
    assert recorded(replace(o, tenant=tenant(tenant_id=OTHER)), record) is Recorded.OUTDATED


def test_a_spec_that_cannot_be_read_says_nothing() -> None:
    o = issued()
    unreadable = replace(o, resource=replace(o.resource, spec=problem()))
    assert recorded(unreadable, None) is Recorded.CURRENT


def test_what_cannot_be_learnt_now_stays_as_it_was_recorded() -> None:
    o = issued(target=None)
    record = known(o)
    down = replace(o, tenant=problem(), resource=replace(o.resource, status={}))
    assert recorded(down, record) is Recorded.CURRENT
    left = issued_record(down, record).left
    assert (left.tenant_id, left.object_id) == (TENANT_ID, OBJECT_ID)


@pytest.mark.parametrize("which", ["target", "pending", "neither"])
def test_without_tenant_and_status_the_secrets_tell(which: str) -> None:
    """As after an upgrade, while the tenant is down."""
    o = observation(
        tenant=problem(),
        target=target() if which == "target" else None,
        pending=pending() if which == "pending" else None,
    )
    left = issued_record(o, None).left
    told = (TENANT_ID, OBJECT_ID) if which != "neither" else ("", None)
    assert (left.tenant_id, left.object_id) == told


def test_an_object_id_that_the_secret_lost_is_none() -> None:
    o = observation(tenant=problem(), target=replace(target(), object_id=ObjectId("")))
    assert issued_record(o, None).left.object_id is None


def test_an_observed_resource_leaves_what_it_has() -> None:
    o = changed(issued(), mode=Mode.OBSERVE)
    assert issued_record(o, None).left.policy is DeletionPolicy.RETAIN


def test_the_grace_counts_from_when_it_was_seen_and_is_bounded() -> None:
    record = issued_record(issued(), None)
    later = NOW + 30 * DAY
    assert revocation_of(record, None, None, now=later, longest=7 * DAY).due == later + DAY
    assert revocation_of(record, None, None, now=later, longest=HOUR).due == later + HOUR


def test_only_own_secrets_of_the_same_application_are_named() -> None:
    record = issued_record(issued(), None)
    others: list[dict[str, Any]] = [
        {"owner": str(OTHER_OWNER)},
        {"object_id": ObjectId("another"), "tenant_id": TenantId("another")},
    ]
    for change in others:
        t, p = replace(target(), **change), replace(pending(), **change)
        found = revocation_of(record, t, p, now=NOW, longest=7 * DAY)
        assert (found.secret_uid, found.pending_attempt) == ("", "")
        assert (found.tenant_id, found.object_id) == (TENANT_ID, OBJECT_ID)
    foreign = replace(pending(), is_foreign=True)
    found = revocation_of(record, None, foreign, now=NOW, longest=7 * DAY)
    assert found.pending_attempt == Attempt("")
    found = revocation_of(record, None, pending(), now=NOW, longest=7 * DAY)
    assert found.pending_attempt == NEXT_ATTEMPT


def test_without_a_recorded_application_the_owner_alone_decides() -> None:
    record = issued_record(observation(resource=resource(spec()), target=None), None)
    assert record.left.object_id is None
    found = revocation_of(record, target(), None, now=NOW, longest=7 * DAY)
    assert (found.secret_uid, found.object_id) == ("target-uid", OBJECT_ID)


def test_a_record_knows_its_config_map() -> None:
    record = issued_record(issued(), None)
    written = replace(record, left=replace(record.left, uid="uid", resource_version="7"))
    assert (written.uid, written.resource_version) == ("uid", "7")
    assert known_record(written) == known_record(record)
