from __future__ import annotations

import json
from datetime import timedelta

import pytest

from appcredential.domain.conditions import Problem
from appcredential.domain.grant_match import allows_type
from appcredential.domain.grants import evaluate
from appcredential.domain.observed.entra import Grant
from appcredential.domain.spec.grant import NamedApplications, NamedNamespaces
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ApplicationGrantSpec,
    ClientId,
    CredentialType,
    Limits,
)
from appcredential.domain.status.merge import MAX_MESSAGE
from tests.support.builders import CLIENT_ID, DAY, OPERATOR_CLIENT_ID, asker, spec, tenant

OTHER: ClientId = ClientId("55555555-5555-5555-5555-555555555555")
NO_SECRETS: Limits = Limits(types=frozenset(["Certificate"]))  # type: ignore[list-item]
SECRETS = Limits(types=frozenset([CredentialType.CLIENT_SECRET]))


def allowing(
    *,
    tenant: str = "default",
    client_ids: tuple[ClientId, ...] = (CLIENT_ID,),
    namespaces: tuple[str, ...] = ("shop",),
    limits: Limits = Limits(),  # noqa: B008 - frozen
    max_lifetime: timedelta | None = None,
    operator_identity: bool = False,
) -> ApplicationGrantSpec:
    return ApplicationGrantSpec(
        tenant=tenant,
        applications=NamedApplications(frozenset(client_ids)),
        namespaces=NamedNamespaces(frozenset(namespaces)),
        limits=limits if max_lifetime is None else Limits(max_lifetime=max_lifetime),
        allow_operator_identity=operator_identity,
    )


OPERATORS = spec(client_id=OPERATOR_CLIENT_ID)
REFUSALS: list[tuple[str, AppCredentialSpec, list[ApplicationGrantSpec], str]] = [
    ("no grant at all", spec(), [], "NotGranted"),
    ("for another tenant", spec(), [allowing(tenant="other")], "NotGranted"),
    ("for another application", spec(), [allowing(client_ids=(OTHER,))], "NotGranted"),
    ("for another namespace", spec(), [allowing(namespaces=("shop-2",))], "NotGranted"),
    ("for another type", spec(), [allowing(limits=NO_SECRETS)], "NotGranted"),
    (
        "two that match only in parts",
        spec(),
        [allowing(namespaces=("other",)), allowing(client_ids=(OTHER,))],
        "NotGranted",
    ),
    ("the operator's own application", OPERATORS, [], "OperatorIdentity"),
    (
        "the operator's own application without the word",
        OPERATORS,
        [allowing(client_ids=(OPERATOR_CLIENT_ID,))],
        "OperatorIdentity",
    ),
    (
        "the word in a grant for another application",
        OPERATORS,
        [allowing(client_ids=(OPERATOR_CLIENT_ID,)), allowing(operator_identity=True)],
        "OperatorIdentity",
    ),
]


def judge(
    grants: list[ApplicationGrantSpec], wanted: AppCredentialSpec, namespace: str = "shop"
) -> Grant | Problem:
    named = {f"grant-{n}": g for n, g in enumerate(grants)}
    return evaluate(named, asker(namespace), wanted, tenant())


@pytest.mark.parametrize(
    ("wanted", "grants", "reason"), [r[1:] for r in REFUSALS], ids=[r[0] for r in REFUSALS]
)
def test_refuses(
    wanted: AppCredentialSpec, grants: list[ApplicationGrantSpec], reason: str
) -> None:
    found = judge(grants, wanted)
    assert isinstance(found, Problem)
    assert (str(found.reason), found.stalled) == (reason, True)
    assert len(found.message) <= MAX_MESSAGE


ALLOWED: list[tuple[str, AppCredentialSpec, list[ApplicationGrantSpec], Grant]] = [
    ("one that matches", spec(), [allowing()], Grant(name="grant-0", max_lifetime=None)),
    (
        "its type is listed",
        spec(),
        [allowing(limits=SECRETS)],
        Grant(name="grant-0", max_lifetime=None),
    ),
    ("its limit", spec(), [allowing(max_lifetime=DAY)], Grant(name="grant-0", max_lifetime=DAY)),
    (
        "the most generous of two",
        spec(),
        [allowing(max_lifetime=DAY), allowing(max_lifetime=2 * DAY)],
        Grant(name="grant-0", max_lifetime=2 * DAY),
    ),
    (
        "no limit is the most generous",
        spec(),
        [allowing(max_lifetime=DAY), allowing()],
        Grant(name="grant-0", max_lifetime=None),
    ),
    (
        "one that does not match limits nothing",
        spec(),
        [allowing(namespaces=("other",)), allowing(max_lifetime=DAY)],
        Grant(name="grant-1", max_lifetime=DAY),
    ),
    (
        "the operator's own application with the word",
        OPERATORS,
        [
            allowing(client_ids=(OPERATOR_CLIENT_ID,)),
            allowing(client_ids=(OPERATOR_CLIENT_ID,), operator_identity=True),
        ],
        Grant(name="grant-1", max_lifetime=None),
    ),
]


@pytest.mark.parametrize(
    ("wanted", "grants", "expected"), [a[1:] for a in ALLOWED], ids=[a[0] for a in ALLOWED]
)
def test_allows(
    wanted: AppCredentialSpec, grants: list[ApplicationGrantSpec], expected: Grant
) -> None:
    assert judge(grants, wanted) == expected


def test_the_refusal_holds_a_grant_that_would_allow_it_and_replaces_no_other() -> None:
    found = judge([], spec())
    assert isinstance(found, Problem)
    manifest = json.loads(found.message[found.message.index("{") :])
    assert manifest["kind"] == "ApplicationGrant"
    assert manifest["metadata"]["name"] == f"shop-{CLIENT_ID}"
    assert manifest["spec"] == {
        "tenantRef": {"name": "default"},
        "applications": {"clientIds": [CLIENT_ID]},
        "namespaces": {"names": ["shop"]},
        "types": ["ClientSecret"],
    }


_QUESTION = f"names {CLIENT_ID}: is this the client id?"


@pytest.mark.parametrize(
    ("grants", "is_asked"),
    [
        ([], True),
        ([allowing(client_ids=(OTHER,))], True),
        ([allowing(namespaces=("other",))], True),  # what others were granted is not told
        ([allowing(limits=NO_SECRETS)], False),
        ([allowing(tenant="other")], False),
    ],
)
def test_an_id_that_nobody_granted_may_be_another_one(
    grants: list[ApplicationGrantSpec], is_asked: bool
) -> None:
    found = judge(grants, spec())
    assert isinstance(found, Problem)
    assert (_QUESTION in found.message) is is_asked
    assert len(found.message) <= MAX_MESSAGE


def test_no_types_listed_means_all() -> None:
    assert allows_type(Limits(), spec())
    assert allows_type(SECRETS, spec())
    assert not allows_type(NO_SECRETS, spec())
