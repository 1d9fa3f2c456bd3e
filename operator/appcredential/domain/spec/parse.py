"""From a manifest to the desired state, or to an error that names the field and the remedy.

The API server has made the same checks by the CRDs. They are repeated because an older schema
may have let an object in, and because the rules rely on them. `tests/crds/` compares both. The
defaults are those of the API server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from sys import intern
from typing import Any, Final, assert_never

from appcredential.domain.marker import MAX_DESCRIPTION, Owner
from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest as shapes
from appcredential.domain.spec import manifest_cluster as cluster
from appcredential.domain.spec.certificate import CertificateSpec
from appcredential.domain.spec.federated import CustomerManagedKeySource, FederatedSpec
from appcredential.domain.spec.manifest_rotation import Rotation
from appcredential.domain.spec.model import (
    DEFAULT_LIFETIME,
    AppCredentialSpec,
    ApplicationGrantSpec,
    ClientId,
    CredentialType,
    DeletionPolicy,
    EntraTenantSpec,
    Limits,
    RotationSpec,
    TenantId,
    VerificationMode,
    VerificationSpec,
)
from appcredential.domain.spec.parse_certificate import check_secret_of, parse_certificate
from appcredential.domain.spec.parse_federated import parse_federated
from appcredential.domain.spec.parse_federation import parse_federation
from appcredential.domain.spec.parse_grant import parse_applications, parse_namespaces
from appcredential.domain.spec.parse_identity import parse_identity
from appcredential.domain.spec.parse_rotation import parse_rotation
from appcredential.domain.spec.parse_secret import parse_secret
from appcredential.domain.spec.reserved import ONLY_LISTED, AllowedKeys
from appcredential.domain.spec.secret import SecretSpec
from appcredential.domain.spec.shape import Shape
from appcredential.domain.spec.shaping import shaped

MIN_LIFETIME: Final = timedelta(seconds=60)
MAX_GRACE: Final = timedelta(days=365)

_GENERATED: Final = CertificateSpec()
_NO_CONTROLS: Final = re.compile(r"[^\x00-\x1f\x7f]*")


def parse_app_credential(
    manifest: Mapping[str, Any], allowed: AllowedKeys = ONLY_LISTED
) -> AppCredentialSpec:
    """Read an AppCredential.

    Args:
        manifest: the whole object; `metadata.name` is the Secret's default name.
        allowed: the labels and annotations that the Secret may get.

    Raises:
        InvalidSpecError: the manifest cannot be used.
    """
    found = shaped(manifest, shapes.AppCredentialManifest)
    spec = found.spec
    _check_members(spec)
    client_id = _client_id("spec.application.clientId", spec.application.client_id)
    owner = Owner(found.metadata.namespace, found.metadata.name)
    federated = _federated(spec, owner, client_id)
    lifetime = _lifetime("spec.lifetime", spec.lifetime, _max_lifetime(spec.type))
    grace = checks.duration(
        "spec.deletionGracePeriod", spec.deletion_grace_period, timedelta(0), MAX_GRACE
    )
    parsed = AppCredentialSpec(
        tenant=intern(checks.object_name("spec.tenantRef.name", spec.tenant_ref.name)),
        client_id=client_id,
        type=spec.type,
        description=_description(spec.client_secret.description) if spec.client_secret else "",
        federated=federated,
        certificate=parse_certificate(spec.certificate) if spec.certificate else _GENERATED,
        lifetime=lifetime,
        rotation=_shared(parse_rotation(spec.rotation or Rotation(), lifetime or DEFAULT_LIFETIME)),
        verification=_verification(spec),
        secret=SecretSpec(name=owner.name)
        if federated is not None
        else parse_secret(spec.secret or shapes.Secret(), owner.name, spec.type, allowed),
        deletion_policy=spec.deletion_policy or _default_policy(federated),
        deletion_grace_period=grace,
        mode=spec.mode,
        suspend=spec.suspend,
    )
    check_secret_of(parsed)
    return parsed


@lru_cache(maxsize=256)
def _shared(rotation: RotationSpec) -> RotationSpec:
    """Return one object for all that ask for the same: it is held of each resource."""
    return rotation


def parse_entra_tenant(manifest: Mapping[str, Any]) -> EntraTenantSpec:
    """Read an EntraTenant.

    Raises:
        InvalidSpecError: the manifest cannot be used.
    """
    spec = shaped(manifest, cluster.EntraTenantManifest).spec
    return EntraTenantSpec(
        tenant_id=TenantId(intern(checks.guid("spec.tenantId", spec.tenant_id))),
        cloud=spec.cloud,
        identity=parse_identity(spec.identity, spec.cloud),
        limits=_limits("spec.limits", spec.limits.types, spec.limits.max_lifetime),
    )


def parse_application_grant(manifest: Mapping[str, Any]) -> ApplicationGrantSpec:
    """Read an ApplicationGrant.

    Raises:
        InvalidSpecError: the manifest cannot be used.
    """
    spec = shaped(manifest, cluster.ApplicationGrantManifest).spec
    return ApplicationGrantSpec(
        tenant=checks.object_name("spec.tenantRef.name", spec.tenant_ref.name),
        applications=parse_applications("spec.applications", spec.applications),
        namespaces=parse_namespaces("spec.namespaces", spec.namespaces),
        limits=_limits("spec", spec.types, spec.max_lifetime),
        federation=parse_federation(spec.federation, spec.service_accounts),
        allow_operator_identity=spec.allow_operator_identity,
        max_credentials=checks.between("spec.maxCredentials", spec.max_credentials, 1, 10_000),
        expires=None if spec.expires is None else checks.moment("spec.expires", spec.expires),
    )


def _client_id(path: str, value: str) -> ClientId:
    return ClientId(intern(checks.guid(path, value)))


def _check_members(spec: shapes.AppCredential) -> None:
    """Require the member of the type, and refuse those of other types."""
    for kind in CredentialType:
        path, member = f"spec.{kind.member}", _member(spec, kind)
        if kind is spec.type:
            wanted = "one source, such as serviceAccount" if kind.is_federated else "{}"
            remedy = f"is required when type is {kind}: add {wanted}"
            checks.require(member is not None, path, remedy)
        else:
            remedy = f"is only for type {kind}: remove it"
            checks.require(member is None, path, remedy)


def _member(spec: shapes.AppCredential, kind: CredentialType) -> Shape | None:
    match kind:
        case CredentialType.CLIENT_SECRET:
            return spec.client_secret
        case CredentialType.CERTIFICATE:
            return spec.certificate
        case CredentialType.FEDERATED_IDENTITY:
            return spec.federated_identity
        case _:
            assert_never(kind)


def _federated(
    spec: shapes.AppCredential, owner: Owner, client_id: ClientId
) -> FederatedSpec | None:
    """Read the member, and refuse fields that need a value and an end."""
    if spec.federated_identity is None:
        return None
    others = {
        "spec.lifetime": spec.lifetime,
        "spec.rotation": spec.rotation,
        "spec.secret": spec.secret,
    }
    for path, member in others.items():
        checks.require(member is None, path, "is not for type FederatedIdentity: remove it")
    return parse_federated(spec.federated_identity, owner, client_id)


def _verification(spec: shapes.AppCredential) -> VerificationSpec:
    """Fill in the mode: the operator tries an exchange of tokens only on request."""
    given = spec.verification
    if given is None and spec.type.is_federated:
        return VerificationSpec(mode=VerificationMode.DISABLED)
    found = given or shapes.Verification()
    return VerificationSpec(mode=found.mode, scope=found.scope)


def _default_policy(federated: FederatedSpec | None) -> DeletionPolicy:
    """Retain customer-managed keys: without the trust, their data is lost to everybody."""
    is_key = federated is not None and isinstance(federated.source, CustomerManagedKeySource)
    return DeletionPolicy.RETAIN if is_key else DeletionPolicy.REVOKE


def _max_lifetime(kind: CredentialType) -> timedelta:
    match kind:
        case CredentialType.CLIENT_SECRET:
            return timedelta(days=731)
        case CredentialType.CERTIFICATE | CredentialType.FEDERATED_IDENTITY:
            return timedelta(days=3650)
        case _:
            assert_never(kind)


MAX_LIFETIME: Final = max(_max_lifetime(kind) for kind in CredentialType)


def _lifetime(path: str, value: str | None, most: timedelta = MAX_LIFETIME) -> timedelta | None:
    return None if value is None else checks.duration(path, value, MIN_LIFETIME, most)


def _description(value: str) -> str:
    path = "spec.clientSecret.description"
    checks.require(_NO_CONTROLS.fullmatch(value) is not None, path, "may not contain controls")
    return checks.at_most(path, value, MAX_DESCRIPTION)


def _limits(path: str, types: list[CredentialType] | None, lifetime: str | None) -> Limits:
    return Limits(
        types=frozenset()
        if types is None
        else checks.listed(f"{path}.types", types, lambda _, value: value),
        max_lifetime=_lifetime(f"{path}.maxLifetime", lifetime),
    )
