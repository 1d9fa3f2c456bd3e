"""Builds the operator, for `__main__`: the one place that knows which adapter serves which port."""

from __future__ import annotations

import os
from datetime import timedelta

from appcredential.cache.store import Store
from appcredential.controllers.app_credential import AppCredentialController
from appcredential.controllers.application_grant import ApplicationGrantController
from appcredential.controllers.application_search import ApplicationSearch
from appcredential.controllers.entra_tenant import EntraTenantController, TenantSettings
from appcredential.controllers.grant_ends import GrantEnds
from appcredential.controllers.kinds import Controllers
from appcredential.controllers.ownership import OwnershipLooks
from appcredential.deletions import build_revocations, build_unowned_records
from appcredential.domain.marker import ClusterIdentity
from appcredential.effects.context import Tools
from appcredential.gather.certificate_source import CertificateInputsReader
from appcredential.gather.gatherer import Gatherer
from appcredential.gather.sources import ClusterSources, LocalSources
from appcredential.handlers.watch import Watches
from appcredential.identities import build_own_identity
from appcredential.kube.certificate_sources import KubeInputs
from appcredential.kube.client import KubeClient
from appcredential.leadership import Leadership
from appcredential.parts import Parts
from appcredential.ports.local import Clock
from appcredential.ports.session import OpenSession
from appcredential.process import Cluster, Operator
from appcredential.reporting import build_report
from appcredential.runtime import logs
from appcredential.runtime.clock import SystemClock
from appcredential.runtime.metrics import Metrics
from appcredential.settings import Settings
from appcredential.sign_in import projected_token, session_opener
from appcredential.tenants.access import TenantAccess
from appcredential.tenants.probing import Prober
from appcredential.tenants.sessions import TenantSessions
from appcredential.watching import (
    build_inventory,
    build_issuer_looks,
    build_looks,
    build_namespace_watch,
    build_ownership,
    build_secret_watch,
    build_sign_ins,
)
from appcredential.x509.reading import CertificateReader


async def run(settings: Settings) -> int:
    """Connect to the API server, build the operator and run it; return the exit status.

    Raises:
        AppCredentialError: there is no way to the API server, or it cannot be asked which cluster
            it is.
    """
    logs.configure(settings.log_level)
    store, clock = Store(settings.own_shard), SystemClock()
    metrics = Metrics(store.samples)
    open_session = session_opener(settings, clock, metrics)
    kubeconfig = os.environ.get("KUBECONFIG", "")
    kube = await KubeClient.connect(clock, kubeconfig, metrics.observe_cluster)
    try:
        system = await kube.request("GET", "/api/v1/namespaces/kube-system")
        uid = system["metadata"]["uid"]
        identity = ClusterIdentity.of(uid, settings.cluster_id, settings.adopt_cluster_ids)
        operator = build_operator(
            settings, kube, identity, open_session, store, metrics, clock=clock
        )
        return await operator.run()
    finally:
        await kube.close()


def build_operator(
    settings: Settings,
    kube: KubeClient,
    identity: ClusterIdentity,
    open_session: OpenSession,
    store: Store,
    metrics: Metrics,
    *,
    clock: Clock,
) -> Operator:
    """Return an operator that works on one cluster, for the running event loop.

    Args:
        settings: of the process.
        kube: the API server; the caller closes it.
        identity: of the cluster, as the markers in Entra name it.
        open_session: opens sessions with Entra.
        store: the one whose samples `metrics` shows.
        metrics: of the process.
        clock: of the process.
    """
    parts = Parts(settings, kube, clock, identity, store, metrics)
    tenants = _tenants(parts, open_session)
    ownership = build_ownership(parts, tenants)
    tools = _tools(parts, tenants, ownership)
    search = ApplicationSearch(parts.clock, store, tenants.access, parts.process.guard)
    return Operator(
        settings=settings,
        clock=parts.clock,
        metrics=metrics,
        queue=parts.queue,
        cluster=_cluster(parts),
        leadership=Leadership(
            clock=parts.clock,
            metrics=metrics,
            holder=parts.holder,
            shard=store.shard,
            lease=parts.lease,
            claim=parts.claim,
            terms=parts.terms,
            guard=parts.process.guard,
        ),
        controllers=Controllers(
            clock=parts.clock,
            store=store,
            app_credentials=_app_credentials(parts, tenants, tools, ownership),
            entra_tenants=_entra_tenants(parts, tenants),
            tenants=tenants,
            application_grants=_application_grants(parts, search),
            search=search,
            unowned=build_unowned_records(parts, tenants.access),
            inventory=build_inventory(parts, tenants),
            ownership=ownership,
            resumption=parts.resumption(),
            sign_ins=build_sign_ins(parts, tools),
        ),
        revocations=build_revocations(parts, tenants.access),
    )


def _cluster(parts: Parts) -> Cluster:
    secret_watch = build_secret_watch(parts)
    return Cluster(
        store=parts.store,
        informer=parts.informer,
        watches=Watches(parts.settings.watch_namespaces, parts.on_event()),
        open_revocations=parts.open_revocations,
        looks=build_looks(parts, secret_watch),
        secret_watch=secret_watch,
        namespace_watch=build_namespace_watch(parts),
        grant_ends=GrantEnds(parts.clock, parts.store, parts.queue.add),
        issuer_looks=build_issuer_looks(parts),
        report=build_report(parts),
    )


def _tenants(parts: Parts, open_session: OpenSession) -> TenantAccess:
    queue, guard = parts.tenant_queue, parts.process.guard
    sessions = TenantSessions(
        open_session=open_session,
        prober=Prober(clock=parts.clock, queue=queue, retry=_tenant_retry(parts)),
        may_act=lambda: guard.problem() is None,
    )
    parts.metrics.sessions.sessions = sessions.samples
    return TenantAccess(clock=parts.clock, sessions=sessions, queue=queue)


def _entra_tenants(parts: Parts, tenants: TenantAccess) -> EntraTenantController:
    settings = parts.settings
    return EntraTenantController(
        clock=parts.clock,
        settings=TenantSettings(retry=_tenant_retry(parts), trial=settings.lifecycle.trial),
        objects=parts.objects,
        identity=build_own_identity(parts, projected_token(settings)),
        tenants=tenants,
        events=parts.kube.events,
        guard=parts.process.guard,
        queue=parts.tenant_queue,
    )


def _tenant_retry(parts: Parts) -> timedelta:
    return min(parts.settings.permission_retry, timedelta(seconds=30))


def _application_grants(parts: Parts, search: ApplicationSearch) -> ApplicationGrantController:
    return ApplicationGrantController(
        clock=parts.clock,
        objects=parts.objects,
        guard=parts.process.guard,
        uses=parts.store.uses,
        search=search,
        namespaces=parts.store.namespaces,
        period=parts.settings.relist,
        trial=parts.settings.lifecycle.trial,
    )


def _tools(parts: Parts, tenants: TenantAccess, ownership: OwnershipLooks) -> Tools:
    return Tools(
        process=parts.process,
        kube=parts.kube,
        grants=parts.grants,
        open_revocations=parts.open_revocations,
        records=parts.records,
        access=tenants.access,
        request_probe=tenants.request_probe,
        note_written=ownership.note_written,
        permission_retry=parts.settings.permission_retry,
    )


def _app_credentials(
    parts: Parts, tenants: TenantAccess, tools: Tools, ownership: OwnershipLooks
) -> AppCredentialController:
    gatherer = _gatherer(parts, tenants, ownership)
    return AppCredentialController(
        gatherer=gatherer, tools=tools, metrics=parts.metrics, states=parts.states
    )


def _gatherer(parts: Parts, tenants: TenantAccess, ownership: OwnershipLooks) -> Gatherer:
    kube = parts.kube
    return Gatherer(
        parts.process,
        ClusterSources(
            resources=kube.resources,
            secrets=kube.secrets,
            service_accounts=kube.service_accounts,
            outputs=kube.outputs,
            issuer=parts.issuer,
            certificate_inputs=CertificateInputsReader(
                KubeInputs(parts.client), CertificateReader()
            ),
            skew=parts.client.skew,
        ),
        LocalSources(
            grants=parts.grants,
            access=tenants.access,
            open_revocations=parts.open_revocations,
            records=parts.records.known,
            owners=parts.store.owners,
            standing=parts.store.standing,
            documents=parts.documents,
            ownership=ownership.ownership,
        ),
    )
