"""Repositories and entities of `spec.federatedIdentity.gitHub`: one of each, or lists.

Both forms have the same rules. Each repository goes with each entity.
"""

from __future__ import annotations

import re
from typing import Final

from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest as shapes
from appcredential.domain.spec.git_hub_source import (
    EntityType,
    GitHubEntity,
    GitHubRepository,
    SubjectFormat,
)

MAX_ENTITY: Final = 255
MAX_ITEMS: Final = 20
"""Of either list: an application can have so many federated credentials."""

_PATH: Final = "spec.federatedIdentity.gitHub"
_REPOSITORY: Final = re.compile(r"[-._A-Za-z0-9]{1,100}")
_GITHUB_ID: Final = re.compile(r"[1-9][0-9]{0,18}")
_REF: Final = re.compile(r"[^ ~^:?*\[\\/]+(/[^ ~^:?*\[\\/]+)*")


def repositories(member: shapes.GitHub) -> tuple[GitHubRepository, ...]:
    """Return the repositories: the one of `repository`, or those of the list.

    Raises:
        InvalidSpecError: both forms, neither, or a value that cannot be used.
    """
    if member.repositories is None:
        if member.repository is None:
            checks.refuse(
                f"{_PATH}.repository", "is required, or repositories, unless subject is set"
            )
        name = repository(f"{_PATH}.repository", member.repository)
        id_ = number(_PATH, "repositoryId", member.repository_id, member)
        return (GitHubRepository(name=name, id=id_),)
    path = f"{_PATH}.repositories"
    remedy = "cannot be together with repository: keep one of them"
    checks.require(member.repository is None, path, remedy)
    remedy = "belongs to repository: give each of repositories a repositoryId of its own"
    checks.require(member.repository_id is None, f"{_PATH}.repositoryId", remedy)
    checks.listed(path, [r.name for r in member.repositories], _repository_name, MAX_ITEMS)
    return tuple(
        GitHubRepository(
            name=r.name, id=number(f"{path}[{i}]", "repositoryId", r.repository_id, member)
        )
        for i, r in enumerate(member.repositories)
    )


def _repository_name(path: str, value: str) -> str:
    return repository(f"{path}.name", value)


def repository(path: str, value: str) -> str:
    """Return the name of a repository, without its organization."""
    remedy = "must be the repository's name alone, without its organization and without .git"
    ok = _REPOSITORY.fullmatch(value) is not None and value not in {".", ".."}
    checks.require(ok and not value.endswith(".git"), path, remedy)
    return value


def number(path: str, field: str, value: str | None, member: shapes.GitHub) -> str:
    """Return an id, which is required where the subject contains it, and refused otherwise.

    Args:
        path: of the object that has it.
        field: its name there.
        value: as given.
        member: whose `subjectFormat` decides.

    Raises:
        InvalidSpecError: it is missing, superfluous, or no number.
    """
    path = f"{path}.{field}"
    if member.subject_format is SubjectFormat.NAME:
        remedy = "is only for subjectFormat Immutable or Both: remove it"
        checks.require(value is None, path, remedy)
        return ""
    if value is None:
        checks.refuse(
            path,
            f"is required for subjectFormat {member.subject_format}: gh api repos/OWNER/NAME "
            "--jq '.owner.id, .id' shows both ids",
        )
    remedy = "must be the number that GitHub gave it"
    checks.require(_GITHUB_ID.fullmatch(value) is not None, path, remedy)
    return value


def entities(member: shapes.GitHub) -> tuple[GitHubEntity, ...]:
    """Return the entities: the one of `entityType` and `entityName`, or those of the list.

    Raises:
        InvalidSpecError: both forms, neither, or a value that cannot be used.
    """
    if member.entities is None:
        kind, name = member.entity_type, member.entity_name
        if kind is None:
            checks.refuse(f"{_PATH}.entityType", "is required, or entities, unless subject is set")
        return (_entity(f"{_PATH}.entityName", kind, name, "entityType"),)
    path = f"{_PATH}.entities"
    remedy = "cannot be together with entityType and entityName: keep one form"
    is_alone = member.entity_type is None and member.entity_name is None
    checks.require(is_alone, path, remedy)
    found = [
        _entity(f"{path}[{i}].name", entity.type, entity.name or None, "type")
        for i, entity in enumerate(member.entities)
    ]
    checks.listed(path, found, lambda _path, entity: entity, MAX_ITEMS)
    return tuple(found)


def _entity(path: str, kind: EntityType, name: str | None, field: str) -> GitHubEntity:
    if kind is EntityType.PULL_REQUEST:
        remedy = f"is not for {field} PullRequest: remove it"
        checks.require(name is None, path, remedy)
        return GitHubEntity(type=kind)
    if name is None:
        checks.refuse(path, f"is required for {field} {kind}")
    checks.trimmed(path, name, MAX_ENTITY)
    if kind is not EntityType.ENVIRONMENT:
        remedy = (
            "must be the plain name of one branch or tag, such as main: without refs/heads/ or "
            "refs/tags/ before it and without wildcards"
        )
        ok = _REF.fullmatch(name) is not None and not name.startswith("refs/")
        checks.require(ok, path, remedy)
    return GitHubEntity(type=kind, name=name)
