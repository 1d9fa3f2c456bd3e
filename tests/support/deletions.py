"""Open revocations, worked on with an API server and an Entra in memory, in virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from appcredential.cache.open_revocations import OpenRevocations
from appcredential.controllers.revocation import build_revocation_controller
from appcredential.controllers.revocation_round import Pace
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.observed.target import PendingState
from appcredential.domain.secret.content import Rendering
from appcredential.domain.secret.records import pending_name
from appcredential.domain.shards import WHOLE, Shard
from appcredential.domain.spec.model import ClientId, TenantId
from appcredential.effects.revocation import RevocationWrites
from appcredential.gather.heirs import Heirs
from appcredential.gather.revocation import RevocationReads
from appcredential.kube.app_credentials import KubeResources
from appcredential.kube.custom_resources import KubeObjects
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.revocations import KubeRevocations
from appcredential.kube.secret_documents import build_pending, build_target
from appcredential.kube.secret_store import KubeSecrets
from appcredential.kube.service_accounts import KubeServiceAccounts
from appcredential.ports.events import NO_ANNOTATIONS, EventSubject, Related
from appcredential.ports.session import Access
from tests.support.api_server import ApiServer
from tests.support.builders import (
    CLIENT_ID,
    IDENTITY,
    MINUTE,
    OWNER,
    SECOND,
    credential,
    pending,
    problem,
    target,
    tenant,
)
from tests.support.clock import HandClock
from tests.support.guard import open_guard
from tests.support.heirs import MemoryGrants, MemoryIssuer
from tests.support.revocation_documents import REVOCATIONS, revocation_document
from tests.support.session import MemorySession

POLL: Final = 30 * SECOND
DUE: Final = "2026-11-22T10:00:00Z"
SECRETS: Final = f"/api/v1/namespaces/{OWNER.namespace}/secrets"
RESOURCE: Final = (
    f"/apis/appcredential.io/v1alpha1/namespaces/{OWNER.namespace}/appcredentials/{OWNER.name}"
)
ANOTHER: Final = ClientId("99999999-9999-9999-9999-999999999999")


class Deletion:
    """One revocation that is due; the credential and the Secrets of its owner, which is gone."""

    def __init__(self, changes: Mapping[str, str] | None = None, shard: Shard = WHOLE) -> None:
        self.shard = shard
        self.clock = HandClock()
        self.kube = ApiServer()
        self.directory = MemorySession(self.clock, credential())
        self.tenants: dict[str, Tenant] = {"default": tenant()}
        self.issuer, self.grants = MemoryIssuer(problem()), MemoryGrants()
        self.events: list[tuple[str, str, bool]] = []
        self.told_of_others: list[str] = []
        live = target()
        body = build_target(OWNER.namespace, live.name, None, _rendering(live))
        kept = self.kube.put(f"{SECRETS}/orders-entra", body)
        self.name, document = revocation_document(
            {"due": DUE, "secretUid": kept["metadata"]["uid"], **(changes or {})}
        )
        self.kube.put(f"{REVOCATIONS}/{self.name}", document)
        self.start()

    def start(self) -> None:
        """Start a process, which knows nothing of what another one saw."""
        self.gate = open_guard(self.shard)
        resources = KubeResources(KubeObjects(self.kube), self.clock)
        secrets, outputs = KubeSecrets(self.kube, IDENTITY), KubeOutputs(self.kube)
        revocations = KubeRevocations(self.kube, "appcredential-system")
        self.open_revocations = OpenRevocations(revocations, self.shard)
        self.revocation_controller = build_revocation_controller(
            clock=self.clock,
            pace=Pace(period=POLL, sleep=self.clock.sleep),
            settings=LifecycleSettings(),
            absence=10 * MINUTE,
            identity=IDENTITY,
            guard=self.gate,
            reads=RevocationReads(
                resources=resources,
                secrets=secrets,
                outputs=outputs,
                access=self.access,
                heirs=Heirs(
                    resources=resources,
                    issuer=self.issuer,
                    grants=self.grants,
                    access=self.access,
                ),
            ),
            writes=RevocationWrites(
                secrets=secrets,
                outputs=outputs,
                service_accounts=KubeServiceAccounts(self.kube),
                revocations=revocations,
                open_revocations=self.open_revocations,
                events=self,
            ),
        )

    def access(self, name: str) -> Access | Problem:
        found = self.tenants.get(name)
        if found is None:
            return Problem(reason=Reason.TENANT_NOT_FOUND, message="There is none.")
        return Access(found, self.directory)

    async def emit(
        self,
        about: EventSubject,
        reason: str,
        note: str,
        *,
        warning: bool,
        annotations: Mapping[str, str] = NO_ANNOTATIONS,
        related: Related | None = None,
    ) -> None:
        if (about.namespace, about.name) != (OWNER.namespace, OWNER.name):
            assert reason == "RevocationOverdue"
            self.told_of_others.append(about.name)
            return
        self.events.append((reason, note, warning))

    async def pass_(self, length: timedelta) -> None:
        """Let time pass, with a look at the revocations every half minute."""
        until = self.clock.now() + length
        while self.clock.now() < until:
            await self.revocation_controller.run_once()
            self.clock.advance(POLL)
        await self.revocation_controller.run_once()

    def apply(self, **changes: Any) -> None:
        """Create a resource with the owner's name; without changes it is the owner."""
        spec = {
            "tenantRef": {"name": "default"},
            "application": {"clientId": CLIENT_ID},
            "type": "ClientSecret",
            "clientSecret": {},
            "secret": {"name": "orders-entra"},
            **changes,
        }
        body = {"metadata": {"generation": 1}, "spec": spec}
        self.kube.put(RESOURCE, body)

    def add_pending(self, **changes: Any) -> str:
        """Have the owner's P exist; return its path."""
        live = replace(pending(), **changes)
        body = build_pending(
            OWNER, IDENTITY.cluster, live, PendingState.MINTED, live.credential, live.value
        )
        path = f"{SECRETS}/{pending_name(OWNER.hash)}"
        self.kube.put(path, body)
        return path

    def rename_tenant(self, name: str, tenant_id: TenantId | None = None) -> None:
        """Have another EntraTenant, of the same directory unless told otherwise."""
        first = tenant()
        self.tenants[name] = replace(first, name=name, tenant_id=tenant_id or first.tenant_id)

    @property
    def is_open(self) -> bool:
        return f"{REVOCATIONS}/{self.name}" in self.kube.objects

    @property
    def has_target(self) -> bool:
        return f"{SECRETS}/orders-entra" in self.kube.objects


def _rendering(live: Any) -> Rendering:
    return Rendering(data=live.data, labels=live.labels, annotations=live.annotations)
