"""`spec.federatedIdentity.gitHub`: workflows of one repository."""

from __future__ import annotations

import re
from typing import Final

from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest as shapes
from appcredential.domain.spec.federated import EntityType, GitHubSource, SubjectFormat

MAX_ENTITY: Final = 255

_PATH: Final = "spec.federatedIdentity.gitHub"
_ORGANIZATION: Final = re.compile(r"[A-Za-z0-9]([-_A-Za-z0-9]{0,98}[A-Za-z0-9])?")
_REPOSITORY: Final = re.compile(r"[-._A-Za-z0-9]{1,100}")
_GITHUB_ID: Final = re.compile(r"[1-9][0-9]{0,18}")
_REF: Final = re.compile(r"[^ ~^:?*\[\\/]+(/[^ ~^:?*\[\\/]+)*")


def parse_git_hub(member: shapes.GitHub) -> GitHubSource:
    """Read `spec.federatedIdentity.gitHub`.

    Raises:
        InvalidSpecError: a value cannot be used.
    """
    owner = organization(f"{_PATH}.organization", member.organization)
    name = repository(f"{_PATH}.repository", member.repository)
    _check_ids(member)
    return GitHubSource(
        organization=owner,
        repository=name,
        entity_type=member.entity_type,
        entity_name=_entity(f"{_PATH}.entityName", member),
        subject_format=member.subject_format,
        organization_id=member.organization_id or "",
        repository_id=member.repository_id or "",
    )


def organization(path: str, value: str) -> str:
    """Return the name of an organization or user of GitHub."""
    remedy = "must be the organization's or user's name alone: letters, digits, dashes, underscores"
    checks.require(_ORGANIZATION.fullmatch(value) is not None, path, remedy)
    return value


def repository(path: str, value: str) -> str:
    """Return the name of a repository, without its organization."""
    remedy = "must be the repository's name alone, without its organization and without .git"
    ok = _REPOSITORY.fullmatch(value) is not None and value not in {".", ".."}
    checks.require(ok and not value.endswith(".git"), path, remedy)
    return value


def _check_ids(member: shapes.GitHub) -> None:
    """Require both ids where the subject contains them, and refuse them otherwise."""
    ids = {"organizationId": member.organization_id, "repositoryId": member.repository_id}
    for name, value in ids.items():
        if member.subject_format is SubjectFormat.NAME:
            remedy = "is only for subjectFormat Immutable or Both: remove it"
            checks.require(value is None, f"{_PATH}.{name}", remedy)
            continue
        if value is None:
            checks.refuse(
                f"{_PATH}.{name}",
                f"is required for subjectFormat {member.subject_format}: gh api repos/OWNER/NAME "
                "--jq '.owner.id, .id' shows both ids",
            )
        remedy = "must be the number that GitHub gave it"
        checks.require(_GITHUB_ID.fullmatch(value) is not None, f"{_PATH}.{name}", remedy)


def _entity(path: str, member: shapes.GitHub) -> str:
    kind, name = member.entity_type, member.entity_name
    if kind is EntityType.PULL_REQUEST:
        remedy = "is not for entityType PullRequest: remove it"
        checks.require(name is None, path, remedy)
        return ""
    if name is None:
        checks.refuse(path, f"is required for entityType {kind}")
    checks.trimmed(path, name, MAX_ENTITY)
    if kind is not EntityType.ENVIRONMENT:
        remedy = (
            "must be the plain name of one branch or tag, such as main: without refs/heads/ or "
            "refs/tags/ before it and without wildcards"
        )
        ok = _REF.fullmatch(name) is not None and not name.startswith("refs/")
        checks.require(ok, path, remedy)
    return name
