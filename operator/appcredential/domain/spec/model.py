"""Desired state: the `spec` of the three kinds, as immutable values.

`parse.py` makes these from manifests. Durations are `timedelta`, times are aware UTC
`datetime`. `None` means that the user left the field out; its default is where the arithmetic
needs it (`rotation.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType, TypeAlias, assert_never

from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec
from appcredential.domain.spec.federated import FederatedSpec, FederationGrant
from appcredential.domain.spec.grant import GrantedApplications, GrantedNamespaces
from appcredential.domain.spec.identity_rotation import IdentityRotation
from appcredential.domain.spec.restart import RestartSpec
from appcredential.domain.spec.secret import SecretSpec
from appcredential.domain.spec.windows import RotationWindow

TenantId = NewType("TenantId", str)
"""The directory (tenant) id, a lower-case GUID."""
ClientId = NewType("ClientId", str)
"""Graph's `appId`: the client id of an application, which signs in."""
ObjectId = NewType("ObjectId", str)
"""Graph's `id` of an application, to which calls are addressed."""
KeyId = NewType("KeyId", str)
"""Graph's `keyId` of one credential."""

DEFAULT_LIFETIME = timedelta(days=90)
DEFAULT_DELETION_GRACE = timedelta(hours=24)


class CredentialType(StrEnum):
    """`spec.type`.

    The properties are the questions of the code about a type. Each answers for all members, so
    that mypy reports a new member that lacks an answer.
    """

    CLIENT_SECRET = "ClientSecret"
    CERTIFICATE = "Certificate"
    FEDERATED_IDENTITY = "FederatedIdentity"

    @property
    def is_federated(self) -> bool:
        """Entra trusts the tokens of others: the credential has no value, no Secret and no end."""
        match self:
            case CredentialType.FEDERATED_IDENTITY:
                return True
            case CredentialType.CLIENT_SECRET | CredentialType.CERTIFICATE:
                return False
            case _:
                assert_never(self)

    @property
    def is_certificate(self) -> bool:
        """The credential is a key with its certificate, in the application's list of keys."""
        match self:
            case CredentialType.CERTIFICATE:
                return True
            case CredentialType.CLIENT_SECRET | CredentialType.FEDERATED_IDENTITY:
                return False
            case _:
                assert_never(self)

    @property
    def member(self) -> str:
        """Name of the member of `spec` for this type."""
        return self.value[0].lower() + self.value[1:]


class RetireWhen(StrEnum):
    """`spec.rotation.retireWhen`: when a replaced credential is removed."""

    ROLLED_OUT = "RolledOut"
    OVERLAP_ELAPSED = "OverlapElapsed"
    EXPIRED = "Expired"


class DeletionPolicy(StrEnum):
    """`spec.deletionPolicy`."""

    REVOKE = "Revoke"
    RETAIN = "Retain"


class Mode(StrEnum):
    """`spec.mode`: whether the operator acts, or only reports."""

    MANAGE = "Manage"
    OBSERVE = "Observe"


class VerificationMode(StrEnum):
    """`spec.verification.mode`."""

    REQUIRED = "Required"
    DISABLED = "Disabled"


class VerificationScope(StrEnum):
    """`spec.verification.scope`: which resource the proving token is for."""

    GRAPH = "Graph"
    SELF = "Self"


class Cloud(StrEnum):
    """`EntraTenant.spec.cloud`."""

    PUBLIC = "Public"
    US_GOVERNMENT = "USGovernment"
    US_GOVERNMENT_DOD = "USGovernmentDoD"
    CHINA = "China"
    CUSTOM = "Custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationSpec:
    """`spec.rotation`."""

    renew_before: timedelta | None = None
    overlap: timedelta | None = None
    retire_when: RetireWhen = RetireWhen.ROLLED_OUT
    rotate_issued_before: datetime | None = None
    revoke_issued_before: datetime | None = None
    windows: tuple[RotationWindow, ...] = ()
    restart: RestartSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSpec:
    """`spec.verification`."""

    mode: VerificationMode = VerificationMode.REQUIRED
    scope: VerificationScope = VerificationScope.GRAPH


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCredentialSpec:
    """`AppCredential.spec`."""

    tenant: str
    client_id: ClientId
    type: CredentialType
    secret: SecretSpec
    description: str = ""
    certificate: CertificateSpec = field(default_factory=CertificateSpec)
    federated: FederatedSpec | None = None
    lifetime: timedelta | None = None
    rotation: RotationSpec = RotationSpec()
    verification: VerificationSpec = VerificationSpec()
    deletion_policy: DeletionPolicy = DeletionPolicy.REVOKE
    deletion_grace_period: timedelta = DEFAULT_DELETION_GRACE
    mode: Mode = Mode.MANAGE
    suspend: bool = False

    @property
    def is_supplied(self) -> bool:
        """Others issue the certificate and renew it."""
        is_generated = self.certificate.source is CertificateSource.GENERATE
        return self.type.is_certificate and not is_generated

    @property
    def has_keystore(self) -> bool:
        """The Secret has a PKCS #12 file."""
        return self.certificate.keystore_password is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecretIdentity:
    """The operator signs in with a client secret from a Secret in its own namespace."""

    client_id: ClientId
    secret_name: str
    secret_key: str
    rotation: IdentityRotation | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateIdentity:
    """The operator signs in with a certificate from a Secret: chain and private key.

    Attributes:
        rotation: how the operator renews it; None leaves that to somebody else. As whom it signs
            in does not depend on it.
    """

    client_id: ClientId
    secret_name: str
    secret_key: str
    rotation: IdentityRotation | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadIdentity:
    """The operator signs in with the projected token of its own ServiceAccount."""

    client_id: ClientId


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedIdentity:
    """The operator signs in as its node's managed identity; None is the node's only one."""

    client_id: ClientId | None = None


TenantIdentity: TypeAlias = (
    ClientSecretIdentity | CertificateIdentity | WorkloadIdentity | ManagedIdentity
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits on types and lifetimes. Empty `types` and `None` mean no limit."""

    types: frozenset[CredentialType] = frozenset()
    max_lifetime: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraTenantSpec:
    """`EntraTenant.spec`."""

    tenant_id: TenantId
    cloud: Cloud
    identity: TenantIdentity
    limits: Limits = Limits()


DEFAULT_MAX_CREDENTIALS: Final = 5
"""How many AppCredentials a namespace may have for one application, unless a grant says more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationGrantSpec:
    """`ApplicationGrant.spec`: who may ask for which application, until when."""

    tenant: str
    applications: GrantedApplications
    namespaces: GrantedNamespaces
    limits: Limits = Limits()
    federation: FederationGrant = field(default_factory=FederationGrant)
    allow_operator_identity: bool = False
    max_credentials: int = DEFAULT_MAX_CREDENTIALS
    expires: datetime | None = None
