"""Whose tokens may be trusted: only what is granted; and the grant a refusal shows works."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from appcredential.domain.conditions import Problem
from appcredential.domain.granted_sources import allows_source
from appcredential.domain.grants import evaluate
from appcredential.domain.observed.entra import Grant
from appcredential.domain.spec.federated import (
    DevOpsGrant,
    FederationGrant,
    GitHubGrant,
    ServiceAccountSource,
    Source,
)
from appcredential.domain.spec.git_hub_source import (
    EntityType,
    GitHubEntity,
    GitHubRepository,
    GitHubServer,
    GitHubSource,
    GitHubSubjectSource,
    SubjectFormat,
)
from appcredential.domain.spec.grant import NamedApplications, NamedNamespaces
from appcredential.domain.spec.model import ApplicationGrantSpec, CredentialType
from appcredential.domain.spec.parse import parse_application_grant
from tests.support.builders import CLIENT_ID, asker, tenant
from tests.support.federated import (
    ACCOUNT,
    CONNECTION,
    GITHUB,
    GITHUB_SUBJECT,
    KEY_SOURCE,
    MANAGED,
    OTHER,
    PRINCIPAL,
    PROJECT,
    entity,
    federated_spec,
    workflows,
)

DEFAULT = ServiceAccountSource(name="default")
REQUEST = replace(GITHUB, entities=entity(EntityType.PULL_REQUEST))
IMMUTABLE = replace(GITHUB, subject_format=SubjectFormat.IMMUTABLE)
LISTS = replace(
    workflows(2, 2), entities=(*workflows(1, 1).entities, *entity(EntityType.PULL_REQUEST))
)
CONTOSO = GitHubGrant(organization="contoso")
RESIDENT = GitHubServer(host="contoso.ghe.com")
ENTERPRISE = GitHubServer(enterprise="contoso")
LISTED = frozenset({GITHUB_SUBJECT.subject})
PIPELINE = replace(PROJECT, connection="", pipeline="deploy")


def git_hub(**fields: object) -> FederationGrant:
    entry = replace(CONTOSO, **fields)  # type: ignore[arg-type]
    return FederationGrant(git_hub=(entry,))


def dev_ops(**fields: object) -> FederationGrant:
    entry = DevOpsGrant(organization_id=CONNECTION.organization_id)
    return FederationGrant(azure_dev_ops=(replace(entry, **fields),))  # type: ignore[arg-type]


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
        (git_hub(), replace(GITHUB, server=RESIDENT), False),
        (git_hub(), replace(GITHUB, server=ENTERPRISE), False),
        (git_hub(server=RESIDENT), replace(GITHUB, server=RESIDENT), True),
        (git_hub(server=ENTERPRISE), replace(GITHUB, server=ENTERPRISE), True),
        (git_hub(server=ENTERPRISE), GITHUB, False),
        (git_hub(), GITHUB_SUBJECT, False),
        (git_hub(subjects=LISTED), GITHUB_SUBJECT, True),
        (git_hub(subjects=LISTED), replace(GITHUB_SUBJECT, subject="repo:a/b"), False),
        (git_hub(subjects=LISTED), replace(GITHUB_SUBJECT, organization="other"), False),
        (git_hub(subjects=LISTED), replace(GITHUB_SUBJECT, server=RESIDENT), False),
        (git_hub(subjects=LISTED), GITHUB, False),
        (git_hub(subjects=LISTED, repositories=frozenset({"shop"})), GITHUB, True),
        (git_hub(repositories=frozenset({"r1", "r2"})), workflows(2, 2), True),
        (git_hub(repositories=frozenset({"r1"})), workflows(2, 2), False),
        (git_hub(repositories=frozenset({"r1", "r2"})), LISTS, False),
        (git_hub(allow_pull_request=True), LISTS, True),
        (
            FederationGrant(
                git_hub=(
                    replace(CONTOSO, repositories=frozenset({"r1"})),
                    replace(CONTOSO, repositories=frozenset({"r2"}), immutable_only=True),
                )
            ),
            workflows(2, 2),
            True,
        ),
        (FederationGrant(), CONNECTION, False),
        (FederationGrant(), PROJECT, False),
        (dev_ops(), CONNECTION, True),
        (dev_ops(), PROJECT, True),
        (dev_ops(organization_id=PRINCIPAL), CONNECTION, False),
        (dev_ops(organization_id=PRINCIPAL), PROJECT, False),
        (dev_ops(projects=frozenset({"shop"})), PROJECT, True),
        (dev_ops(projects=frozenset({"shop"})), PIPELINE, True),
        (dev_ops(projects=frozenset({"other"})), PROJECT, False),
        (dev_ops(projects=frozenset({"shop"})), CONNECTION, False),
        (dev_ops(connection_ids=frozenset({CONNECTION.connection_id})), CONNECTION, True),
        (dev_ops(connection_ids=frozenset({PRINCIPAL})), CONNECTION, False),
        (dev_ops(connection_ids=frozenset({CONNECTION.connection_id})), PROJECT, False),
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


@pytest.mark.parametrize(
    "source",
    [
        ACCOUNT,
        DEFAULT,
        GITHUB,
        REQUEST,
        replace(GITHUB, server=ENTERPRISE),
        replace(GITHUB, server=RESIDENT),
        LISTS,
        GITHUB_SUBJECT,
        CONNECTION,
        PROJECT,
        PIPELINE,
        MANAGED,
        KEY_SOURCE,
        OTHER,
    ],
)
def test_the_grant_that_a_refusal_shows_allows_it_and_parses(source: Source) -> None:
    spec = federated_spec(source)
    refusal = evaluate({}, asker("shop"), spec, tenant())
    assert isinstance(refusal, Problem)
    shown = json.loads(refusal.message[refusal.message.index("{") :])
    found = evaluate({"shown": parse_application_grant(shown)}, asker("shop"), spec, tenant())
    assert found == Grant(name="shown", max_lifetime=None)


def test_the_type_alone_opens_no_door() -> None:
    grant = ApplicationGrantSpec(
        tenant="default",
        applications=NamedApplications(frozenset({CLIENT_ID})),
        namespaces=NamedNamespaces(frozenset({"shop"})),
    )
    assert CredentialType.FEDERATED_IDENTITY in CredentialType
    assert isinstance(
        evaluate({"g": grant}, asker("shop"), federated_spec(OTHER), tenant()), Problem
    )
    assert isinstance(
        evaluate({"g": grant}, asker("shop"), federated_spec(ACCOUNT), tenant()), Grant
    )


def grant_of(federation: FederationGrant, **fields: object) -> ApplicationGrantSpec:
    found = ApplicationGrantSpec(
        tenant="default",
        applications=NamedApplications(frozenset({CLIENT_ID})),
        namespaces=NamedNamespaces(frozenset({"shop"})),
        federation=federation,
    )
    return replace(found, **fields)  # type: ignore[arg-type]


def refusal(grants: dict[str, ApplicationGrantSpec], source: Source) -> str:
    found = evaluate(grants, asker("shop"), federated_spec(source), tenant())
    assert isinstance(found, Problem)
    return found.message


def test_two_grants_do_not_add_up_to_a_list() -> None:
    """A grant matches as a whole; the one that allows most says what it leaves out."""
    one = git_hub(repositories=frozenset({"r1"}), allow_pull_request=True)
    other = git_hub(repositories=frozenset({"r2"}))
    message = refusal({"b": grant_of(other), "a": grant_of(one)}, LISTS)
    named = "Close: a (leaves out r2 Branch b1, r2 PullRequest: nothing is made while a part"
    assert named in message


class Counted(frozenset[str]):
    """The repositories of grants, which count how often they were asked for one."""

    looks = 0

    def __contains__(self, item: object) -> bool:
        Counted.looks += 1
        return super().__contains__(item)


def test_a_list_is_refused_by_the_grants_of_others_as_cheaply_as_one_workflow() -> None:
    """There may be a thousand grants, and each is asked in the loop that all share."""
    looks = {}
    for source in (workflows(1, 1), workflows(4, 5)):
        entry = replace(CONTOSO, repositories=Counted({"else"}))
        theirs = grant_of(FederationGrant(git_hub=(entry,) * 64))
        grants = {
            str(n): replace(theirs, namespaces=NamedNamespaces(frozenset({"elsewhere"})))
            for n in range(3)
        }
        Counted.looks = 0
        refusal(grants, source)
        looks[len(source.workflows)] = Counted.looks
    assert looks[20] == looks[1] > 0


def test_a_grant_that_is_too_long_is_not_shown_cut_and_hides_nothing_else() -> None:
    long = GitHubSource(
        organization="contoso",
        organization_id="1",
        repositories=tuple(GitHubRepository(name=f"{n:r>100}", id="1") for n in range(1, 21)),
        entities=(GitHubEntity(type=EntityType.BRANCH, name="b" * 255),),
    )
    some = grant_of(git_hub(repositories=frozenset({long.repositories[0].name})))
    message = refusal({"g": some}, long)
    assert len(message) < 2_000
    assert "Close: g (leaves out rrr" in message
    assert "and 14 more: nothing is made" in message
    assert message.endswith("too long to be shown here.")
    escaped = GitHubSubjectSource(organization="contoso", subject="ü" * 600)
    assert refusal({}, escaped).endswith("too long to be shown here.")


def test_what_a_grant_leaves_out_is_bounded_and_only_told_where_it_allows_a_part() -> None:
    some = grant_of(git_hub(repositories=frozenset({"r1"})))
    assert "r2 Branch b5 and 10 more: nothing" in refusal({"g": some}, workflows(4, 5))
    for grant in (
        grant_of(git_hub(repositories=frozenset({"else"}))),
        replace(some, namespaces=NamedNamespaces(frozenset({"elsewhere"}))),
        replace(some, tenant="other"),
    ):
        assert "leaves out" not in refusal({"g": grant}, workflows(4, 5))
    assert "leaves out" not in refusal({}, workflows(4, 5))
    assert "leaves out" not in refusal({"g": some}, OTHER)
