"""The `spec` of the cluster-scoped kinds as it stands in a manifest; see `manifest.py`."""

from __future__ import annotations

from appcredential.domain.spec.federated import FederationSource
from appcredential.domain.spec.git_hub_source import GIT_HUB_HOST
from appcredential.domain.spec.manifest import Metadata, TenantRef
from appcredential.domain.spec.manifest_grant import Applications, Namespaces
from appcredential.domain.spec.model import DEFAULT_MAX_CREDENTIALS, Cloud, CredentialType
from appcredential.domain.spec.shape import Shape


class SecretRef(Shape, frozen=True):
    """A key of a Secret in the operator's namespace."""

    name: str
    key: str = "clientSecret"


class IdentityRotation(Shape, frozen=True):
    """`rotation` of a certificate or client secret in `EntraTenant.spec.identity`."""

    lifetime: str | None = None
    renew_before: str | None = None


class IdentitySecret(Shape, frozen=True):
    """`EntraTenant.spec.identity.clientSecret`."""

    client_id: str
    secret_ref: SecretRef
    rotation: IdentityRotation | None = None


class CertificateRef(Shape, frozen=True):
    """Where a certificate stands in a Secret of the operator's namespace."""

    name: str
    key: str = "tls.crt"


class IdentityCertificate(Shape, frozen=True):
    """`EntraTenant.spec.identity.certificate`."""

    client_id: str
    secret_ref: CertificateRef
    rotation: IdentityRotation | None = None


class IdentityWorkload(Shape, frozen=True):
    """`EntraTenant.spec.identity.workloadIdentity`."""

    client_id: str


class IdentityManaged(Shape, frozen=True):
    """`EntraTenant.spec.identity.managedIdentity`."""

    client_id: str | None = None


class Identity(Shape, frozen=True):
    """`EntraTenant.spec.identity`: exactly one member."""

    certificate: IdentityCertificate | None = None
    client_secret: IdentitySecret | None = None
    managed_identity: IdentityManaged | None = None
    workload_identity: IdentityWorkload | None = None


class Limits(Shape, frozen=True):
    """`EntraTenant.spec.limits`."""

    types: list[CredentialType] | None = None
    max_lifetime: str | None = None


class EntraTenant(Shape, frozen=True):
    """`EntraTenant.spec`."""

    tenant_id: str
    cloud: Cloud
    identity: Identity
    limits: Limits = Limits()


class GitHubGrant(Shape, frozen=True):
    """`ApplicationGrant.spec.federation.gitHub[]`."""

    organization: str
    host: str = GIT_HUB_HOST
    enterprise: str = ""
    repositories: list[str] | None = None
    subjects: list[str] | None = None
    immutable_only: bool = False
    allow_pull_request: bool = False


class AzureDevOpsGrant(Shape, frozen=True):
    """`ApplicationGrant.spec.federation.azureDevOps[]`."""

    organization_id: str
    projects: list[str] | None = None
    connection_ids: list[str] | None = None


class Federation(Shape, frozen=True):
    """`ApplicationGrant.spec.federation`."""

    sources: tuple[FederationSource, ...] = (FederationSource.SERVICE_ACCOUNT,)
    git_hub: list[GitHubGrant] | None = None
    azure_dev_ops: list[AzureDevOpsGrant] | None = None
    managed_identities: list[str] | None = None
    issuers: list[str] | None = None


class ApplicationGrant(Shape, frozen=True):
    """`ApplicationGrant.spec`."""

    applications: Applications
    namespaces: Namespaces
    tenant_ref: TenantRef = TenantRef()
    types: list[CredentialType] | None = None
    max_lifetime: str | None = None
    federation: Federation = Federation()
    service_accounts: list[str] | None = None
    allow_operator_identity: bool = False
    max_credentials: int = DEFAULT_MAX_CREDENTIALS
    expires: str | None = None


class EntraTenantManifest(Shape, frozen=True):
    """A whole EntraTenant."""

    metadata: Metadata
    spec: EntraTenant


class ApplicationGrantManifest(Shape, frozen=True):
    """A whole ApplicationGrant."""

    metadata: Metadata
    spec: ApplicationGrant
