"""What the record of an AppCredential's credentials says, and what follows from it later. Pure.

A deletion that the operator sees writes a revocation and drops the record. What is left is the
record of a resource that went without its finalizer.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from appcredential.domain.facts.deletion import left_by, ticket_digest, with_secrets
from appcredential.domain.marker import UNIQUE_HASH, short_hash
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.issued import IssuedRecord, KnownRecord, Recorded
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.observed.target import Pending, Target
from appcredential.domain.spec.durations import format_duration
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    DeletionPolicy,
    ObjectId,
    TenantId,
)
from appcredential.domain.times import format_time


def record_name(found: Revocation | KnownRecord) -> str:
    """Return the ConfigMap's name: one per owner, tenant, application and type."""
    digest = ticket_digest(found.owner, found.tenant, found.client_id, found.type)
    return f"appcredential-issued-{digest}"


def name_of_own(observation: Observation) -> str:
    """Return the name of the ConfigMap that is the resource's, whose spec is readable."""
    return record_name(left_by(observation.resource, observation.usable_spec))


def issued_record(observation: Observation, known: KnownRecord | None) -> IssuedRecord:
    """Return what the record of a resource should say; the spec is readable.

    What cannot be learnt now, such as the directory of an EntraTenant that is down, stays as it
    was recorded. Under `mode: Observe` a deletion revokes nothing, so the policy is Retain.

    Args:
        observation: of the resource.
        known: its record as it is; None without one.
    """
    spec, resource = observation.usable_spec, observation.resource
    left = left_by(resource, spec)
    secrets = observation.own_target or observation.pending
    tenant_id = known.tenant_id if known is not None else TenantId("")
    object_id = known.object_id if known is not None else None
    if isinstance(observation.tenant, Tenant):
        tenant_id = observation.tenant.tenant_id
    if left.object_id is not None:
        object_id = left.object_id
    if secrets is not None:
        tenant_id = tenant_id or secrets.tenant_id
        object_id = object_id or secrets.object_id or None
    left = replace(left, tenant_id=tenant_id, object_id=object_id)
    if resource.observes:
        left = replace(left, policy=DeletionPolicy.RETAIN)
    return IssuedRecord(
        left=left,
        grace=spec.deletion_grace_period,
        created=resource.creation_time,
        cluster=observation.identity.whole,
        observes=resource.observes,
    )


def known_record(record: IssuedRecord) -> KnownRecord:
    """Return what is held of a record."""
    left = record.left
    return KnownRecord(
        owner=left.owner,
        resource_uid=left.resource_uid,
        tenant=left.tenant,
        tenant_id=left.tenant_id,
        client_id=left.client_id,
        object_id=left.object_id,
        type=left.type,
        cluster=record.cluster,
        digest=_digest(record),
        uid=record.uid,
        resource_version=record.resource_version,
    )


def recorded(observation: Observation, known: KnownRecord | None) -> Recorded:
    """Return how a resource's record compares with the resource."""
    if not isinstance(observation.resource.spec, AppCredentialSpec):
        return Recorded.CURRENT
    if known is None:
        return Recorded.ABSENT
    if known.resource_uid != observation.resource.uid:
        return Recorded.OF_FORMER_LIFE
    is_same = _digest(issued_record(observation, known)) == known.digest
    return Recorded.CURRENT if is_same else Recorded.OUTDATED


def revocation_of(
    record: IssuedRecord,
    target: Target | None,
    pending: Pending | None,
    *,
    now: datetime,
    longest: timedelta,
) -> Revocation:
    """Return the revocation for a resource that went without its finalizer.

    Args:
        record: the resource's.
        target: the Secret of the name that the record has, whoever's it is.
        pending: the Secret of the owner's pending name, whoever's it is.
        now: from when the grace period counts: only now it was seen.
        longest: the longest grace period that a setting allows.
    """
    left = record.left
    own = target if target is not None and _is_own(left, target.owner, target.object_id) else None
    staged = None
    if pending is not None and not pending.is_foreign:
        staged = pending if _is_own(left, pending.owner, pending.object_id) else None
    due = now + min(record.grace, longest)
    return replace(with_secrets(left, own, staged), due=due, uid="", resource_version="")


def _is_own(left: Revocation, owner: str, object_id: ObjectId) -> bool:
    """Return whether a Secret is the owner's, for the application of the record.

    A later resource of the name, for another application, may have written it since.
    """
    return owner == str(left.owner) and (left.object_id is None or object_id == left.object_id)


def _digest(record: IssuedRecord) -> str:
    left = record.left
    return short_hash(
        *(str(left.owner), left.resource_uid, left.tenant, left.tenant_id, left.client_id),
        *(left.object_id or "", left.type, left.policy, left.secret_name),
        *(left.service_account, left.config_map),
        *(format_duration(record.grace), format_time(record.created)),
        *(record.cluster, str(record.observes)),
        length=UNIQUE_HASH,
    )
