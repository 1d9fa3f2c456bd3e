"""What a grant says of federated identities: whose tokens may be trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest_cluster as cluster
from appcredential.domain.spec.federated import (
    DevOpsGrant,
    FederationGrant,
    FederationSource,
    GitHubGrant,
)
from appcredential.domain.spec.git_hub_source import GIT_HUB_HOST
from appcredential.domain.spec.issuers import foreign_issuer
from appcredential.domain.spec.parse_azure_dev_ops import project
from appcredential.domain.spec.parse_git_hub import (
    custom_subject,
    git_hub_server,
    organization,
)
from appcredential.domain.spec.parse_workflows import repository

MAX_ENTRIES: Final = 64


def parse_federation(
    spec: cluster.Federation, service_accounts: list[str] | None
) -> FederationGrant:
    """Read a grant's `federation` and `serviceAccounts`.

    Raises:
        InvalidSpecError: a value cannot be used.
    """
    path = "spec.federation"
    accounts = None
    if service_accounts is not None:
        accounts = checks.listed("spec.serviceAccounts", service_accounts, checks.object_name)
    git_hub, dev_ops = spec.git_hub or [], spec.azure_dev_ops or []
    for name, count in (("gitHub", len(git_hub)), ("azureDevOps", len(dev_ops))):
        remedy = f"must have at most {MAX_ENTRIES} items"
        checks.require(count <= MAX_ENTRIES, f"{path}.{name}", remedy)
    return FederationGrant(
        allows_service_accounts=FederationSource.SERVICE_ACCOUNT in spec.sources,
        service_accounts=accounts,
        git_hub=tuple(_git_hub(f"{path}.gitHub[{i}]", e) for i, e in enumerate(git_hub)),
        azure_dev_ops=tuple(_dev_ops(f"{path}.azureDevOps[{i}]", e) for i, e in enumerate(dev_ops)),
        managed_identities=_few(f"{path}.managedIdentities", spec.managed_identities, checks.guid),
        issuers=_few(f"{path}.issuers", spec.issuers, foreign_issuer),
    )


def _few(path: str, values: list[str] | None, each: Callable[[str, str], str]) -> frozenset[str]:
    return frozenset() if values is None else checks.listed(path, values, each)


def _git_hub(path: str, entry: cluster.GitHubGrant) -> GitHubGrant:
    host = None if entry.host == GIT_HUB_HOST else entry.host
    return GitHubGrant(
        organization=organization(f"{path}.organization", entry.organization),
        server=git_hub_server(path, host, entry.enterprise or None),
        repositories=_few(f"{path}.repositories", entry.repositories, repository),
        subjects=_few(f"{path}.subjects", entry.subjects, custom_subject),
        immutable_only=entry.immutable_only,
        allow_pull_request=entry.allow_pull_request,
    )


def _dev_ops(path: str, entry: cluster.AzureDevOpsGrant) -> DevOpsGrant:
    return DevOpsGrant(
        organization_id=checks.guid(f"{path}.organizationId", entry.organization_id),
        projects=_few(f"{path}.projects", entry.projects, project),
        connection_ids=_few(f"{path}.connectionIds", entry.connection_ids, checks.guid),
    )
