from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.observed.federated import Issuer
from appcredential.domain.spec.grant import (
    NamedApplications,
    NamedNamespaces,
    SelectedNamespaces,
    TaggedApplications,
)
from appcredential.domain.spec.label_selector import LabelOperator, LabelRequirement, LabelSelector
from appcredential.domain.spec.model import ApplicationGrantSpec, CredentialType
from appcredential.errors import UnavailableError
from appcredential.gather.heirs import Heirs
from appcredential.kube.app_credentials import KubeResources
from appcredential.kube.custom_resources import KubeObjects
from appcredential.ports.session import Access
from tests.domain.test_scheduled_revocations import revocation
from tests.support.api_server import ApiServer
from tests.support.builders import CLIENT_ID, NOW, OWNER, problem, tenant
from tests.support.clock import HandClock
from tests.support.heirs import MemoryGrants, MemoryIssuer
from tests.support.session import MemorySession

ISSUER = "https://issuer.example.com"
REVOCATION = replace(revocation(), type=CredentialType.FEDERATED_IDENTITY)
GRANT = ApplicationGrantSpec(
    tenant="default",
    applications=NamedApplications(frozenset({CLIENT_ID})),
    namespaces=NamedNamespaces(frozenset({OWNER.namespace})),
)


class Namespace:
    """The owner's namespace, with resources that each name a ServiceAccount."""

    def __init__(self, *accounts: str) -> None:
        self.kube = ApiServer()
        for account in accounts:
            self.put(account)
        self.issuer = MemoryIssuer(Issuer(url=ISSUER, since=NOW))
        self.grants = MemoryGrants(shop=GRANT)
        self.heirs = Heirs(
            resources=KubeResources(KubeObjects(self.kube), HandClock()),
            issuer=self.issuer,
            grants=self.grants,
            access=self.access,
        )

    def put(self, account: str, status: dict[str, Any] | None = None, **changes: Any) -> None:
        """Create a FederatedIdentity of the ServiceAccount's name."""
        spec = {
            "tenantRef": {"name": "default"},
            "application": {"clientId": CLIENT_ID},
            "type": "FederatedIdentity",
            "federatedIdentity": {"serviceAccount": {"name": account}},
            **changes,
        }
        base = f"/apis/appcredential.io/v1alpha1/namespaces/{OWNER.namespace}/appcredentials"
        document = {"metadata": {"generation": 1}, "spec": spec, "status": status or {}}
        self.kube.put(f"{base}/{account}", document)

    def access(self, name: str) -> Access | Problem:
        if name != "default":
            return Problem(reason=Reason.TENANT_NOT_FOUND, message="There is none.")
        return Access(tenant(), MemorySession(HandClock()))


def pair(account: str) -> tuple[str, str]:
    return ISSUER, f"system:serviceaccount:{OWNER.namespace}:{account}"


async def test_what_every_other_resource_asks_for_is_wanted() -> None:
    world = Namespace("invoices", "stock", OWNER.name)
    assert await world.heirs.wanted(REVOCATION) == {pair("invoices"), pair("stock")}


async def test_a_resource_whose_tenant_cannot_be_used_inherits_nothing() -> None:
    world = Namespace("stock")
    world.put("invoices", tenantRef={"name": "another"})
    assert await world.heirs.wanted(REVOCATION) == {pair("stock")}


async def test_nobody_can_say_while_the_issuer_is_not_known() -> None:
    world = Namespace("invoices")
    world.issuer.issuer = problem()
    with pytest.raises(UnavailableError):
        await world.heirs.wanted(REVOCATION)


SELECTED = replace(
    GRANT,
    namespaces=SelectedNamespaces(
        LabelSelector((LabelRequirement("env", LabelOperator.IN, ("prod",)),))
    ),
)
TAGGED = replace(GRANT, applications=TaggedApplications())


async def test_labels_that_were_not_read_take_no_trust_away() -> None:
    world = Namespace("invoices")
    world.grants.grants = {"shop": SELECTED}
    with pytest.raises(UnavailableError):
        await world.heirs.wanted(REVOCATION)
    world.grants.labels = {"env": "prod"}
    assert await world.heirs.wanted(REVOCATION) == {pair("invoices")}
    world.grants.labels = {}
    assert await world.heirs.wanted(REVOCATION) == frozenset()


@pytest.mark.parametrize(
    ("status", "is_held_up"),
    [
        pytest.param({"conditions": [{"reason": "GrantUnknown"}]}, True, id="tags not read"),
        pytest.param({"conditions": [{"reason": "NotGranted"}]}, False, id="no such tag"),
        pytest.param({}, False, id="nobody looked at it"),
    ],
)
async def test_only_tags_that_could_not_be_read_hold_a_revocation_up(
    status: dict[str, Any], *, is_held_up: bool
) -> None:
    world = Namespace()
    world.grants.grants = {"shop": TAGGED}
    world.put("invoices", status)
    with pytest.raises(UnavailableError) if is_held_up else nullcontext():
        assert await world.heirs.wanted(REVOCATION) == frozenset()
    world.put("invoices", {"grant": "shop"})
    assert await world.heirs.wanted(REVOCATION) == {pair("invoices")}


async def test_without_other_resources_the_issuer_does_not_matter() -> None:
    world = Namespace()
    world.issuer.issuer = problem()
    assert await world.heirs.wanted(REVOCATION) == frozenset()
