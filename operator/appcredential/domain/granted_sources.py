"""Whose tokens a grant allows to be trusted: what it names, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, assert_never

from appcredential.domain.spec.federated import (
    CustomerManagedKeySource,
    DevOpsConnectionSource,
    DevOpsGrant,
    DevOpsProjectSource,
    FederationGrant,
    GitHubGrant,
    ManagedIdentitySource,
    OtherSource,
    ServiceAccountSource,
    Source,
)
from appcredential.domain.spec.git_hub_source import (
    EntityType,
    GitHubEntity,
    GitHubRepository,
    GitHubServer,
    GitHubSource,
    GitHubSubjectSource,
    SubjectFormat,
)

DEFAULT_SERVICE_ACCOUNT: Final = "default"
"""The ServiceAccount of pods that name none. It is trusted only if a grant names it."""


def allows_source(grant: FederationGrant, source: Source) -> bool:
    """Return whether a grant allows this source."""
    match source:
        case ServiceAccountSource():
            return grant.allows_service_accounts and _allows_account(grant, source.name)
        case GitHubSource():
            return next(_refused_workflows(grant, source), None) is None
        case GitHubSubjectSource():
            return any(_allows_subject(entry, source) for entry in grant.git_hub)
        case DevOpsConnectionSource():
            return any(_allows_connection(entry, source) for entry in grant.azure_dev_ops)
        case DevOpsProjectSource():
            return any(_allows_project(entry, source) for entry in grant.azure_dev_ops)
        case ManagedIdentitySource() | CustomerManagedKeySource():
            return source.principal_id in grant.managed_identities
        case OtherSource():
            return source.issuer in grant.issuers
        case _:
            assert_never(source)


def _allows_account(grant: FederationGrant, name: str) -> bool:
    if grant.service_accounts is None:
        return name != DEFAULT_SERVICE_ACCOUNT
    return name in grant.service_accounts


def _is_of(grant: GitHubGrant, source: GitHubSource | GitHubSubjectSource) -> bool:
    """Return whether an entry is about this organization: another GitHub may have its name."""
    return grant.server == source.server and grant.organization == source.organization


def refused_workflows(grant: FederationGrant, source: GitHubSource) -> tuple[str, ...]:
    """Return which workflows a grant does not allow, in words: repository and entity.

    Its entries are a union: one may allow some of the repositories, and one the others.
    """
    return tuple(
        f"{repository.name} {entity}" for repository, entity in _refused_workflows(grant, source)
    )


def _refused_workflows(
    grant: FederationGrant, source: GitHubSource
) -> Iterator[tuple[GitHubRepository, GitHubEntity]]:
    """Yield them one by one: of most grants, which are of others, the first one tells enough."""
    entries = [entry for entry in grant.git_hub if _is_of(entry, source)]
    for repository, entity in source.workflows:
        if not any(_allows_workflow(e, source, repository, entity) for e in entries):
            yield repository, entity


def _allows_workflow(
    grant: GitHubGrant, source: GitHubSource, repository: GitHubRepository, entity: GitHubEntity
) -> bool:
    """Return whether an entry for the source's organization allows one workflow."""
    is_named = repository.name in grant.repositories
    names_any = bool(grant.repositories or grant.subjects)
    if names_any and not is_named:
        return False
    if grant.immutable_only and source.subject_format is not SubjectFormat.IMMUTABLE:
        return False
    return grant.allow_pull_request or entity.type is not EntityType.PULL_REQUEST


def _allows_subject(grant: GitHubGrant, source: GitHubSubjectSource) -> bool:
    """Return whether an entry lists the subject; nothing else says what a subject stands for."""
    return _is_of(grant, source) and source.subject in grant.subjects


def _is_whole(grant: DevOpsGrant) -> bool:
    """Return whether an entry allows everything of its organization."""
    return not grant.projects and not grant.connection_ids


def _allows_connection(grant: DevOpsGrant, source: DevOpsConnectionSource) -> bool:
    """Return whether an entry allows a connection; its tokens do not say of which project it is."""
    is_named = source.connection_id in grant.connection_ids
    return grant.organization_id == source.organization_id and (is_named or _is_whole(grant))


def _allows_project(grant: DevOpsGrant, source: DevOpsProjectSource) -> bool:
    is_named = source.project in grant.projects
    return grant.organization_id == source.organization_id and (is_named or _is_whole(grant))


def grant_members(source: Source) -> dict[str, Any]:
    """Return the members of a grant that would allow this source and nothing else."""
    match source:
        case ServiceAccountSource():
            accounts = {"serviceAccounts": [source.name]}
            return accounts if source.name == DEFAULT_SERVICE_ACCOUNT else {}
        case GitHubSource():
            names = [repository.name for repository in source.repositories]
            entry = {**_git_hub(source), "repositories": names}
            is_request = any(e.type is EntityType.PULL_REQUEST for e in source.entities)
            return _federation(gitHub=[entry | ({"allowPullRequest": True} if is_request else {})])
        case GitHubSubjectSource():
            return _federation(gitHub=[{**_git_hub(source), "subjects": [source.subject]}])
        case DevOpsConnectionSource():
            return _dev_ops(source, connectionIds=[source.connection_id])
        case DevOpsProjectSource():
            return _dev_ops(source, projects=[source.project])
        case ManagedIdentitySource() | CustomerManagedKeySource():
            return _federation(managedIdentities=[source.principal_id])
        case OtherSource():
            return _federation(issuers=[source.issuer])
        case _:
            assert_never(source)


def _git_hub(source: GitHubSource | GitHubSubjectSource) -> dict[str, Any]:
    return {"organization": source.organization, **_server(source.server)}


def _server(server: GitHubServer) -> dict[str, str]:
    members = {"host": server.host, "enterprise": server.enterprise}
    return {name: value for name, value in members.items() if value}


def _dev_ops(
    source: DevOpsConnectionSource | DevOpsProjectSource, **named: list[str]
) -> dict[str, Any]:
    return _federation(azureDevOps=[{"organizationId": source.organization_id, **named}])


def _federation(**members: Any) -> dict[str, Any]:
    return {"federation": {"sources": [], **members}}
