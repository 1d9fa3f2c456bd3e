"""What is scheduled to be revoked when a resource is deleted. Pure."""

from __future__ import annotations

from appcredential.domain.marker import UNIQUE_HASH, Owner, short_hash
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ClientId,
    CredentialType,
    ObjectId,
    TenantId,
)


def revocation_name(owner: Owner, tenant: str, client_id: ClientId, kind: CredentialType) -> str:
    """Return the ConfigMap's name: one per owner, tenant, application and type."""
    digest = short_hash(str(owner), tenant, client_id, kind, length=UNIQUE_HASH)
    return f"appcredential-ticket-{digest}"


def name_of(revocation: Revocation) -> str:
    """Return the name of the ConfigMap that holds a revocation."""
    return revocation_name(
        revocation.owner, revocation.tenant, revocation.client_id, revocation.type
    )


def scheduled_name(owner: Owner, spec: AppCredentialSpec) -> str:
    """Return the name of the ConfigMap that schedules the revocation of a resource."""
    return revocation_name(owner, spec.tenant, spec.client_id, spec.type)


def scheduled_revocation(observation: Observation) -> Revocation:
    """Return what must be revoked once the grace period of a deleted resource is over.

    Tenant and application are those that the Secrets record. Only without Secrets they are
    those that the spec leads to now, or that status last named.
    """
    spec, resource = observation.usable_spec, observation.resource
    own, pending = observation.own_target, observation.pending
    federated = spec.federated
    return Revocation(
        owner=resource.owner,
        resource_uid=resource.uid,
        tenant=spec.tenant,
        tenant_id=_tenant_id(observation),
        client_id=spec.client_id,
        object_id=_object_id(observation),
        type=spec.type,
        policy=spec.deletion_policy,
        secret_name=spec.secret.name,
        service_account=federated.account if federated is not None else "",
        config_map=federated.config_map if federated is not None else "",
        secret_uid=own.uid if own is not None else "",
        pending_attempt=str(pending.attempt) if pending is not None else "",
        due=observation.now + spec.deletion_grace_period,
    )


def _tenant_id(observation: Observation) -> TenantId:
    recorded = observation.own_target or observation.pending
    if recorded is not None and recorded.tenant_id:
        return recorded.tenant_id
    tenant = observation.tenant
    return tenant.tenant_id if isinstance(tenant, Tenant) else TenantId("")


def _object_id(observation: Observation) -> ObjectId | None:
    recorded = observation.own_target or observation.pending
    if recorded is not None:
        return recorded.object_id or None
    told = (observation.resource.status.get("application") or {}).get("objectId")
    return ObjectId(told) if told else None
