"""Whose workflows of GitHub an application trusts, as immutable values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final


class EntityType(StrEnum):
    """`gitHub.entityType` and `entities[].type`, in the portal's words."""

    ENVIRONMENT = "Environment"
    BRANCH = "Branch"
    TAG = "Tag"
    PULL_REQUEST = "PullRequest"


class SubjectFormat(StrEnum):
    """`gitHub.subjectFormat`: with ids, which survive a rename, by name, or both."""

    IMMUTABLE = "Immutable"
    NAME = "Name"
    BOTH = "Both"


GIT_HUB_HOST: Final = "github.com"
"""`gitHub[].host` of a grant that names none. It has a value because it is a key of the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubServer:
    """Which GitHub issues the tokens; github.com itself when both are empty.

    Attributes:
        host: of an enterprise with data residency (ghe.com) or of a GitHub Enterprise Server.
        enterprise: slug of an enterprise of github.com whose issuer has its name.
    """

    host: str = ""
    enterprise: str = ""


GITHUB_COM: Final = GitHubServer()


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubRepository:
    """One repository. The id is empty with `SubjectFormat.NAME`."""

    name: str
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubEntity:
    """What a workflow runs for. A pull request has no name."""

    type: EntityType
    name: str = ""

    def __str__(self) -> str:
        return f"{self.type} {self.name}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubSource:
    """Workflows of repositories of one owner: each repository with each entity.

    The id is empty with `SubjectFormat.NAME`.
    """

    organization: str
    server: GitHubServer = GITHUB_COM
    repositories: tuple[GitHubRepository, ...]
    entities: tuple[GitHubEntity, ...]
    subject_format: SubjectFormat = SubjectFormat.IMMUTABLE
    organization_id: str = ""

    @property
    def workflows(self) -> tuple[tuple[GitHubRepository, GitHubEntity], ...]:
        """Each repository with each entity, in the order of the spec."""
        return tuple(product(self.repositories, self.entities))


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubSubjectSource:
    """Workflows of an organization that chose the claims of its subjects itself."""

    organization: str
    server: GitHubServer = GITHUB_COM
    subject: str
