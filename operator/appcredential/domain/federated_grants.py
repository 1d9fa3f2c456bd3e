"""Whose tokens a grant lets be trusted: only what an administrator named."""

from __future__ import annotations

from typing import Any

from appcredential.domain.spec.federated import (
    CustomerManagedKeySource,
    EntityType,
    FederationGrant,
    GitHubGrant,
    GitHubSource,
    ManagedIdentitySource,
    ServiceAccountSource,
    Source,
    SubjectFormat,
)

DEFAULT_SERVICE_ACCOUNT = "default"
"""What every pod has that names no other: never trusted unless a grant names it."""


def allows_source(grant: FederationGrant, source: Source) -> bool:
    """Tell whether a grant allows this source."""
    match source:
        case ServiceAccountSource():
            return grant.allows_service_accounts and _allows_account(grant, source.name)
        case GitHubSource():
            return any(_allows_repository(entry, source) for entry in grant.git_hub)
        case ManagedIdentitySource() | CustomerManagedKeySource():
            return source.principal_id in grant.managed_identities
        case _:
            return source.issuer in grant.issuers


def _allows_account(grant: FederationGrant, name: str) -> bool:
    if grant.service_accounts is None:
        return name != DEFAULT_SERVICE_ACCOUNT
    return name in grant.service_accounts


def _allows_repository(grant: GitHubGrant, source: GitHubSource) -> bool:
    if grant.organization != source.organization:
        return False
    if grant.repositories and source.repository not in grant.repositories:
        return False
    if grant.immutable_only and source.subject_format is not SubjectFormat.IMMUTABLE:
        return False
    return grant.allow_pull_request or source.entity_type is not EntityType.PULL_REQUEST


def grant_members(source: Source) -> dict[str, Any]:
    """Return the members of a grant that would allow this source, and no more than it."""
    match source:
        case ServiceAccountSource():
            accounts = {"serviceAccounts": [source.name]}
            return accounts if source.name == DEFAULT_SERVICE_ACCOUNT else {}
        case GitHubSource():
            entry = {"organization": source.organization, "repositories": [source.repository]}
            is_request = source.entity_type is EntityType.PULL_REQUEST
            return _federation(gitHub=[entry | ({"allowPullRequest": True} if is_request else {})])
        case ManagedIdentitySource() | CustomerManagedKeySource():
            return _federation(managedIdentities=[source.principal_id])
        case _:
            return _federation(issuers=[source.issuer])


def _federation(**members: Any) -> dict[str, Any]:
    return {"federation": {"sources": [], **members}}
