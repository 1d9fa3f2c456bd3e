"""The `spec` of an AppCredential as it stands in a manifest: names, types and defaults only.

msgspec checks the shape. `parse*.py` and `checks.py` check the values, because their errors
must name the field and the remedy. Fields that this version does not know are ignored, as the
API server drops them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from appcredential.domain.spec.certificate import (
    DEFAULT_KEY_SIZE,
    CertificateSource,
    KeystoreProfile,
)
from appcredential.domain.spec.federated import AnnotationMode, DevOpsIssuer
from appcredential.domain.spec.git_hub_source import EntityType, SubjectFormat
from appcredential.domain.spec.manifest_rotation import Rotation
from appcredential.domain.spec.model import (
    CredentialType,
    DeletionPolicy,
    Mode,
    VerificationMode,
    VerificationScope,
)
from appcredential.domain.spec.secret import DEFAULT_MOUNT_PATH, Preset
from appcredential.domain.spec.shape import Shape


class TenantRef(Shape, frozen=True):
    """`spec.tenantRef`."""

    name: str = "default"


class Application(Shape, frozen=True):
    """`spec.application`."""

    client_id: str


class ClientSecret(Shape, frozen=True):
    """`spec.clientSecret`."""

    description: str = ""


class PrivateKey(Shape, frozen=True):
    """`spec.certificate.privateKey`."""

    algorithm: Literal["RSA"] = "RSA"
    size: int = DEFAULT_KEY_SIZE


class KeyRef(Shape, frozen=True):
    """A key of a Secret or ConfigMap in the same namespace."""

    name: str
    key: str | None = None


class Pkcs12(Shape, frozen=True):
    """`spec.certificate.keystore.pkcs12`."""

    password_secret_key_ref: KeyRef
    profile: KeystoreProfile = KeystoreProfile.MODERN


class Keystore(Shape, frozen=True):
    """`spec.certificate.keystore`."""

    pkcs12: Pkcs12


class Certificate(Shape, frozen=True):
    """`spec.certificate`."""

    source: CertificateSource = CertificateSource.GENERATE
    private_key: PrivateKey | None = None
    subject: str | None = None
    secret_key_ref: KeyRef | None = None
    password_secret_key_ref: KeyRef | None = None
    config_map_key_ref: KeyRef | None = None
    inline: str | None = None
    keystore: Keystore | None = None


class ConfigMapOutput(Shape, frozen=True):
    """`spec.federatedIdentity.configMap`."""

    name: str


class ServiceAccount(Shape, frozen=True):
    """`spec.federatedIdentity.serviceAccount`."""

    name: str
    annotation: AnnotationMode = AnnotationMode.MANAGE


class GitHubRepository(Shape, frozen=True):
    """`spec.federatedIdentity.gitHub.repositories[]`."""

    name: str
    repository_id: str | None = None


class GitHubEntity(Shape, frozen=True):
    """`spec.federatedIdentity.gitHub.entities[]`. The name has a default: it is a key."""

    type: EntityType
    name: str = ""


class GitHub(Shape, frozen=True):
    """`spec.federatedIdentity.gitHub`."""

    organization: str
    host: str | None = None
    enterprise: str | None = None
    repository: str | None = None
    repositories: list[GitHubRepository] | None = None
    entities: list[GitHubEntity] | None = None
    entity_type: EntityType | None = None
    entity_name: str | None = None
    subject_format: SubjectFormat = SubjectFormat.IMMUTABLE
    organization_id: str | None = None
    repository_id: str | None = None
    subject: str | None = None


class AzureDevOps(Shape, frozen=True):
    """`spec.federatedIdentity.azureDevOps`."""

    organization_id: str
    issuer: DevOpsIssuer = DevOpsIssuer.ENTRA
    connection_id: str | None = None
    organization: str | None = None
    project: str | None = None
    connection: str | None = None
    pipeline: str | None = None


class ManagedIdentity(Shape, frozen=True):
    """`spec.federatedIdentity.managedIdentity`."""

    principal_id: str


class CustomerManagedKey(Shape, frozen=True):
    """`spec.federatedIdentity.customerManagedKey`."""

    principal_id: str
    resource_id: str


class OtherIssuer(Shape, frozen=True):
    """`spec.federatedIdentity.other`."""

    issuer: str
    subject: str


class FederatedIdentity(Shape, frozen=True):
    """`spec.federatedIdentity`: exactly one of the six sources."""

    name_prefix: str | None = None
    audience: str | None = None
    config_map: ConfigMapOutput | None = None
    service_account: ServiceAccount | None = None
    git_hub: GitHub | None = None
    azure_dev_ops: AzureDevOps | None = None
    managed_identity: ManagedIdentity | None = None
    customer_managed_key: CustomerManagedKey | None = None
    other: OtherIssuer | None = None


class Verification(Shape, frozen=True):
    """`spec.verification`."""

    mode: VerificationMode = VerificationMode.REQUIRED
    scope: VerificationScope = VerificationScope.GRAPH


class GenerateOnce(Shape, frozen=True):
    """`spec.secret.data.<key>.generateOnce`."""

    length: int = 32


class DataEntry(Shape, frozen=True):
    """`spec.secret.data.<key>`."""

    value: str | None = None
    generate_once: GenerateOnce | None = None


class Secret(Shape, frozen=True):
    """`spec.secret`."""

    name: str | None = None
    preset: Preset = Preset.AZURE_IDENTITY
    mount_path: str = DEFAULT_MOUNT_PATH
    data: dict[str, DataEntry] = msgspec.field(default_factory=dict)
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    take_over_from: str | None = None


class AppCredential(Shape, frozen=True):
    """`AppCredential.spec`."""

    application: Application
    type: CredentialType
    tenant_ref: TenantRef = TenantRef()
    client_secret: ClientSecret | None = None
    certificate: Certificate | None = None
    federated_identity: FederatedIdentity | None = None
    lifetime: str | None = None
    rotation: Rotation | None = None
    verification: Verification | None = None
    secret: Secret | None = None
    deletion_policy: DeletionPolicy | None = None
    deletion_grace_period: str = "24h"
    mode: Mode = Mode.MANAGE
    suspend: bool = False


class Metadata(Shape, frozen=True):
    """The part of `metadata` that matters here."""

    name: str
    namespace: str = ""


class AppCredentialManifest(Shape, frozen=True):
    """A whole AppCredential."""

    metadata: Metadata
    spec: AppCredential
