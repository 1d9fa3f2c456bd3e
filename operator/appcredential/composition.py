"""Builds the operator: the one place that knows which adapter implements which port.

`__main__` calls `run`.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from datetime import timedelta
from typing import Any

from appcredential.cache.informer import Informer
from appcredential.cache.open_revocations import OpenRevocations
from appcredential.cache.store import Store
from appcredential.controllers.app_credential import AppCredentialController
from appcredential.controllers.application_grant import ApplicationGrantController
from appcredential.controllers.entra_tenant import EntraTenantController, TenantSettings
from appcredential.controllers.kinds import Controllers
from appcredential.controllers.revocation import RevocationController, build_revocation_controller
from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.effects.context import KubePorts, Tools
from appcredential.effects.revocation import RevocationWrites
from appcredential.entra.projected_token import ProjectedToken
from appcredential.gather.certificate_source import CertificateInputsReader
from appcredential.gather.gatherer import Gatherer
from appcredential.gather.heirs import Heirs
from appcredential.gather.revocation import RevocationReads
from appcredential.gather.sources import ClusterSources, LocalSources
from appcredential.handlers.watch import OnEvent, Watches
from appcredential.kube.certificate_sources import KubeInputs
from appcredential.kube.client import KubeClient
from appcredential.kube.custom_resources import KubeObjects, KubeResources
from appcredential.kube.events import KubeEvents
from appcredential.kube.issuer import KubeIssuer
from appcredential.kube.lease import Lease, LeaseSettings
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.revocations import KubeRevocations
from appcredential.kube.secret_store import KubeSecrets
from appcredential.kube.service_accounts import KubeServiceAccounts
from appcredential.ports.entra import OpenSession
from appcredential.ports.local import Clock
from appcredential.process import Cluster, Leadership, Operator
from appcredential.runtime import logs
from appcredential.runtime.clock import SystemClock
from appcredential.runtime.effect_guard import EffectGuard, Terms
from appcredential.runtime.metrics import Metrics
from appcredential.runtime.this_process import ThisProcess
from appcredential.runtime.workqueue import Key, WorkQueue
from appcredential.settings import Settings
from appcredential.tenants.access import TenantAccess
from appcredential.tenants.operator_credential import OperatorCredentials
from appcredential.tenants.probing import Prober
from appcredential.tenants.sessions import TenantSessions
from appcredential.tenants.waking import TenantQueue

_TENANT_RETRY = timedelta(seconds=30)


async def run(settings: Settings) -> int:
    """Connect to the API server, build the operator and run it; return the exit status.

    Raises:
        AppCredentialError: the API server cannot be asked which cluster it is.
    """
    logs.configure(settings.log_level)
    store, clock = Store(), SystemClock()
    metrics = Metrics(store.samples)
    open_session = _session_opener(settings, clock, metrics)
    kubeconfig = os.environ.get("KUBECONFIG", "")
    kube = await KubeClient.connect(clock, kubeconfig, metrics.observe_cluster)
    try:
        system = await kube.request("GET", "/api/v1/namespaces/kube-system")
        identity = ClusterIdentity.of(system["metadata"]["uid"], settings.cluster_id)
        operator = build_operator(settings, kube, identity, open_session, store, metrics)
        return await operator.run()
    finally:
        await kube.close()


def _session_opener(settings: Settings, clock: Clock, metrics: Metrics) -> OpenSession:
    # The Graph SDK takes a second to import: only a process that opens sessions pays for it.
    from appcredential.entra.clouds import Endpoints  # noqa: PLC0415
    from appcredential.entra.rate_limit import Pacing  # noqa: PLC0415
    from appcredential.entra.session_opener import CustomCloud, SessionOpener  # noqa: PLC0415

    custom = None
    if settings.custom_authority:
        endpoints = Endpoints(settings.custom_authority, settings.custom_graph)
        custom = CustomCloud(endpoints=endpoints, ca_file=settings.custom_ca_file or None)
    return SessionOpener(
        clock=clock,
        token=_projected_token(settings),
        custom=custom,
        pacing=Pacing(
            spacing=settings.write_spacing.total_seconds(),
            after_conflict=settings.conflict_spacing.total_seconds(),
        ),
        observe=metrics.observe_directory,
        report=metrics.count_certificate_loss,
    )


def _projected_token(settings: Settings) -> ProjectedToken:
    return ProjectedToken(settings.identity_token_file, settings.custom_token_audience)


def build_operator(
    settings: Settings,
    kube: KubeClient,
    identity: ClusterIdentity,
    open_session: OpenSession,
    store: Store,
    metrics: Metrics,
) -> Operator:
    """Return an operator that works on one cluster, for the running event loop.

    Args:
        settings: of the process.
        kube: the API server; the caller closes it.
        identity: of the cluster, as the markers in Entra name it.
        open_session: opens sessions with Entra.
        store: the one whose samples `metrics` shows.
        metrics: of the process.
    """
    return _Composition(settings, kube, identity, open_session, store, metrics).operator()


class _Composition:
    """The parts of one operator, each made once."""

    def __init__(
        self,
        settings: Settings,
        kube: KubeClient,
        identity: ClusterIdentity,
        open_session: OpenSession,
        store: Store,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._kube = kube
        self._identity = identity
        self._open_session = open_session
        self._store = store
        self._metrics = metrics
        self._clock = clock = SystemClock()
        self._holder = f"{settings.pod_name}_{uuid.uuid4().hex[:8]}"
        self._queue = WorkQueue(clock)
        self._objects = KubeObjects(kube)
        self._resources = KubeResources(self._objects)
        self._secrets = KubeSecrets(kube, identity)
        self._scheduled = KubeRevocations(kube, settings.namespace)
        self._open_revocations = OpenRevocations(self._scheduled)
        self._events = KubeEvents(kube, clock, self._holder)
        self._service_accounts = KubeServiceAccounts(kube)
        self._outputs = KubeOutputs(kube)
        self._issuer = KubeIssuer(kube, clock, settings.service_account_token_file)
        self._informer = Informer(
            self._objects,
            store,
            settings.watch_namespaces,
            self._queue.add,
            self._wake_neighbour,
        )
        self._lease = Lease(kube, clock, self._lease_settings())
        self._terms = Terms()
        self._guard = EffectGuard(
            remaining=self._lease.remaining,
            is_synced=self._is_synced,
            effect_margin=settings.effect_margin,
            mint_margin=settings.mint_margin,
        )
        self._tenant_queue = TenantQueue(store.users_of, self._queue.add)
        self._tenants = self._make_tenants()
        self._process = self._make_process()
        self._revocations = self._make_revocations()
        self._app_credentials = self._make_app_credentials()

    def operator(self) -> Operator:
        """Return the operator."""
        settings = self._settings
        return Operator(
            settings=settings,
            clock=self._clock,
            metrics=self._metrics,
            queue=self._queue,
            cluster=Cluster(
                store=self._store,
                informer=self._informer,
                watches=Watches(settings.watch_namespaces, self._threadsafe_on_event()),
                open_revocations=self._open_revocations,
            ),
            leadership=Leadership(
                holder=self._holder, lease=self._lease, terms=self._terms, guard=self._guard
            ),
            controllers=Controllers(
                clock=self._clock,
                store=self._store,
                app_credentials=self._app_credentials,
                entra_tenants=self._make_entra_tenants(),
                tenants=self._tenants,
                application_grants=ApplicationGrantController(
                    clock=self._clock,
                    objects=self._objects,
                    guard=self._guard,
                    period=settings.relist,
                    trial=settings.lifecycle.trial,
                ),
            ),
            revocations=self._revocations,
        )

    # --- the controllers ------------------------------------------------------------------

    def _make_process(self) -> ThisProcess:
        return ThisProcess(
            clock=self._clock,
            settings=self._settings.lifecycle,
            identity=self._identity,
            holder=self._holder,
            guard=self._guard,
        )

    def _make_tenants(self) -> TenantAccess:
        queue = self._tenant_queue
        prober = Prober(clock=self._clock, queue=queue, retry=self._tenant_retry())
        sessions = TenantSessions(
            open_session=self._open_session,
            prober=prober,
            may_act=lambda: self._guard.problem() is None,
        )
        return TenantAccess(clock=self._clock, sessions=sessions, queue=queue)

    def _make_entra_tenants(self) -> EntraTenantController:
        settings = self._settings
        return EntraTenantController(
            clock=self._clock,
            settings=TenantSettings(retry=self._tenant_retry(), trial=settings.lifecycle.trial),
            objects=self._objects,
            credentials=OperatorCredentials(
                clock=self._clock,
                namespace=settings.namespace,
                secrets=self._secrets,
                token=_projected_token(settings),
            ),
            tenants=self._tenants,
            events=self._events,
            guard=self._guard,
            queue=self._tenant_queue,
        )

    def _tenant_retry(self) -> timedelta:
        return min(self._settings.permission_retry, _TENANT_RETRY)

    def _make_revocations(self) -> RevocationController:
        settings = self._settings
        return build_revocation_controller(
            clock=self._clock,
            settings=settings.lifecycle,
            absence=settings.ticket_absence,
            identity=self._identity,
            guard=self._guard,
            reads=RevocationReads(
                resources=self._resources,
                secrets=self._secrets,
                outputs=self._outputs,
                access=self._tenants.access,
                heirs=Heirs(
                    resources=self._resources,
                    issuer=self._issuer,
                    grants=self._informer,
                    access=self._tenants.access,
                ),
            ),
            writes=RevocationWrites(
                secrets=self._secrets,
                outputs=self._outputs,
                service_accounts=self._service_accounts,
                revocations=self._scheduled,
                open_revocations=self._open_revocations,
                events=self._events,
            ),
        )

    def _make_app_credentials(self) -> AppCredentialController:
        return AppCredentialController(
            gatherer=self._make_gatherer(), tools=self._make_tools(), metrics=self._metrics
        )

    def _make_tools(self) -> Tools:
        return Tools(
            process=self._process,
            kube=KubePorts(
                resources=self._resources,
                secrets=self._secrets,
                service_accounts=self._service_accounts,
                outputs=self._outputs,
                revocations=self._scheduled,
                events=self._events,
            ),
            grants=self._informer,
            open_revocations=self._open_revocations,
            access=self._tenants.access,
            request_probe=self._tenants.request_probe,
            permission_retry=self._settings.permission_retry,
        )

    def _make_gatherer(self) -> Gatherer:
        return Gatherer(
            self._process,
            ClusterSources(
                resources=self._resources,
                secrets=self._secrets,
                service_accounts=self._service_accounts,
                outputs=self._outputs,
                issuer=self._issuer,
                certificate_inputs=CertificateInputsReader(KubeInputs(self._kube)),
                skew=self._kube.skew,
            ),
            LocalSources(
                grants=self._informer,
                access=self._tenants.access,
                open_revocations=self._open_revocations,
                owners=self._store.owners,
            ),
        )

    # --- what the parts ask of each other ---------------------------------------------------

    def _lease_settings(self) -> LeaseSettings:
        return LeaseSettings(
            namespace=self._settings.namespace,
            name="appcredential",
            holder=self._holder,
            duration=self._settings.lease_duration,
        )

    def _is_synced(self) -> bool:
        is_listed = self._store.is_complete and not self._informer.schema_problem
        return self._terms.is_settled and is_listed

    def _wake_neighbour(self, key: Key) -> None:
        """Reconcile a resource that wants the same Secret as one that changed or went."""
        self._app_credentials.invalidate(Owner(key.namespace, key.name))
        self._queue.add(key)

    def _threadsafe_on_event(self) -> OnEvent:
        """Return a callback for kopf's thread that hands each event to this loop."""
        loop, take = asyncio.get_running_loop(), self._informer.on_event

        def on_event(plural: str, event: str, document: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(take, plural, event, document)

        return on_event
