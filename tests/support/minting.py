"""One mint, performed by the real effects on an API server and an Entra in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from appcredential.cache.issued_records import KnownRecords
from appcredential.cache.open_revocations import OpenRevocations
from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem
from appcredential.domain.lifecycle import Decision
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.asker import Asker, Tags
from appcredential.domain.observed.entra import Grant
from appcredential.domain.secret.records import pending_name
from appcredential.domain.spec.grant import NamedApplications, NamedNamespaces
from appcredential.domain.spec.model import ApplicationGrantSpec, KeyId, Limits
from appcredential.effects.context import KubePorts, Step, Tools
from appcredential.effects.dispatch import perform
from appcredential.effects.issued_records import RecordWrites
from appcredential.gather.pods import PodLooks
from appcredential.gather.state import ResourceState
from appcredential.gather.workloads import WorkloadLooks
from appcredential.kube.app_credentials import KubeResources
from appcredential.kube.custom_resources import KubeObjects
from appcredential.kube.issued_records import KubeIssuedRecords
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.pods import KubePods
from appcredential.kube.revocations import KubeRevocations
from appcredential.kube.secret_store import KubeSecrets
from appcredential.kube.service_accounts import KubeServiceAccounts
from appcredential.kube.workloads import KubeWorkloads
from appcredential.ports.events import NO_ANNOTATIONS, EventSubject, Related
from appcredential.ports.session import Access
from appcredential.runtime.this_process import ThisProcess
from tests.support.api_server import ApiServer
from tests.support.builders import (
    CLIENT_ID,
    DAY,
    HOLDER,
    IDENTITY,
    MINUTE,
    NOW,
    OWNER,
    application,
    asker,
    facts,
    grant,
    observation,
)
from tests.support.clock import HandClock
from tests.support.guard import open_guard
from tests.support.session import MemorySession

SECRETS: Final = f"/api/v1/namespaces/{OWNER.namespace}/secrets"
PENDING: Final = f"{SECRETS}/{pending_name(OWNER.hash)}"
MADE: Final = KeyId("key-1")
"""The credential that is made."""


class Minting:
    """A resource without any credential, about to get its first one."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.kube = ApiServer()
        self.secrets = KubeSecrets(self.kube, IDENTITY)
        self.directory = MemorySession(self.clock)
        self.grant: Grant | Problem = grant()
        self.view = ResourceState()
        self.view.application = application(read_time=NOW)
        self.facts = facts(observation(target=None, pending=None, application=application()))
        revocations = KubeRevocations(self.kube, "appcredential-system")
        records = KubeIssuedRecords(self.kube, "appcredential-system")
        self._tools = Tools(
            process=ThisProcess(
                clock=self.clock,
                settings=LifecycleSettings(),
                identity=IDENTITY,
                holder=HOLDER,
                started=self.clock.now(),
                guard=open_guard(),
            ),
            kube=KubePorts(
                resources=KubeResources(KubeObjects(self.kube), self.clock),
                secrets=self.secrets,
                service_accounts=KubeServiceAccounts(self.kube),
                outputs=KubeOutputs(self.kube),
                pods=PodLooks(KubePods(self.kube), self.clock, lambda _: None),
                workloads=WorkloadLooks(KubeWorkloads(self.kube), self.clock, lambda _: None),
                revocations=revocations,
                events=self,
            ),
            grants=self,
            note_written=lambda *_: None,
            open_revocations=OpenRevocations(revocations),
            records=RecordWrites(
                records, KnownRecords(records, lambda _: True, (), IDENTITY.whole), self.clock
            ),
            access=lambda _: Access(self.facts.tenant, self.directory),
            request_probe=lambda _, __: None,
            permission_retry=10 * MINUTE,
        )

    def known(self) -> dict[str, ApplicationGrantSpec]:
        if isinstance(self.grant, Problem):
            return {}
        return {
            self.grant.name: ApplicationGrantSpec(
                tenant=self.facts.tenant.name,
                applications=NamedApplications(frozenset({CLIENT_ID})),
                namespaces=NamedNamespaces(frozenset({OWNER.namespace})),
                limits=Limits(max_lifetime=self.grant.max_lifetime),
            )
        }

    async def live(self) -> dict[str, ApplicationGrantSpec]:
        return self.known()

    def asker(self, namespace: str, tags: Tags | None) -> Asker:
        return asker(namespace, tags=tags)

    async def live_asker(self, namespace: str, tags: Tags | None) -> Asker:
        return self.asker(namespace, tags)

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
        return

    async def mint(self, lifetime: timedelta = 90 * DAY) -> None:
        decision = Decision(
            action=act.Mint(1, (), lifetime), status={}, look_again=NOW, facts=self.facts
        )
        seen = self.facts.observation
        step = Step(tools=self._tools, observation=seen, decision=decision, state=self.view)
        await perform(step)

    @property
    def state(self) -> str:
        """P's state as it is stored; empty without a P."""
        found = self.kube.objects.get(PENDING, {"metadata": {}})["metadata"]
        return str((found.get("annotations") or {}).get("appcredential.io/state") or "")
