"""What `spec.federatedIdentity` and a grant's `federation` say, as immutable values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from appcredential.domain.spec.git_hub_source import (
    GITHUB_COM,
    GitHubServer,
    GitHubSource,
    GitHubSubjectSource,
)


class DevOpsIssuer(StrEnum):
    """`azureDevOps.issuer`: who issues the tokens of a service connection."""

    ENTRA = "Entra"
    AZURE_DEV_OPS = "AzureDevOps"


class AnnotationMode(StrEnum):
    """`serviceAccount.annotation`: whether the operator annotates the ServiceAccount."""

    MANAGE = "Manage"
    NONE = "None"


class FederationSource(StrEnum):
    """Members of a grant's `federation.sources`; a grant names all other sources one by one."""

    SERVICE_ACCOUNT = "ServiceAccount"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccountSource:
    """A ServiceAccount of the resource's own namespace."""

    name: str
    is_annotated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DevOpsConnectionSource:
    """A service connection of Azure DevOps, whose tokens Entra issues."""

    organization_id: str
    connection_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DevOpsProjectSource:
    """A service connection or pipeline of Azure DevOps, which issues the tokens itself.

    Attributes:
        connection: name of the service connection; empty for a pipeline.
        pipeline: name of the pipeline; empty for a service connection.
    """

    organization_id: str
    organization: str
    project: str
    connection: str = ""
    pipeline: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedIdentitySource:
    """A user-assigned managed identity of the same tenant, by its principal (object) id."""

    principal_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerManagedKeySource:
    """The same for Azure services that use a key in a customer's tenant.

    Attributes:
        resource_id: of the managed identity in Azure; the output only repeats it.
    """

    principal_id: str
    resource_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSource:
    """Any other issuer of OpenID Connect tokens."""

    issuer: str
    subject: str


Source: TypeAlias = (
    ServiceAccountSource
    | GitHubSource
    | GitHubSubjectSource
    | DevOpsConnectionSource
    | DevOpsProjectSource
    | ManagedIdentitySource
    | CustomerManagedKeySource
    | OtherSource
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedSpec:
    """`spec.federatedIdentity`.

    Attributes:
        name_prefix: the given one, or made from namespace and name.
        audience: the given one; empty for the cloud's own.
        config_map: name of the output ConfigMap; empty for none.
    """

    source: Source
    name_prefix: str
    audience: str = ""
    config_map: str = ""

    @property
    def account(self) -> str:
        """Name of the trusted ServiceAccount; empty for another source."""
        return self.source.name if isinstance(self.source, ServiceAccountSource) else ""

    @property
    def principal_id(self) -> str:
        """Principal (object) id of the managed identity that is trusted; empty for another."""
        source = self.source
        if isinstance(source, ManagedIdentitySource | CustomerManagedKeySource):
            return source.principal_id
        return ""

    @property
    def annotated_account(self) -> str:
        """Name of the ServiceAccount that the operator annotates; empty for none."""
        source = self.source
        is_annotated = isinstance(source, ServiceAccountSource) and source.is_annotated
        return self.account if is_annotated else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubGrant:
    """`federation.gitHub[]`.

    Attributes:
        repositories: the allowed ones. None at all is every one of the organization, unless
            `subjects` says what is allowed.
        subjects: the allowed subjects of `gitHub.subject`.
    """

    organization: str
    server: GitHubServer = GITHUB_COM
    repositories: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    immutable_only: bool = False
    allow_pull_request: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DevOpsGrant:
    """`federation.azureDevOps[]`. With neither list it is the whole organization.

    Attributes:
        projects: the allowed ones, for tokens that Azure DevOps issues: those name their project.
        connection_ids: the allowed service connections, for tokens that Entra issues.
    """

    organization_id: str
    projects: frozenset[str] = frozenset()
    connection_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class FederationGrant:
    """`ApplicationGrant.spec.federation` and `serviceAccounts`.

    A trust in another issuer opens a door from the internet, so a grant has to name it.

    Attributes:
        service_accounts: the allowed names; None for all but `default`.
    """

    allows_service_accounts: bool = True
    service_accounts: frozenset[str] | None = None
    git_hub: tuple[GitHubGrant, ...] = ()
    azure_dev_ops: tuple[DevOpsGrant, ...] = ()
    managed_identities: frozenset[str] = frozenset()
    issuers: frozenset[str] = frozenset()
