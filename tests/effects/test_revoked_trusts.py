"""A deleted FederatedIdentity: its trusts go, unless another resource takes one over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from appcredential.domain.facts.deletion import revocation_name
from appcredential.domain.observed.federated import Issuer
from appcredential.domain.spec.grant import NamedApplications, NamedNamespaces
from appcredential.domain.spec.model import ApplicationGrantSpec, CredentialType
from tests.support.builders import CLIENT_ID, MINUTE, NOW, OTHER_OWNER, OWNER
from tests.support.deletions import DUE, Deletion
from tests.support.federated import ISSUER, OUR_ANNOTATIONS, SUBJECT, TRUST, listed
from tests.support.revocation_documents import REVOCATIONS, revocation_document

NAMESPACE: Final = f"/api/v1/namespaces/{OWNER.namespace}"
OUTPUT: Final = f"{NAMESPACE}/configmaps/out"
HEIR: Final = (
    f"/apis/appcredential.io/v1alpha1/namespaces/{OWNER.namespace}"
    f"/appcredentials/{OTHER_OWNER.name}"
)
GRANT: Final = ApplicationGrantSpec(
    tenant="default",
    applications=NamedApplications(frozenset({CLIENT_ID})),
    namespaces=NamedNamespaces(frozenset({OWNER.namespace})),
)


class DeletedTrust(Deletion):
    """A FederatedIdentity that was deleted, its trust, ServiceAccount and output."""

    def __init__(self) -> None:
        super().__init__()
        del self.kube.objects[f"{REVOCATIONS}/{self.name}"]
        data = {"due": DUE, "type": "FederatedIdentity", "secretUid": ""}
        more = {"serviceAccount": "orders", "configMap": "out"}
        self.name = revocation_name(OWNER, "default", CLIENT_ID, CredentialType.FEDERATED_IDENTITY)
        self.kube.put(f"{REVOCATIONS}/{self.name}", revocation_document(data | more)[1])
        self.directory.types.add(CredentialType.FEDERATED_IDENTITY)
        self.directory.put(listed("ours"), listed("theirs", owner=None))
        self.trusts = self.directory.trusts
        self.annotate("orders")
        self.kube.put(OUTPUT, {"metadata": {"annotations": {"appcredential.io/owner": str(OWNER)}}})

    def annotate(self, account: str) -> None:
        """Have a ServiceAccount carry the owner's annotations."""
        path = f"{NAMESPACE}/serviceaccounts/{account}"
        self.kube.put(path, {"metadata": {"annotations": dict(OUR_ANNOTATIONS)}})

    def add_heir(self) -> None:
        """Have another resource ask for the same trust."""
        self.issuer.issuer = Issuer(url=ISSUER, since=NOW)
        self.grants.grants["shop"] = GRANT
        spec = {
            "tenantRef": {"name": "default"},
            "application": {"clientId": CLIENT_ID},
            "type": "FederatedIdentity",
            "federatedIdentity": {"serviceAccount": {"name": "orders"}},
        }
        self.kube.put(HEIR, {"spec": spec})

    def take_over(self) -> None:
        """Have the other resource mark the trust as its own."""
        self.trusts["ours"] = listed("ours", owner=OTHER_OWNER)

    def annotations(self, account: str = "orders") -> dict[str, Any]:
        found = self.kube.objects[f"{NAMESPACE}/serviceaccounts/{account}"]
        return dict(found["metadata"].get("annotations") or {})


async def test_the_trust_goes_then_annotations_and_output() -> None:
    world = DeletedTrust()
    await world.pass_(12 * MINUTE)
    assert world.directory.removed_trusts == ["ours"]
    assert list(world.trusts) == ["theirs"]
    assert world.annotations() == {}
    assert OUTPUT not in world.kube.objects
    assert not world.is_open
    assert [reason for reason, _, _ in world.events] == ["Revoked"]


async def test_a_service_account_that_was_named_before_is_left_without_annotations() -> None:
    world = DeletedTrust()
    former = replace(TRUST, subject=SUBJECT.replace("orders", "former"))
    world.trusts["former"] = listed("former", trust=former)
    world.annotate("former")
    await world.pass_(12 * MINUTE)
    assert world.directory.removed_trusts == ["ours", "former"]
    assert world.annotations("former") == {}


async def test_a_trust_that_another_resource_asks_for_is_waited_for() -> None:
    world = DeletedTrust()
    world.add_heir()
    await world.pass_(30 * MINUTE)
    assert world.is_open
    world.take_over()
    await world.pass_(2 * MINUTE)
    assert world.directory.removed_trusts == []
    assert world.annotations() == dict(OUR_ANNOTATIONS), (
        "the other resource has the account trusted"
    )
    assert not world.is_open


async def test_a_trust_that_was_taken_over_since_the_read_is_left_alone() -> None:
    world = DeletedTrust()
    world.directory.after_read = world.take_over
    await world.pass_(12 * MINUTE)
    assert world.directory.removed_trusts == []
    assert not world.is_open


async def test_nothing_is_removed_while_nobody_knows_who_inherits() -> None:
    world = DeletedTrust()
    world.add_heir()
    world.issuer.issuer = Deletion().issuer.issuer
    await world.pass_(12 * MINUTE)
    assert world.directory.removed_trusts == []
    assert world.is_open
