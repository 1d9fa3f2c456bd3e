"""Whose tokens may be trusted: only what is granted; and the grant a refusal shows works."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from appcredential.domain.conditions import Problem
from appcredential.domain.grants import allows_source, evaluate
from appcredential.domain.observed.entra import Grant
from appcredential.domain.spec.federated import (
    EntityType,
    FederationGrant,
    GitHubGrant,
    ServiceAccountSource,
    Source,
    SubjectFormat,
)
from appcredential.domain.spec.model import ApplicationGrantSpec, CredentialType
from appcredential.domain.spec.parse import parse_application_grant
from tests.support.builders import CLIENT_ID, tenant
from tests.support.federated import (
    ACCOUNT,
    GITHUB,
    KEY_SOURCE,
    MANAGED,
    OTHER,
    PRINCIPAL,
    federated_spec,
)

DEFAULT = ServiceAccountSource(name="default")
REQUEST = replace(GITHUB, entity_type=EntityType.PULL_REQUEST, entity_name="")
IMMUTABLE = replace(GITHUB, subject_format=SubjectFormat.IMMUTABLE)
CONTOSO = GitHubGrant(organization="contoso")


def git_hub(**fields: object) -> FederationGrant:
    entry = replace(CONTOSO, **fields)  # type: ignore[arg-type]
    return FederationGrant(git_hub=(entry,))


@pytest.mark.parametrize(
    ("grant", "source", "allowed"),
    [
        (FederationGrant(), ACCOUNT, True),
        (FederationGrant(), DEFAULT, False),
        (FederationGrant(), GITHUB, False),
        (FederationGrant(), MANAGED, False),
        (FederationGrant(), KEY_SOURCE, False),
        (FederationGrant(), OTHER, False),
        (FederationGrant(allows_service_accounts=False), ACCOUNT, False),
        (FederationGrant(service_accounts=frozenset({"default"})), DEFAULT, True),
        (FederationGrant(service_accounts=frozenset({"default"})), ACCOUNT, False),
        (git_hub(), GITHUB, True),
        (git_hub(organization="Contoso"), GITHUB, False),
        (git_hub(repositories=frozenset({"shop"})), GITHUB, True),
        (git_hub(repositories=frozenset({"shop-2"})), GITHUB, False),
        (git_hub(immutable_only=True), GITHUB, False),
        (git_hub(immutable_only=True), IMMUTABLE, True),
        (git_hub(), REQUEST, False),
        (git_hub(allow_pull_request=True), REQUEST, True),
        (FederationGrant(managed_identities=frozenset({PRINCIPAL})), MANAGED, True),
        (FederationGrant(managed_identities=frozenset({PRINCIPAL})), KEY_SOURCE, True),
        (FederationGrant(issuers=frozenset({OTHER.issuer})), OTHER, True),
        (FederationGrant(issuers=frozenset({OTHER.issuer + "/"})), OTHER, False),
    ],
)
def test_only_what_is_named_is_allowed(
    grant: FederationGrant, source: Source, allowed: bool
) -> None:
    assert allows_source(grant, source) is allowed


@pytest.mark.parametrize("source", [ACCOUNT, DEFAULT, GITHUB, REQUEST, MANAGED, KEY_SOURCE, OTHER])
def test_the_grant_that_a_refusal_shows_allows_it_and_parses(source: Source) -> None:
    spec = federated_spec(source)
    refusal = evaluate({}, "shop", spec, tenant())
    assert isinstance(refusal, Problem)
    shown = json.loads(refusal.message[refusal.message.index("{") :])
    found = evaluate({"shown": parse_application_grant(shown)}, "shop", spec, tenant())
    assert found == Grant(name="shown", max_lifetime=None)


def test_the_type_alone_opens_no_door() -> None:
    grant = ApplicationGrantSpec(
        tenant="default",
        client_ids=frozenset({CLIENT_ID}),
        namespaces=frozenset({"shop"}),
    )
    assert CredentialType.FEDERATED_IDENTITY in CredentialType
    assert isinstance(evaluate({"g": grant}, "shop", federated_spec(OTHER), tenant()), Problem)
    assert isinstance(evaluate({"g": grant}, "shop", federated_spec(ACCOUNT), tenant()), Grant)
