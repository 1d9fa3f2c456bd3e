"""The parts of one process that several controllers share, each made once."""

from __future__ import annotations

import asyncio
import uuid
from functools import cached_property
from typing import Any

from appcredential.cache.grants import Grants, Site
from appcredential.cache.informer import Informer
from appcredential.cache.issued_records import KnownRecords
from appcredential.cache.open_revocations import OpenRevocations
from appcredential.cache.store import Store
from appcredential.controllers.resumption import Resumption
from appcredential.domain.claim import Claim
from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.domain.spec.reserved import AllowedKeys
from appcredential.domain.urgency import Urgency
from appcredential.effects.context import KubePorts
from appcredential.effects.issued_records import RecordWrites
from appcredential.entra.issuer_documents import IssuerDocuments
from appcredential.gather.leader_notes import TermsNotes
from appcredential.gather.pods import PodLooks
from appcredential.gather.state import ResourceStates
from appcredential.gather.workloads import WorkloadLooks
from appcredential.handlers.watch import OnEvent
from appcredential.kube.app_credentials import CRD_AGE, KubeResources
from appcredential.kube.claim import ClaimSettings, ClusterClaim
from appcredential.kube.client import KubeClient
from appcredential.kube.custom_resources import APP_CREDENTIALS, KubeObjects
from appcredential.kube.events import KubeEvents
from appcredential.kube.issued_records import KubeIssuedRecords
from appcredential.kube.issuer import KubeIssuer
from appcredential.kube.lease import Lease, LeaseSettings
from appcredential.kube.namespaces import KubeNamespaces
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.pods import KubePods
from appcredential.kube.revocations import KubeRevocations
from appcredential.kube.secret_store import KubeSecrets
from appcredential.kube.service_accounts import KubeServiceAccounts
from appcredential.kube.workloads import KubeWorkloads
from appcredential.ports.local import Clock
from appcredential.runtime.effect_guard import EffectGuard, Terms
from appcredential.runtime.metrics import Metrics
from appcredential.runtime.ready import Bounds, Key, Lane
from appcredential.runtime.this_process import ThisProcess
from appcredential.runtime.workqueue import WorkQueue
from appcredential.settings import Settings
from appcredential.tenants.waking import TenantQueue


class Parts:
    """The clock, the queue, the caches, the Lease and the adapters to the API server.

    Args:
        client: the API server.
        clock: of the process.
        identity: of the cluster, as the markers in Entra name it.
        store: the one whose samples `metrics` shows.
    """

    def __init__(
        self,
        settings: Settings,
        client: KubeClient,
        clock: Clock,
        identity: ClusterIdentity,
        store: Store,
        metrics: Metrics,
    ) -> None:
        self.settings = settings
        self.client = client
        self.store = store
        self.metrics = metrics
        self.clock = clock
        self.states = ResourceStates()
        metrics.looks.resumed.set_function(self.states.count_resumed)
        metrics.sessions.cluster_skew = client.skew
        bounds = Bounds.of(settings.workers)
        self.queue = WorkQueue(self.clock, self._lane, bounds, store.is_worked_on)
        self.holder = f"{settings.pod_name}_{uuid.uuid4().hex[:8]}"
        self.objects = KubeObjects(client)
        self.secrets = KubeSecrets(client, identity)
        self.kube = self._kube_ports()
        self.issuer = KubeIssuer(client, self.clock, settings.service_account_token_file)
        self.open_revocations = OpenRevocations(self.kube.revocations, store.shard)
        self.records = self._records(identity)
        self.tenant_queue = self._tenant_queue()
        self.informer = self._informer()
        self.namespaces = KubeNamespaces(client)
        site = Site(cluster_id=identity.cluster_id, namespace=settings.namespace)
        self.grants = Grants(self.objects, store, self.clock, self.namespaces, site)
        self.terms = Terms()
        self.lease = Lease(client, self.clock, self._lease_settings())
        metrics.show_leader(TermsNotes(self.states, self.terms, self.lease.is_leader))
        self.claim = ClusterClaim(client, self.clock, self._claim_settings(identity))
        self.process = ThisProcess(
            clock=self.clock,
            settings=settings.lifecycle,
            identity=identity,
            holder=self.holder,
            started=self.clock.now(),
            guard=self._effect_guard(),
            terms=self.terms,
        )

    def on_event(self) -> OnEvent:
        """Return a callback for kopf's thread that hands each event to the running loop."""
        loop, take = asyncio.get_running_loop(), self.informer.on_event

        def handed_over(plural: str, event: str, document: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(take, plural, event, document)

        return handed_over

    @cached_property
    def documents(self) -> IssuerDocuments:
        """The discovery documents of the issuers that the settings list."""
        ca_file = self.settings.ca_file or None
        return IssuerDocuments(self.settings.checked_issuers, self.clock, ca_file)

    def _kube_ports(self) -> KubePorts:
        client, settings = self.client, self.settings
        return KubePorts(
            resources=KubeResources(
                self.objects,
                self.clock,
                AllowedKeys(settings.allowed_secret_keys, settings.secret_labels),
                min(CRD_AGE, settings.lifecycle.deletion_settle / 2),
            ),
            secrets=self.secrets,
            service_accounts=KubeServiceAccounts(client),
            outputs=KubeOutputs(client),
            pods=PodLooks(KubePods(client), self.clock, self._wake_looker),
            workloads=WorkloadLooks(KubeWorkloads(client), self.clock, self._wake_looker),
            revocations=KubeRevocations(client, settings.namespace),
            events=KubeEvents(client, self.clock, self.holder),
        )

    def _wake_looker(self, owner: Owner) -> None:
        """Have a look at pods or workloads used while it is fresh enough for what rests on it."""
        self.queue.add(Key(APP_CREDENTIALS, owner.namespace, owner.name), Urgency.IN_FLIGHT)

    def wake_changed(self, key: Key) -> None:
        """Reconcile a resource of which something was changed that no watch shows."""
        self.queue.add(key, Urgency.CHANGED)

    def _informer(self) -> Informer:
        return Informer(
            self.objects,
            self.store,
            self.settings.watch_namespaces,
            self.queue.add,
            self._wake_neighbour,
            self.settings.report_team_label if self.settings.report else None,
        )

    def _lane(self, key: Key) -> Lane:
        return self.store.lane(key, self.clock.now().timestamp())

    def _tenant_queue(self) -> TenantQueue:
        return TenantQueue(
            self.store.users_of,
            self._left_in,
            self.queue.add,
            self._is_resumed,
            self._refresh_left,
        )

    async def _refresh_left(self) -> None:
        """Learn what other shards scheduled and recorded; one alone has written all of it."""
        if self.store.shard.count > 1:
            await self.open_revocations.refresh()
            await self.records.known.refresh()

    def _is_resumed(self, key: Key) -> bool:
        state = self.states.known(Owner(key.namespace, key.name))
        return state is not None and state.resumed is not None

    def resumption(self) -> Resumption:
        """Return what takes up at the start of a term what another leader left."""
        return Resumption(
            clock=self.clock,
            namespaces=self.settings.watch_namespaces,
            resources=self.kube.resources,
            store=self.store,
            askers=self.grants,
            open_revocations=self.open_revocations,
            records=self.records.known,
            states=self.states,
            queue=self.queue,
        )

    def look_whole(self, key: Key) -> None:
        """Pass a resource when nothing more urgent is to be done."""
        self.queue.add(key, Urgency.LOOK)

    def _left_in(self, tenant: str, tenant_id: str) -> list[Owner]:
        """Return who is to be revoked in an EntraTenant: scheduled, or not yet looked at."""
        scheduled = self.open_revocations.needing(tenant, tenant_id)
        return scheduled + self.records.known.needing(tenant, tenant_id)

    def _records(self, identity: ClusterIdentity) -> RecordWrites:
        records = KubeIssuedRecords(self.client, self.settings.namespace)
        known = KnownRecords(
            records,
            self.store.owns,
            self.settings.watch_namespaces,
            identity.whole,
            self.store.shard,
        )
        return RecordWrites(records, known, self.clock)

    def _lease_settings(self) -> LeaseSettings:
        return LeaseSettings(
            namespace=self.settings.namespace,
            name=f"appcredential{self.store.shard.suffix}",
            holder=self.holder,
            duration=self.settings.lease_duration,
        )

    def _claim_settings(self, identity: ClusterIdentity) -> ClaimSettings:
        settings = self.settings
        return ClaimSettings(
            own=Claim(
                namespace=settings.namespace,
                installation=settings.installation,
                cluster_id=identity.cluster_id,
            ),
            namespace=settings.claim_namespace,
            replaced=settings.replace_claim,
            patience=settings.lease_duration + settings.lease_renew,
            shards=settings.shards,
            longest=max(settings.effect_margin, settings.mint_margin),
        )

    def _effect_guard(self) -> EffectGuard:
        return EffectGuard(
            remaining=self.lease.remaining,
            is_synced=self._is_synced,
            effect_margin=self.settings.effect_margin,
            mint_margin=self.settings.mint_margin,
            shard=self.store.shard,
        )

    def _is_synced(self) -> bool:
        is_listed = self.store.is_complete and not self.informer.schema_problem
        return self.terms.is_settled and is_listed and self.claim.may_act

    def _wake_neighbour(self, key: Key) -> None:
        """Reconcile a resource that wants the same Secret as one that changed or went."""
        self.states.invalidate(Owner(key.namespace, key.name))
        self.queue.add(key)
