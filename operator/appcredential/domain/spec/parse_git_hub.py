"""`spec.federatedIdentity.gitHub`: workflows of repositories, or one subject as it is."""

from __future__ import annotations

import re
from typing import Final

from appcredential.domain.spec import checks
from appcredential.domain.spec import manifest as shapes
from appcredential.domain.spec.git_hub import RESIDENT, github_subjects
from appcredential.domain.spec.git_hub_source import (
    GitHubServer,
    GitHubSource,
    GitHubSubjectSource,
    SubjectFormat,
)
from appcredential.domain.spec.parse_workflows import entities, number, repositories
from appcredential.domain.spec.trusts import MAX_CREDENTIALS

MAX_SUBJECT: Final = 600

_PATH: Final = "spec.federatedIdentity.gitHub"
_ORGANIZATION: Final = re.compile(r"[A-Za-z0-9]([-_A-Za-z0-9]{0,98}[A-Za-z0-9])?")
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
        return _of_repositories(member, owner, server)
    _check_alone(member)
    subject = custom_subject(f"{_PATH}.subject", member.subject)
    return GitHubSubjectSource(organization=owner, server=server, subject=subject)


def _of_repositories(member: shapes.GitHub, owner: str, server: GitHubServer) -> GitHubSource:
    if server.host and not server.host.endswith(RESIDENT):
        remedy = "must be Name for a GitHub Enterprise Server, whose subjects have no ids"
        is_name = member.subject_format is SubjectFormat.NAME
        checks.require(is_name, f"{_PATH}.subjectFormat", remedy)
    source = GitHubSource(
        organization=owner,
        server=server,
        repositories=repositories(member),
        entities=entities(member),
        subject_format=member.subject_format,
        organization_id=number(_PATH, "organizationId", member.organization_id, member),
    )
    _check_subjects(github_subjects(source))
    return source


def _check_subjects(subjects: list[str]) -> None:
    """Refuse more subjects than an application can trust, and one that is there twice."""
    remedy = (
        f"asks for {len(subjects)} federated credentials, one for each repository, each entity and "
        f"each form of the subject, and Entra allows an application {MAX_CREDENTIALS}: name fewer "
        "repositories or entities"
    )
    checks.require(len(subjects) <= MAX_CREDENTIALS, _PATH, remedy)
    longest = max(map(len, subjects))
    remedy = (
        f"makes a subject of {longest} characters, and Entra takes {MAX_SUBJECT}: shorten the name "
        "of the environment, branch or tag (each colon of an environment counts as three)"
    )
    checks.require(longest <= MAX_SUBJECT, _PATH, remedy)
    twice = next((s for s in subjects if subjects.count(s) > 1), "")
    remedy = f"asks twice for the subject {twice}: remove one of the two entities"
    checks.require(not twice, f"{_PATH}.entities", remedy)


def organization(path: str, value: str) -> str:
    """Return the name of an organization or user of GitHub."""
    remedy = "must be the organization's or user's name alone: letters, digits, dashes, underscores"
    checks.require(_ORGANIZATION.fullmatch(value) is not None, path, remedy)
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
    lists = (member.repositories, member.entities)
    of_entity = (member.repository, member.entity_type, member.entity_name)
    ids = (member.organization_id, member.repository_id)
    is_default = member.subject_format is SubjectFormat.IMMUTABLE
    remedy = (
        "is taken as it is: remove it, or remove repository, entityType, entityName, "
        "subjectFormat, organizationId, repositoryId, repositories and entities"
    )
    is_alone = is_default and all(value is None for value in (*lists, *of_entity, *ids))
    checks.require(is_alone, f"{_PATH}.subject", remedy)
