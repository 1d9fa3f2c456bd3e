"""Issuer and subjects of the tokens of GitHub workflows."""

from __future__ import annotations

from typing import Final, assert_never

from appcredential.domain.spec.federated import EntityType, GitHubSource, SubjectFormat

GITHUB_ISSUER: Final = "https://token.actions.githubusercontent.com"


def github_subjects(source: GitHubSource) -> list[str]:
    """Return the `sub` of a workflow's tokens, one for each format that the spec asks for.

    Source: docs.github.com/actions/reference/security/oidc. A colon in an environment's name
    becomes %3A.
    """
    return [f"repo:{repository}:{_entity(source)}" for repository in _repositories(source)]


def _repositories(source: GitHubSource) -> list[str]:
    by_name = f"{source.organization}/{source.repository}"
    by_id = (
        f"{source.organization}@{source.organization_id}/{source.repository}@{source.repository_id}"
    )
    match source.subject_format:
        case SubjectFormat.IMMUTABLE:
            return [by_id]
        case SubjectFormat.NAME:
            return [by_name]
        case SubjectFormat.BOTH:
            return [by_id, by_name]
        case _:
            assert_never(source.subject_format)


def _entity(source: GitHubSource) -> str:
    match source.entity_type:
        case EntityType.ENVIRONMENT:
            return f"environment:{source.entity_name.replace(':', '%3A')}"
        case EntityType.BRANCH:
            return f"ref:refs/heads/{source.entity_name}"
        case EntityType.TAG:
            return f"ref:refs/tags/{source.entity_name}"
        case EntityType.PULL_REQUEST:
            return "pull_request"
        case _:
            assert_never(source.entity_type)
