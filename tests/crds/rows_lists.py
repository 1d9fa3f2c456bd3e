"""Rows about lists of repositories and entities: each is a `federatedIdentity` member."""

from __future__ import annotations

from typing import Any, Final

from tests.crds.manifests import Row

_PATTERN: Final = "should match"
_NAME_ONLY: Final = {"subjectFormat": "Name", "organizationId": None}
_LISTS: Final = {
    "organization": "contoso",
    "organizationId": "1",
    "repositories": [{"name": "shop", "repositoryId": "22"}, {"name": "web", "repositoryId": "23"}],
    "entities": [
        {"type": "Branch", "name": "main"},
        {"type": "Tag", "name": "main"},
        {"type": "PullRequest"},
    ],
}


def _lists(**members: Any) -> dict[str, Any]:
    found = {**_LISTS, **members}
    return {"gitHub": {name: value for name, value in found.items() if value is not None}}


def _branches(count: int) -> list[dict[str, str]]:
    return [{"type": "Branch", "name": f"b{n}"} for n in range(count)]


def _named(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


ACCEPTED: Final[tuple[Row, ...]] = (
    ("lists", _lists()),
    (
        "a list of repositories",
        _lists(entities=None, entityType="PullRequest"),
    ),
    (
        "a list of entities",
        _lists(repositories=None, repository="shop", repositoryId="22", entities=_branches(20)),
    ),
    ("lists by name", _lists(**_NAME_ONLY, repositories=_named("shop", "web"))),
    ("twenty by both subjects", _lists(subjectFormat="Both", entities=_branches(5))),
    (
        "an environment in other letters",
        _lists(entities=[{"type": "Environment", "name": n} for n in ("prod", "Prod")]),
    ),
)
# Name, member, what the API server says, the field that the parser names.
REFUSED: Final[tuple[Row, ...]] = (
    *(
        (
            f"a subject beside {name}",
            {"gitHub": {"organization": "contoso", "subject": "a:b", name: _LISTS[name]}},
            "taken as it is",
            "gitHub.subject",
        )
        for name in ("repositories", "entities")
    ),
    ("a repository and a list", _lists(repository="a"), "keep one of them", "gitHub.repositories"),
    (
        "an id beside the list",
        _lists(repositoryId="22"),
        "a repositoryId of its own",
        "gitHub.repositoryId",
    ),
    ("an entity and a list", _lists(entityType="Tag"), "keep one form", "gitHub.entities"),
    ("an entity's name and a list", _lists(entityName="a"), "keep one form", "gitHub.entities"),
    (
        "an entity of the list without its id",
        _lists(repositories=[{"name": "a", "repositoryId": "1"}, {"name": "b"}]),
        "repositoryId is required",
        "gitHub.repositories[1].repositoryId",
    ),
    (
        "an id of the list without a use",
        _lists(**_NAME_ONLY, repositories=[{"name": "a", "repositoryId": "1"}]),
        "only for subjectFormat",
        "gitHub.repositories[0].repositoryId",
    ),
    ("no repositories", _lists(repositories=[]), "at least 1", "gitHub.repositories"),
    ("no entities", _lists(entities=[]), "at least 1", "gitHub.entities"),
    (
        "a repository twice",
        _lists(**_NAME_ONLY, repositories=_named("a", "a")),
        "Duplicate value",
        "gitHub.repositories",
    ),
    (
        "an entity twice",
        _lists(entities=[{"type": "PullRequest"}, {"type": "PullRequest", "name": ""}]),
        "Duplicate value",
        "gitHub.entities",
    ),
    (
        "a repository of the list with its owner",
        _lists(**_NAME_ONLY, repositories=_named("a/b")),
        _PATTERN,
        "gitHub.repositories[0].name",
    ),
    (
        "a repository of the list with .git",
        _lists(**_NAME_ONLY, repositories=_named("a.git")),
        "without .git",
        "gitHub.repositories[0].name",
    ),
    (
        "a branch without its name",
        _lists(entities=[{"type": "Branch"}]),
        "name is required",
        "gitHub.entities[0].name",
    ),
    (
        "pull requests with a name",
        _lists(entities=[{"type": "PullRequest", "name": "1"}]),
        "not for type PullRequest",
        "gitHub.entities[0].name",
    ),
    (
        "a ref in the list",
        _lists(entities=[{"type": "Tag", "name": "refs/tags/a"}]),
        "without refs/heads/",
        "gitHub.entities[0].name",
    ),
    (
        "a wildcard in the list",
        _lists(entities=[{"type": "Branch", "name": "release/*"}]),
        "wildcards",
        "gitHub.entities[0].name",
    ),
    (
        "a blank in the list",
        _lists(entities=[{"type": "Environment", "name": "a "}]),
        _PATTERN,
        "gitHub.entities[0].name",
    ),
    ("twenty-two", _lists(entities=_branches(11)), "more than 20 federated credentials", "gitHub"),
    (
        "twenty-four by both subjects",
        _lists(subjectFormat="Both", entities=_branches(6)),
        "more than 20 federated credentials",
        "gitHub",
    ),
    (
        "twenty-one repositories",
        _lists(**_NAME_ONLY, repositories=_named(*(f"r{n}" for n in range(21)))),
        "must have at most 20 items",
        "gitHub.repositories",
    ),
    ("twenty-one entities", _lists(entities=_branches(21)), "at most 20", "gitHub.entities"),
)
