from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.observed.federated import Issuer
from appcredential.domain.spec.grant import NamedApplications, NamedNamespaces
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
        self.heirs = Heirs(
            resources=KubeResources(KubeObjects(self.kube), HandClock()),
            issuer=self.issuer,
            grants=MemoryGrants(shop=GRANT),
            access=self.access,
        )

    def put(self, account: str, **changes: Any) -> None:
        """Create a FederatedIdentity of the ServiceAccount's name."""
        spec = {
            "tenantRef": {"name": "default"},
            "application": {"clientId": CLIENT_ID},
            "type": "FederatedIdentity",
            "federatedIdentity": {"serviceAccount": {"name": account}},
            **changes,
        }
        base = f"/apis/appcredential.io/v1alpha1/namespaces/{OWNER.namespace}/appcredentials"
        self.kube.put(f"{base}/{account}", {"metadata": {"generation": 1}, "spec": spec})

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


async def test_without_other_resources_the_issuer_does_not_matter() -> None:
    world = Namespace()
    world.issuer.issuer = problem()
    assert await world.heirs.wanted(REVOCATION) == frozenset()
