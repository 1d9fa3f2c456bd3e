"""The identity that an EntraTenant gives the operator: exactly one of its members."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest_cluster as cluster
from appcredential.domain.spec.identity_rotation import IdentityRotation
from appcredential.domain.spec.model import (
    DEFAULT_LIFETIME,
    CertificateIdentity,
    ClientId,
    ClientSecretIdentity,
    Cloud,
    ManagedIdentity,
    TenantIdentity,
    WorkloadIdentity,
)

_PATH: Final = "spec.identity"
_SHORTEST: Final = timedelta(days=1)
_LONGEST: Final = timedelta(days=365)
_LATEST: Final = timedelta(hours=1)


def parse_identity(spec: cluster.Identity, cloud: Cloud) -> TenantIdentity:
    """Read `spec.identity`.

    Raises:
        InvalidSpecError: none or several members, or one that the cloud does not allow.
    """
    members = [
        *([_certificate(spec.certificate)] if spec.certificate else []),
        *([_client_secret(spec.client_secret)] if spec.client_secret else []),
        *([_managed(spec.managed_identity, cloud)] if spec.managed_identity else []),
        *([_workload(spec.workload_identity)] if spec.workload_identity else []),
    ]
    remedy = (
        "must have exactly one member: certificate, clientSecret, managedIdentity or "
        "workloadIdentity"
    )
    checks.require(len(members) == 1, _PATH, remedy)
    return members[0]


def _certificate(spec: cluster.IdentityCertificate) -> TenantIdentity:
    path = f"{_PATH}.certificate"
    name, key = _reference(path, spec.secret_ref)
    client_id = _client_id(path, spec.client_id)
    return CertificateIdentity(
        client_id=client_id,
        secret_name=name,
        secret_key=key,
        rotation=None if spec.rotation is None else _rotation(f"{path}.rotation", spec.rotation),
    )


def _rotation(path: str, spec: cluster.IdentityRotation) -> IdentityRotation:
    lifetime, renew_before = DEFAULT_LIFETIME, None
    if spec.lifetime is not None:
        lifetime = checks.duration(f"{path}.lifetime", spec.lifetime, _SHORTEST, _LONGEST)
    if spec.renew_before is not None:
        field = f"{path}.renewBefore"
        renew_before = checks.duration(field, spec.renew_before, _LATEST)
        remedy = "must be less than lifetime (90d when left out): lower it or raise lifetime"
        checks.require(renew_before < lifetime, field, remedy)
    return IdentityRotation(lifetime=lifetime, renew_before=renew_before)


def _client_secret(spec: cluster.IdentitySecret) -> TenantIdentity:
    path = f"{_PATH}.clientSecret"
    name, key = _reference(path, spec.secret_ref)
    client_id = _client_id(path, spec.client_id)
    return ClientSecretIdentity(
        client_id=client_id,
        secret_name=name,
        secret_key=key,
        rotation=None if spec.rotation is None else _rotation(f"{path}.rotation", spec.rotation),
    )


def _managed(spec: cluster.IdentityManaged, cloud: Cloud) -> TenantIdentity:
    """Refuse a custom cloud: its owner could use the token with the real Graph."""
    path = f"{_PATH}.managedIdentity"
    remedy = "cannot be used with cloud Custom: its token would be good for the public cloud"
    checks.require(cloud is not Cloud.CUSTOM, path, remedy)
    client_id = None if spec.client_id is None else _client_id(path, spec.client_id)
    return ManagedIdentity(client_id=client_id)


def _workload(spec: cluster.IdentityWorkload) -> TenantIdentity:
    return WorkloadIdentity(client_id=_client_id(f"{_PATH}.workloadIdentity", spec.client_id))


def _reference(path: str, spec: cluster.SecretRef | cluster.CertificateRef) -> tuple[str, str]:
    return (
        checks.object_name(f"{path}.secretRef.name", spec.name),
        checks.secret_key(f"{path}.secretRef.key", spec.key),
    )


def _client_id(path: str, value: str) -> ClientId:
    return ClientId(checks.guid(f"{path}.clientId", value))
