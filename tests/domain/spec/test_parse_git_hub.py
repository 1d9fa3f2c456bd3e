"""What only the parser sees of lists for GitHub: the subjects that they come to."""

from __future__ import annotations

from typing import Any

import pytest

from appcredential.domain.spec.git_hub_source import EntityType, GitHubEntity, GitHubRepository
from appcredential.domain.spec.parse import parse_app_credential
from appcredential.errors import InvalidSpecError
from tests.crds.manifests import APP, manifest


def parsed(**members: Any) -> Any:
    git_hub = {"organization": "contoso", "subjectFormat": "Name", **members}
    change = {
        "type": "FederatedIdentity",
        "clientSecret": None,
        "federatedIdentity": {"gitHub": git_hub},
    }
    spec = parse_app_credential(manifest(APP, change)).federated
    assert spec is not None
    return spec.source


def environments(*names: str) -> list[dict[str, str]]:
    return [{"type": "Environment", "name": name} for name in names]


def test_lists_and_single_values_come_to_the_same() -> None:
    lists = parsed(repositories=[{"name": "shop"}], entities=environments("prod"))
    assert lists == parsed(repository="shop", entityType="Environment", entityName="prod")
    assert lists.repositories == (GitHubRepository(name="shop"),)
    assert lists.entities == (GitHubEntity(type=EntityType.ENVIRONMENT, name="prod"),)


def test_one_subject_twice_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match=r"asks twice .*environment:a%3Ab: remove") as raised:
        parsed(repository="shop", entities=environments("a:b", "a%3Ab"))
    assert raised.value.path == "spec.federatedIdentity.gitHub.entities"


def test_a_subject_that_entra_does_not_take_is_refused() -> None:
    assert parsed(repository="shop", entityType="Environment", entityName=":" * 180)
    with pytest.raises(InvalidSpecError, match="790 characters, and Entra takes 600"):
        parsed(repository="r", entityType="Environment", entityName=f"{':' * 254}.")
