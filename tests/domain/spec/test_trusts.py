"""Issuer, subject and audience of each source, and the names and marks of what we make."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from appcredential.domain.marker import Owner
from appcredential.domain.spec.federated import (
    DevOpsConnectionSource,
    FederatedSpec,
    ServiceAccountSource,
    Source,
)
from appcredential.domain.spec.git_hub import github_subjects
from appcredential.domain.spec.git_hub_source import (
    EntityType,
    GitHubServer,
    GitHubSource,
    SubjectFormat,
)
from appcredential.domain.spec.model import Cloud
from appcredential.domain.spec.trusts import (
    AUDIENCES,
    Trust,
    build_description,
    credential_name,
    default_prefix,
    is_near,
    is_public_issuer,
    marker_of,
    retire_time_of,
    service_account_of,
    trusts,
)
from tests.support.builders import IDENTITY, NOW, OTHER_OWNER, OWNER, TENANT_ID
from tests.support.federated import (
    ACCOUNT,
    CONNECTION,
    GITHUB,
    GITHUB_SUBJECT,
    ISSUER,
    KEY_SOURCE,
    MANAGED,
    OTHER,
    PRINCIPAL,
    PROJECT,
    TRUST,
    entity,
)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}")
"""Graph's own rule for names."""


def found(source: Source, cloud: Cloud = Cloud.PUBLIC, audience: str = "") -> list[Trust]:
    spec = FederatedSpec(source=source, name_prefix="p", audience=audience)
    host = {
        Cloud.PUBLIC: "https://login.microsoftonline.com/",
        Cloud.CHINA: "https://login.chinacloudapi.cn",
    }[cloud]
    made = trusts(spec, "shop", ISSUER, cloud=cloud, authority_host=host, tenant_id=TENANT_ID)
    return list(made)


def git_hub(kind: EntityType, name: str = "") -> GitHubSource:
    return replace(GITHUB, entities=entity(kind, name), subject_format=SubjectFormat.IMMUTABLE)


@pytest.mark.parametrize(
    ("source", "pairs"),
    [
        (ACCOUNT, [(ISSUER, "system:serviceaccount:shop:orders")]),
        (MANAGED, [(f"https://login.microsoftonline.com/{TENANT_ID}/v2.0", MANAGED.principal_id)]),
        (
            KEY_SOURCE,
            [(f"https://login.microsoftonline.com/{TENANT_ID}/v2.0", MANAGED.principal_id)],
        ),
        (OTHER, [("https://ci.example", "job-1")]),
        (
            GITHUB_SUBJECT,
            [
                (
                    "https://token.actions.githubusercontent.com",
                    "repository_owner_id:1:repository_id:22",
                )
            ],
        ),
        (
            PROJECT,
            [
                (
                    "https://vstoken.dev.azure.com/77777777-7777-7777-7777-777777777777",
                    "sc://contoso/shop/azure",
                )
            ],
        ),
        (
            replace(PROJECT, connection="", pipeline="deploy"),
            [
                (
                    "https://vstoken.dev.azure.com/77777777-7777-7777-7777-777777777777",
                    "p://contoso/shop/deploy",
                )
            ],
        ),
    ],
)
def test_issuer_and_subject(source: Source, pairs: list[tuple[str, str]]) -> None:
    assert [t.pair for t in found(source)] == pairs
    assert {t.audience for t in found(source)} == {"api://AzureADTokenExchange"}


def test_audience_and_authority_are_the_clouds() -> None:
    (trust,) = found(MANAGED, Cloud.CHINA)
    assert trust.issuer == f"https://login.chinacloudapi.cn/{TENANT_ID}/v2.0"
    assert trust.audience == "api://AzureADTokenExchangeChina"
    assert found(OTHER, audience="api://mine")[0].audience == "api://mine"
    assert set(AUDIENCES) == set(Cloud)
    assert AUDIENCES[Cloud.US_GOVERNMENT] == "api://AzureADTokenExchangeUSGov"


@pytest.mark.parametrize(
    ("source", "subject"),
    [
        (git_hub(EntityType.BRANCH, "release/1"), "ref:refs/heads/release/1"),
        (git_hub(EntityType.TAG, "v1.0"), "ref:refs/tags/v1.0"),
        (git_hub(EntityType.ENVIRONMENT, "Production"), "environment:Production"),
        (git_hub(EntityType.ENVIRONMENT, "a:b"), "environment:a%3Ab"),
        (git_hub(EntityType.PULL_REQUEST), "pull_request"),
    ],
)
def test_subjects_of_a_repository(source: GitHubSource, subject: str) -> None:
    by_id, by_name = f"repo:contoso@1/shop@22:{subject}", f"repo:contoso/shop:{subject}"
    assert github_subjects(source) == [by_id]
    assert github_subjects(replace(source, subject_format=SubjectFormat.NAME)) == [by_name]
    both = replace(source, subject_format=SubjectFormat.BOTH)
    assert github_subjects(both) == [by_id, by_name]


@pytest.mark.parametrize(
    ("server", "issuer"),
    [
        (GitHubServer(), "https://token.actions.githubusercontent.com"),
        (
            GitHubServer(enterprise="contoso"),
            "https://token.actions.githubusercontent.com/contoso",
        ),
        (GitHubServer(host="contoso.ghe.com"), "https://token.actions.contoso.ghe.com"),
        (
            GitHubServer(host="git.contoso.example"),
            "https://git.contoso.example/_services/token",
        ),
    ],
)
def test_issuers_of_github(server: GitHubServer, issuer: str) -> None:
    for source in (replace(GITHUB, server=server), replace(GITHUB_SUBJECT, server=server)):
        assert {trust.issuer for trust in found(source)} == {issuer}


def test_a_service_connection_whose_tokens_entra_issues() -> None:
    """With the bytes of the ids in the order that Entra encodes them in."""
    (trust,) = trusts(
        FederatedSpec(source=CONNECTION, name_prefix="p"),
        "shop",
        ISSUER,
        cloud=Cloud.PUBLIC,
        authority_host="https://login.microsoftonline.com/",
        tenant_id="00112233-4455-6677-8899-aabbccddeeff",
    )
    issuer = "https://login.microsoftonline.com/00112233-4455-6677-8899-aabbccddeeff/v2.0"
    assert trust.issuer == issuer
    assert trust.subject == (
        "/eid1/c/pub/t/MyIRAFVEd2aImaq7zN3u_w/a/rISbSSETf0KqFyZ8ppdXmA"
        "/sc/77777777-7777-7777-7777-777777777777/88888888-8888-8888-8888-888888888888"
    )
    other = DevOpsConnectionSource(
        organization_id=CONNECTION.connection_id, connection_id=CONNECTION.organization_id
    )
    assert found(other)[0].subject != found(CONNECTION)[0].subject


def test_a_subject_names_accounts_of_its_own_namespace_only() -> None:
    assert service_account_of("system:serviceaccount:shop:orders", "shop") == "orders"
    assert service_account_of("system:serviceaccount:shop-2:orders", "shop") == ""
    assert service_account_of("repo:a/b", "shop") == ""


def test_names_follow_graphs_rule_and_differ_as_trusts_do() -> None:
    one = credential_name("p", TRUST)
    others = [
        replace(TRUST, issuer="https://x"),
        replace(TRUST, subject="x"),
        replace(TRUST, audience="x"),
    ]
    names = [one, *(credential_name("p", t) for t in others)]
    assert len(set(names)) == 4
    long = default_prefix(Owner("n" * 63, "a.b" * 80))
    names += [credential_name(long, TRUST), credential_name("p" * 99, TRUST)]
    assert all(NAME.fullmatch(n) for n in names)
    assert default_prefix(Owner("shop", "a.b")) == "shop-a-b"


def test_the_description_says_whose_it_is_and_when_it_goes() -> None:
    text = build_description(IDENTITY, OWNER, TRUST.pair)
    mark = marker_of(text)
    assert mark is not None
    assert mark.is_removable_by(IDENTITY, OWNER)
    assert not mark.is_usable_by(IDENTITY, OTHER_OWNER)
    assert text.endswith(" shop/orders")
    assert retire_time_of(text) is None
    later = NOW + timedelta(days=1)
    retiring = build_description(IDENTITY, OWNER, TRUST.pair, later)
    assert marker_of(retiring) == mark
    assert retire_time_of(retiring) == later
    assert len(build_description(IDENTITY, Owner("n" * 63, "a" * 253), TRUST.pair, later)) <= 600


@pytest.mark.parametrize(
    "text", ["", "appcred1.x", "x retire=soon y", "x retire=2026-11-22T10:00:00 y", "retire=2026"]
)
def test_a_time_that_cannot_be_read_is_none(text: str) -> None:
    assert retire_time_of(text) is None


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://oidc.eks.eu-west-1.amazonaws.com/id/X", True),
        ("https://8.8.8.8/x", True),
        ("https://kubernetes.default.svc.cluster.local", False),
        ("https://kubernetes", False),
        ("https://issuer.local:6443", False),
        ("https://192.168.1.1", False),
        ("https://169.254.1.1", False),
        ("https://[fe80::1]", False),
        ("https://[broken", False),
        ("http://issuer.example", False),
        ("https://", False),
        ("", False),
    ],
)
def test_an_issuer_is_public_or_not(url: str, public: bool) -> None:
    assert is_public_issuer(url) is public


def test_near_misses_of_an_issuer() -> None:
    assert is_near("https://Issuer.example/", "https://issuer.example")
    assert not is_near("https://issuer.example/a", "https://issuer.example")


@pytest.mark.parametrize(
    ("source", "principal_id"),
    [
        (MANAGED, PRINCIPAL),
        (KEY_SOURCE, PRINCIPAL),
        (ACCOUNT, ""),
        (GITHUB, ""),
        (PROJECT, ""),
        (OTHER, ""),
    ],
)
def test_only_a_managed_identity_has_a_principal(source: Source, principal_id: str) -> None:
    assert FederatedSpec(source=source, name_prefix="x").principal_id == principal_id


def test_an_annotated_account_is_one_that_is_trusted() -> None:
    spec = FederatedSpec(source=ACCOUNT, name_prefix="p")
    alone = replace(spec, source=ServiceAccountSource(name="orders", is_annotated=False))
    other = replace(spec, source=OTHER)
    told = [(s.account, s.annotated_account) for s in (spec, alone, other)]
    assert told == [("orders", "orders"), ("orders", ""), ("", "")]
