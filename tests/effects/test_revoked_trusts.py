"""A deleted FederatedIdentity: its trusts go, unless another resource takes one over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from appcredential.domain.facts.deletion import revocation_name
from appcredential.domain.observed.federated import FederatedCredential, FederatedList, Issuer
from appcredential.domain.spec.model import ApplicationGrantSpec, CredentialType, ObjectId
from appcredential.errors import NotFoundError
from tests.support.builders import CLIENT_ID, MINUTE, NOW, OBJECT_ID, OTHER_OWNER, OWNER
from tests.support.clock import HandClock
from tests.support.deletions import DUE, Deletion
from tests.support.federated import ISSUER, SUBJECT, TRUST, WIRED, listed
from tests.support.revocation_documents import REVOCATIONS, revocation_document
from tests.support.session import MemorySession

NAMESPACE: Final = f"/api/v1/namespaces/{OWNER.namespace}"
OUTPUT: Final = f"{NAMESPACE}/configmaps/out"
HEIR: Final = (
    f"/apis/appcredential.io/v1alpha1/namespaces/{OWNER.namespace}"
    f"/appcredentials/{OTHER_OWNER.name}"
)
GRANT: Final = ApplicationGrantSpec(
    tenant="default",
    client_ids=frozenset({CLIENT_ID}),
    namespaces=frozenset({OWNER.namespace}),
)


class TrustSession(MemorySession):
    """An application with federated credentials."""

    def __init__(self, clock: HandClock, *trusts: FederatedCredential) -> None:
        super().__init__(clock)
        self.trusts = {c.id: c for c in trusts}
        self.removed_trusts: list[str] = []
        self.after_read: Callable[[], None] = lambda: None
        """Called once, when the federated credentials were read."""

    async def federated(  # type: ignore[override]
        self, object_id: ObjectId, max_age: timedelta
    ) -> FederatedList:
        found = FederatedList(
            object_id=OBJECT_ID,
            credentials=tuple(self.trusts.values()),
            read_time=self._clock.now(),
        )
        after, self.after_read = self.after_read, lambda: None
        after()
        return found

    async def remove_federated(  # type: ignore[override]
        self, object_id: ObjectId, credential_id: str
    ) -> None:
        if credential_id not in self.trusts:
            raise NotFoundError("no such credential")
        del self.trusts[credential_id]
        self.removed_trusts.append(credential_id)


class DeletedTrust(Deletion):
    """A FederatedIdentity that was deleted, its trust, ServiceAccount and output."""

    def __init__(self) -> None:
        super().__init__()
        del self.kube.objects[f"{REVOCATIONS}/{self.name}"]
        data = {"due": DUE, "type": "FederatedIdentity", "secretUid": ""}
        more = {"serviceAccount": "orders", "configMap": "out"}
        self.name = revocation_name(OWNER, "default", CLIENT_ID, CredentialType.FEDERATED_IDENTITY)
        self.kube.put(f"{REVOCATIONS}/{self.name}", revocation_document(data | more)[1])
        self.trusts = TrustSession(self.clock, listed("ours"), listed("theirs", owner=None))
        self.directory = self.trusts
        self.annotate("orders")
        self.kube.put(OUTPUT, {"metadata": {"annotations": {"appcredential.io/owner": str(OWNER)}}})

    def annotate(self, account: str) -> None:
        """Have a ServiceAccount carry the owner's annotations."""
        path = f"{NAMESPACE}/serviceaccounts/{account}"
        self.kube.put(path, {"metadata": {"annotations": dict(WIRED)}})

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
        self.trusts.trusts["ours"] = listed("ours", owner=OTHER_OWNER)

    def annotations(self, account: str = "orders") -> dict[str, Any]:
        found = self.kube.objects[f"{NAMESPACE}/serviceaccounts/{account}"]
        return dict(found["metadata"].get("annotations") or {})


async def test_the_trust_goes_then_annotations_and_output() -> None:
    world = DeletedTrust()
    await world.pass_(12 * MINUTE)
    assert world.trusts.removed_trusts == ["ours"]
    assert list(world.trusts.trusts) == ["theirs"]
    assert world.annotations() == {}
    assert OUTPUT not in world.kube.objects
    assert not world.is_open
    assert [reason for reason, _, _ in world.events] == ["Revoked"]


async def test_a_service_account_that_was_named_before_is_left_without_annotations() -> None:
    world = DeletedTrust()
    former = replace(TRUST, subject=SUBJECT.replace("orders", "former"))
    world.trusts.trusts["former"] = listed("former", trust=former)
    world.annotate("former")
    await world.pass_(12 * MINUTE)
    assert world.trusts.removed_trusts == ["ours", "former"]
    assert world.annotations("former") == {}


async def test_a_trust_that_another_resource_asks_for_is_waited_for() -> None:
    world = DeletedTrust()
    world.add_heir()
    await world.pass_(30 * MINUTE)
    assert world.is_open
    world.take_over()
    await world.pass_(2 * MINUTE)
    assert world.trusts.removed_trusts == []
    assert world.annotations() == dict(WIRED), "the other resource has the account trusted"
    assert not world.is_open


async def test_a_trust_that_was_taken_over_since_the_read_is_left_alone() -> None:
    world = DeletedTrust()
    world.trusts.after_read = world.take_over
    await world.pass_(12 * MINUTE)
    assert world.trusts.removed_trusts == []
    assert not world.is_open


async def test_nothing_is_removed_while_nobody_knows_who_inherits() -> None:
    world = DeletedTrust()
    world.add_heir()
    world.issuer.issuer = Deletion().issuer.issuer
    await world.pass_(12 * MINUTE)
    assert world.trusts.removed_trusts == []
    assert world.is_open
