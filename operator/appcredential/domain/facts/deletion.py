"""What is scheduled to be revoked when a resource is deleted. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from appcredential.domain.facts.takeover import is_of_former_life
from appcredential.domain.marker import UNIQUE_HASH, Owner, short_hash
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.observed.target import Pending, Target
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ClientId,
    CredentialType,
    DeletionPolicy,
    ObjectId,
    TenantId,
)
from appcredential.domain.times import format_time

ISSUED: Final = frozenset({"credential", "pending", "retiring", "federatedIdentities"})
"""Of status: what tells that something was issued."""
TRACES: Final = ISSUED | {"application"}
"""Of status: what tells that something may have been issued."""


def is_unbegun(resource: Resource) -> bool:
    """Return whether nobody has begun anything yet for a resource, as it was just read.

    The finalizer comes before everything else, and status names what was issued. So who took
    the finalizer away does not hide it.
    """
    return not resource.has_finalizer and not resource.status.keys() & TRACES


def revocation_name(owner: Owner, tenant: str, client_id: ClientId, kind: CredentialType) -> str:
    """Return the ConfigMap's name: one per owner, tenant, application and type."""
    return f"appcredential-ticket-{ticket_digest(owner, tenant, client_id, kind)}"


def ticket_digest(owner: Owner, tenant: str, client_id: ClientId, kind: CredentialType) -> str:
    """Return what the names of all ConfigMaps end in that are about these four."""
    return short_hash(str(owner), tenant, client_id, kind, length=UNIQUE_HASH)


def name_of(revocation: Revocation) -> str:
    """Return the name of the ConfigMap that holds a revocation."""
    return revocation_name(
        revocation.owner, revocation.tenant, revocation.client_id, revocation.type
    )


def own_revocations(
    scheduled: Mapping[str, Revocation],
    owner: Owner,
    spec: AppCredentialSpec,
    *,
    tenant_ids: Collection[TenantId],
    led_to: Callable[[str], TenantId | None],
) -> dict[str, Revocation]:
    """Return the revocations that concern a resource of this name, by the name of their ConfigMap.

    Its credentials carry the same marker whatever its EntraTenant is called, so one that was
    scheduled under another name of the same directory would remove what the resource has now.

    Args:
        scheduled: the open revocations.
        owner: the resource.
        spec: of the resource.
        tenant_ids: where its credentials are: the directory of its EntraTenant, and what its
            Secrets record.
        led_to: returns the directory of an EntraTenant, None when unknown.
    """
    return {
        name: found
        for name, found in scheduled.items()
        if (found.owner, found.client_id, found.type) == (owner, spec.client_id, spec.type)
        and (
            found.tenant == spec.tenant
            or (found.tenant_id or led_to(found.tenant)) in set(tenant_ids)
        )
    }


def open_uid(found: Iterable[Revocation], uid: str) -> str | None:
    """Return the resource uid of one of these revocations; that of an earlier life comes first."""
    uids = sorted({revocation.resource_uid for revocation in found}, key=lambda u: (u == uid, u))
    return uids[0] if uids else None


def scheduled_revocation(observation: Observation) -> Revocation:
    """Return what must be revoked once the grace period of a deleted resource is over.

    Tenant and application are those that the Secrets record. Only without Secrets they are
    those that the spec leads to now, or that status last named.
    """
    left = left_by(observation.resource, observation.usable_spec)
    tenant = observation.tenant
    if isinstance(tenant, Tenant):
        left = replace(left, tenant_id=tenant.tenant_id)
    left = replace(left, due=observation.now + deletion_grace(observation))
    return with_secrets(left, own_target(observation), observation.pending)


def left_by(resource: Resource, spec: AppCredentialSpec) -> Revocation:
    """Return what a resource and its status say of its revocation: not when, nor in which tenant.

    Args:
        resource: whose credentials they are.
        spec: the resource's, which is readable.
    """
    federated = spec.federated
    told = (resource.status.get("application") or {}).get("objectId")
    return Revocation(
        owner=resource.owner,
        resource_uid=resource.uid,
        tenant=spec.tenant,
        tenant_id=TenantId(""),
        client_id=spec.client_id,
        object_id=ObjectId(told) if told else None,
        type=spec.type,
        policy=spec.deletion_policy,
        secret_name=spec.secret.name,
        service_account=federated.account if federated is not None else "",
        config_map=federated.config_map if federated is not None else "",
        secret_uid="",
        pending_attempt="",
        due=resource.creation_time,
    )


def with_secrets(left: Revocation, own: Target | None, pending: Pending | None) -> Revocation:
    """Return a revocation with what the owner's Secrets record, which counts before all else."""
    recorded = own or pending
    if recorded is None:
        return left
    return replace(
        left,
        tenant_id=recorded.tenant_id or left.tenant_id,
        object_id=recorded.object_id or None,
        secret_uid=own.uid if own is not None else "",
        pending_attempt=str(pending.attempt) if pending is not None else "",
    )


def scheduled_note(revocation: Revocation) -> str | None:
    """Return what an Event says about a scheduled revocation; None when all that is used stays.

    The target Secret goes only if it was the resource's own: one that another resource has taken
    over, or that a former life for another application left, is not named.
    """
    if revocation.policy is DeletionPolicy.RETAIN:
        return None
    found = "credentials and its Secret" if revocation.secret_uid else "credentials"
    if revocation.type.is_federated:
        found = "trusts"
    return (
        f"The resource was deleted; its {found} are removed at {format_time(revocation.due)} or "
        "soon after. Create it again before that to keep them."
    )


def completed(wanted: Revocation, earlier: Iterable[Revocation]) -> Revocation:
    """Return a revocation with what only those that it replaces still tell.

    The resource may have been held since it was created again, so that neither its status nor
    its Secrets name what the former one left.
    """
    for left in earlier:
        if wanted.tenant_id in {"", left.tenant_id}:
            wanted = replace(
                wanted,
                tenant_id=left.tenant_id,
                object_id=wanted.object_id or left.object_id,
                secret_uid=wanted.secret_uid or left.secret_uid,
            )
    return wanted


def deletion_grace(observation: Observation) -> timedelta:
    """Return how long after its deletion a resource is revoked: at most what a setting says."""
    asked = observation.usable_spec.deletion_grace_period
    return min(asked, observation.settings.max_deletion_grace)


def own_target(observation: Observation) -> Target | None:
    """Return our target Secret, unless a former life for another application left it."""
    own = observation.own_target
    return None if own is not None and is_of_former_life(observation, own) else own
