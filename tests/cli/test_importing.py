"""Manifests for what an application has: what each credential becomes, and that all are valid."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import Any

import pytest
import yaml

from appcredential.cli import trust_members
from appcredential.cli.manifests import grants, grants_text, stage_text
from appcredential.cli.proposals import Import
from appcredential.cli.proposed import Target
from appcredential.cli.stock import Stock
from appcredential.cli.trust_members import Fitting, Home, fitting
from appcredential.domain.grants import evaluate
from appcredential.domain.observed.entra import Grant
from appcredential.domain.observed.federated import FederatedCredential
from appcredential.domain.spec.azure_dev_ops import connection_subject
from appcredential.domain.spec.federated import DevOpsConnectionSource
from appcredential.domain.spec.model import Cloud, CredentialType, Mode
from appcredential.domain.spec.parse import parse_app_credential, parse_application_grant
from appcredential.domain.spec.trusts import Trust, marker_of
from tests.cli.scenes import CLIENT_ID
from tests.cli.test_stock import HERE, application, credential, judge, marked, trusts
from tests.support.builders import asker

TENANT = "11111111-1111-4111-8111-111111111111"
GUID = "55555555-5555-4555-8555-555555555555"
OTHER_GUID = "66666666-6666-4666-8666-666666666666"
AUTHORITY = "https://login.microsoftonline.com"
CLUSTER = "https://oidc.example/cluster"
GITHUB = "https://token.actions.githubusercontent.com"
CUSTOM = "repository_owner:contoso:job_workflow_ref:contoso/x@refs/heads/main"
HOME = Home(
    namespace="shop",
    issuer=CLUSTER,
    client_id=CLIENT_ID,
    cloud=Cloud.PUBLIC,
    authority=AUTHORITY,
    tenant_id=TENANT,
)
TARGET = Target(namespace="shop", tenant_ref="default", identity=HERE)
EVIL = "\x1b[31mx\n---\nkind: Secret: az ad app delete"


def trust(issuer: str, subject: str, name: str = "by hand", **change: Any) -> FederatedCredential:
    fields = {"audiences": ("api://AzureADTokenExchange",), "description": "", **change}
    return FederatedCredential(id=GUID, name=name, issuer=issuer, subject=subject, **fields)


@pytest.mark.parametrize(
    ("issuer", "subject", "member"),
    [
        (
            CLUSTER,
            "system:serviceaccount:pay:orders",
            {"serviceAccount": {"name": "orders", "annotation": "None"}},
        ),
        (
            "https://oidc.example/other",
            "system:serviceaccount:pay:orders",
            {
                "other": {
                    "issuer": "https://oidc.example/other",
                    "subject": "system:serviceaccount:pay:orders",
                }
            },
        ),
        (
            GITHUB,
            "repo:contoso/shop:environment:production",
            {
                "gitHub": {
                    "organization": "contoso",
                    "repository": "shop",
                    "entityType": "Environment",
                    "entityName": "production",
                    "subjectFormat": "Name",
                }
            },
        ),
        (
            GITHUB,
            "repo:contoso@42/shop@43:ref:refs/heads/main",
            {
                "gitHub": {
                    "organization": "contoso",
                    "organizationId": "42",
                    "repository": "shop",
                    "repositoryId": "43",
                    "entityType": "Branch",
                    "entityName": "main",
                    "subjectFormat": "Immutable",
                }
            },
        ),
        (
            f"{GITHUB}/contoso-inc",
            "repo:contoso/shop:pull_request",
            {
                "gitHub": {
                    "organization": "contoso",
                    "repository": "shop",
                    "entityType": "PullRequest",
                    "subjectFormat": "Name",
                    "enterprise": "contoso-inc",
                }
            },
        ),
        (
            "https://token.actions.contoso.ghe.com",
            "repo:contoso/shop:ref:refs/tags/v1",
            {
                "gitHub": {
                    "organization": "contoso",
                    "repository": "shop",
                    "entityType": "Tag",
                    "entityName": "v1",
                    "subjectFormat": "Name",
                    "host": "contoso.ghe.com",
                }
            },
        ),
        (
            GITHUB,
            CUSTOM,
            {"gitHub": {"organization": "contoso", "subject": CUSTOM}},
        ),
        (
            f"https://vstoken.dev.azure.com/{GUID}",
            "sc://contoso/Shop/deploy",
            {
                "azureDevOps": {
                    "issuer": "AzureDevOps",
                    "organizationId": GUID,
                    "organization": "contoso",
                    "project": "Shop",
                    "connection": "deploy",
                }
            },
        ),
        (
            f"{AUTHORITY}/{TENANT}/v2.0",
            GUID,
            {"managedIdentity": {"principalId": GUID}},
        ),
        (
            "https://gitlab.com",
            "project_path:contoso/shop",
            {"other": {"issuer": "https://gitlab.com", "subject": "project_path:contoso/shop"}},
        ),
    ],
)
def test_a_trust_becomes_the_member_that_asks_for_exactly_it(
    issuer: str, subject: str, member: dict[str, Any]
) -> None:
    found = fitting(trust(issuer, subject), HOME)
    assert isinstance(found, Fitting), found
    assert found.member == member
    assert found.namespace == ("pay" if "serviceAccount" in member else "shop")


def test_a_service_connection_is_of_this_tenant_only() -> None:
    source = DevOpsConnectionSource(organization_id=GUID, connection_id=OTHER_GUID)
    issuer = f"{AUTHORITY}/{TENANT}/v2.0"
    found = fitting(trust(issuer, connection_subject(source, TENANT)), HOME)
    assert isinstance(found, Fitting)
    assert found.source == source
    foreign = fitting(trust(issuer, connection_subject(source, GUID)), HOME)
    assert isinstance(foreign, str)


def test_a_guess_that_asks_for_another_trust_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the comparison, a service connection of another tenant would count as one of ours."""
    source = DevOpsConnectionSource(organization_id=GUID, connection_id=OTHER_GUID)
    foreign = trust("https://issuer.example", connection_subject(source, GUID))
    found = fitting(foreign, HOME)
    assert isinstance(found, Fitting)
    assert set(found.member) == {"other"}
    asked = (Trust(foreign.issuer, foreign.subject, foreign.audiences[0]),)
    monkeypatch.setattr(trust_members, "trusts", lambda *_args, **_given: asked)
    found = fitting(foreign, HOME)
    assert isinstance(found, Fitting)
    assert set(found.member) == {"azureDevOps"}


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (trust(GITHUB, ""), "a matching expression"),
        (trust(GITHUB, "x", audiences=("a", "b")), "not exactly one audience"),
        (trust(GITHUB, "repo:contoso/*:environment:x"), "is GitHub"),
        (trust("http://plain.example", "x"), "must be a URL such as https"),
        (trust(f"{AUTHORITY}/{OTHER_GUID}/v2.0", GUID), "is Microsoft"),
    ],
)
def test_what_nothing_asks_for_says_why(found: FederatedCredential, why: str) -> None:
    said = fitting(found, HOME)
    assert isinstance(said, str)
    assert why in said


def test_another_audience_is_kept() -> None:
    found = fitting(trust("https://gitlab.com", "x", audiences=("api://mine",)), HOME)
    assert isinstance(found, Fitting)
    assert found.member["audience"] == "api://mine"


def stock() -> Stock:
    """Return an application with all that there can be."""
    secrets = [
        credential("by hand", end=200),
        credential(EVIL, end=90_000),
        credential("old", start=-900, end=-1),
        credential(marked(HERE)),
        credential("CN=orders", end=300, kind=CredentialType.CERTIFICATE),
    ]
    federated = trusts(
        trust(CLUSTER, "system:serviceaccount:pay:orders", name="orders"),
        trust(GITHUB, "repo:contoso/shop:environment:production", name=EVIL),
        trust(GITHUB, "", name="flexible"),
    )
    return judge().stock(application(*secrets), federated)


def made(target: Target = TARGET) -> Import:
    found = Import()
    found.add(stock(), target, HOME)
    return found


def documents(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(text) if one is not None]


def test_both_stages_have_the_same_resources_and_are_valid() -> None:
    found = made()
    observe, manage = (documents(stage_text(found, mode)) for mode in (Mode.OBSERVE, Mode.MANAGE))
    names = [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in observe]
    assert names == [
        ("shop", "orders"),
        ("shop", "orders-certificate"),
        ("shop", "orders-31mx-kind-secret-az-ad-app-delete"),
        ("pay", "orders-orders"),
    ]
    for before, after in zip(observe, manage, strict=True):
        assert parse_app_credential(before).mode is Mode.OBSERVE
        assert parse_app_credential(after).mode is Mode.MANAGE
        del before["spec"]["mode"], after["spec"]["mode"]
        assert before == after


def test_the_grants_allow_them_and_nothing_else() -> None:
    found = made()
    parsed = {one["metadata"]["name"]: parse_application_grant(one) for one in grants(found)}
    assert documents(grants_text(found)) == grants(found)
    assert len(parsed) == 3
    for one in found.proposals:
        spec = parse_app_credential(one.manifest)
        assert isinstance(evaluate(parsed, asker(one.owner.namespace), spec, None), Grant)
        for name in parsed:
            fewer = {key: grant for key, grant in parsed.items() if key != name}
            if not isinstance(evaluate(fewer, asker(one.owner.namespace), spec, None), Grant):
                break
        else:
            pytest.fail(f"{one.owner} needs none of the grants")


def test_many_of_one_application_raise_the_number_of_the_grant() -> None:
    many = trusts(*(trust("https://gitlab.com", f"s{n}", name=f"n{n}") for n in range(7)))
    found = Import()
    found.add(judge().stock(application(), many), TARGET, HOME)
    (grant,) = grants(found)
    assert grant["spec"]["maxCredentials"] == 7


def test_what_is_left_out_is_said_with_the_reason() -> None:
    text = stage_text(made(), Mode.OBSERVE).replace("\n# ", " ")
    assert "ClientSecret old" in text
    assert ": it has expired." in text
    assert "it is shop/orders's already" in text
    assert "FederatedIdentity flexible" in text
    assert "Left out" not in stage_text(made(), Mode.MANAGE)


def test_no_name_becomes_yaml_or_a_command() -> None:
    for text in (stage_text(made(), Mode.OBSERVE), stage_text(made(), Mode.MANAGE)):
        assert "\x1b" not in text
        assert {one["kind"] for one in documents(text)} == {"AppCredential"}
        commands = [line for line in text.splitlines() if line.startswith("#   ")]
        assert not any("az ad app delete" in line for line in commands)


def test_a_trust_is_handed_over_by_the_description_that_the_operator_asks_for() -> None:
    text = stage_text(made(), Mode.MANAGE)
    command = next(line for line in text.splitlines() if "federated-credential update" in line)
    words = shlex.split(command.removeprefix("#"))
    description = json.loads(words[words.index("--parameters") + 1])["description"]
    marker = marker_of(description)
    assert marker is not None
    assert marker.is_removable_by(HERE, made().proposals[2].owner)
    unknown = stage_text(made(replace(TARGET, identity=None)), Mode.MANAGE)
    assert "CredentialConflict, and no token is refused" in unknown.replace("\n# ", " ")


def test_the_secret_of_today_is_taken_over_once() -> None:
    target = replace(TARGET, secret="orders-entra", secret_keys=("PASSWORD",), preset="Raw")
    found = made(target)
    first, second, *_ = documents(stage_text(found, Mode.MANAGE))
    assert first["spec"]["secret"] == {
        "name": "orders-entra",
        "preset": "Raw",
        "data": {"PASSWORD": {"value": "$(clientSecret)"}},
    }
    assert "secret" not in second["spec"]
    adopt = "#   kubectl annotate secret orders-entra -n shop appcredential.io/adopt=shop/orders"
    assert adopt in stage_text(found, Mode.MANAGE).splitlines()


def test_a_secret_becomes_a_certificate_if_that_is_wanted() -> None:
    found = made(replace(TARGET, as_type=CredentialType.CERTIFICATE))
    values = [one for one in found.proposals if "certificate" in one.manifest["spec"]]
    assert [one.manifest["metadata"]["name"] for one in values] == ["orders"]
    assert "clientSecret" not in stage_text(found, Mode.OBSERVE)


def test_an_app_credential_that_exists_keeps_its_name() -> None:
    """An apply would change it."""
    found = Import(taken=("shop/orders", "pay/orders-orders", "other/orders-31mx"))
    found.add(stock(), TARGET, HOME)
    names = {str(one.owner) for one in found.proposals}
    assert names.isdisjoint(found.taken)
    assert {"shop/orders-clientsecret", "pay/orders-orders-2"} < names


def test_a_grant_that_exists_keeps_what_it_allows() -> None:
    """An apply of another one by its name would take that away."""
    names = [one["metadata"]["name"] for one in grants(made())]
    found = Import(taken_grants=names[:1])
    found.add(stock(), TARGET, HOME)
    others = [one["metadata"]["name"] for one in grants(found)]
    assert len(set(others)) == len(names)
    assert names[0] not in others


def test_what_the_parser_refuses_is_left_out() -> None:
    found = made(replace(TARGET, secret="bootstrap-token-a"))
    assert found.proposals[0].manifest["spec"]["type"] == "Certificate"
    assert any("spec.secret.name" in why for why in found.left_out)
