"""`spec.federatedIdentity.gitHub`: workflows of one repository, or one subject as it is."""

from __future__ import annotations

import re
from typing import Final

from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest as shapes
from appcredential.domain.spec.federated import (
    EntityType,
    GitHubServer,
    GitHubSource,
    GitHubSubjectSource,
    SubjectFormat,
)
from appcredential.domain.spec.git_hub import RESIDENT

MAX_ENTITY: Final = 255
MAX_SUBJECT: Final = 600

_PATH: Final = "spec.federatedIdentity.gitHub"
_ORGANIZATION: Final = re.compile(r"[A-Za-z0-9]([-_A-Za-z0-9]{0,98}[A-Za-z0-9])?")
_REPOSITORY: Final = re.compile(r"[-._A-Za-z0-9]{1,100}")
_GITHUB_ID: Final = re.compile(r"[1-9][0-9]{0,18}")
_REF: Final = re.compile(r"[^ ~^:?*\[\\/]+(/[^ ~^:?*\[\\/]+)*")
_HOST: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+")
_NO_HOST: Final = re.compile(r"(.+\.)?(github|githubusercontent)\.com|ghe\.com|.+\..+\.ghe\.com")


def parse_git_hub(member: shapes.GitHub) -> GitHubSource | GitHubSubjectSource:
    """Read `spec.federatedIdentity.gitHub`.

    Raises:
        InvalidSpecError: a value cannot be used.
    """
    owner = organization(f"{_PATH}.organization", member.organization)
    server = git_hub_server(_PATH, member.host, member.enterprise)
    if member.subject is None:
        return _of_repository(member, owner, server)
    _check_alone(member)
    subject = custom_subject(f"{_PATH}.subject", member.subject)
    return GitHubSubjectSource(organization=owner, server=server, subject=subject)


def _of_repository(member: shapes.GitHub, owner: str, server: GitHubServer) -> GitHubSource:
    if member.repository is None:
        checks.refuse(f"{_PATH}.repository", "is required, unless subject is set")
    if member.entity_type is None:
        checks.refuse(f"{_PATH}.entityType", "is required, unless subject is set")
    name = repository(f"{_PATH}.repository", member.repository)
    if server.host and not server.host.endswith(RESIDENT):
        remedy = "must be Name for a GitHub Enterprise Server, whose subjects have no ids"
        is_name = member.subject_format is SubjectFormat.NAME
        checks.require(is_name, f"{_PATH}.subjectFormat", remedy)
    _check_ids(member)
    return GitHubSource(
        organization=owner,
        server=server,
        repository=name,
        entity_type=member.entity_type,
        entity_name=_entity(f"{_PATH}.entityName", member, member.entity_type),
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


def git_hub_server(path: str, host: str | None, enterprise: str | None) -> GitHubServer:
    """Return which GitHub it is that issues the tokens."""
    if host is not None:
        checks.at_most(f"{path}.host", host, 253)
        remedy = "must be the host alone, in lower case, such as contoso.ghe.com"
        checks.require(_HOST.fullmatch(host) is not None, f"{path}.host", remedy)
        remedy = (
            "must be SUBDOMAIN.ghe.com or the host of a GitHub Enterprise Server: leave it out for "
            "github.com"
        )
        checks.require(_NO_HOST.fullmatch(host) is None, f"{path}.host", remedy)
    if enterprise is not None:
        remedy = "must be the enterprise's slug: letters, digits, dashes"
        is_slug = _ORGANIZATION.fullmatch(enterprise) is not None
        checks.require(is_slug, f"{path}.enterprise", remedy)
        remedy = "is only for github.com: remove it, or remove host"
        checks.require(host is None, f"{path}.enterprise", remedy)
    return GitHubServer(host=host or "", enterprise=enterprise or "")


def custom_subject(path: str, value: str) -> str:
    """Return a subject that an organization customised, exactly as its tokens have it."""
    checks.trimmed(path, value, MAX_SUBJECT)
    remedy = "must be one subject, exactly as sub in a token: Entra knows no wildcards"
    checks.require("*" not in value, path, remedy)
    return value


def _check_alone(member: shapes.GitHub) -> None:
    """Refuse a subject beside the members that another one would be computed from."""
    of_entity = (member.repository, member.entity_type, member.entity_name)
    ids = (member.organization_id, member.repository_id)
    is_default = member.subject_format is SubjectFormat.IMMUTABLE
    remedy = (
        "is taken as it is: remove it, or remove repository, entityType, entityName, "
        "subjectFormat, organizationId and repositoryId"
    )
    is_alone = is_default and all(value is None for value in (*of_entity, *ids))
    checks.require(is_alone, f"{_PATH}.subject", remedy)


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


def _entity(path: str, member: shapes.GitHub, kind: EntityType) -> str:
    name = member.entity_name
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
