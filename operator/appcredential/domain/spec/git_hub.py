"""Issuer and subjects of the tokens of GitHub workflows.

Source: docs.github.com/actions/reference/security/oidc, for github.com, ghe.com and GitHub
Enterprise Server each.
"""

from __future__ import annotations

from typing import Final, assert_never

from appcredential.domain.spec.git_hub_source import (
    EntityType,
    GitHubEntity,
    GitHubRepository,
    GitHubServer,
    GitHubSource,
    SubjectFormat,
)

GITHUB_ISSUER: Final = "https://token.actions.githubusercontent.com"
RESIDENT: Final = ".ghe.com"
"""How the hosts of enterprises with data residency end."""


def github_issuer(server: GitHubServer) -> str:
    """Return the `iss` of a workflow's tokens."""
    if server.host.endswith(RESIDENT):
        return f"https://token.actions.{server.host}"
    if server.host:
        return f"https://{server.host}/_services/token"
    return f"{GITHUB_ISSUER}/{server.enterprise}" if server.enterprise else GITHUB_ISSUER


def github_subjects(source: GitHubSource) -> list[str]:
    """Return the `sub` of the workflows' tokens: of each repository with each entity.

    With `SubjectFormat.BOTH` each has two. A colon in an environment's name becomes %3A.
    """
    return [
        f"repo:{named}:{_entity(entity)}"
        for repository, entity in source.workflows
        for named in _repository(source, repository)
    ]


def _repository(source: GitHubSource, repository: GitHubRepository) -> list[str]:
    """Return how subjects name a repository, one for each format that the spec asks for."""
    by_name = f"{source.organization}/{repository.name}"
    by_id = f"{source.organization}@{source.organization_id}/{repository.name}@{repository.id}"
    match source.subject_format:
        case SubjectFormat.IMMUTABLE:
            return [by_id]
        case SubjectFormat.NAME:
            return [by_name]
        case SubjectFormat.BOTH:
            return [by_id, by_name]
        case _:
            assert_never(source.subject_format)


def _entity(entity: GitHubEntity) -> str:
    match entity.type:
        case EntityType.ENVIRONMENT:
            return f"environment:{entity.name.replace(':', '%3A')}"
        case EntityType.BRANCH:
            return f"ref:refs/heads/{entity.name}"
        case EntityType.TAG:
            return f"ref:refs/tags/{entity.name}"
        case EntityType.PULL_REQUEST:
            return "pull_request"
        case _:
            assert_never(entity.type)
