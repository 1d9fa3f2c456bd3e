"""The running operator: watches, Lease, workers, relists, tickets and health, in one loop."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from appcredential import __version__
from appcredential.cache.informer import Informer, parse_grant
from appcredential.cache.open_revocations import OpenRevocations
from appcredential.cache.store import Store
from appcredential.controllers.app_credential import AppCredentialController
from appcredential.controllers.entra_tenant import EntraTenantController
from appcredential.controllers.revocation import RevocationController
from appcredential.domain.conditions import (
    Condition,
    ConditionType,
    Problem,
    Reason,
    merge_conditions,
)
from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.domain.revocation import Revocation
from appcredential.domain.spec.model import ApplicationGrantSpec
from appcredential.domain.status.projection import needs_write
from appcredential.entra.projected_token import ProjectedToken
from appcredential.errors import ConflictError
from appcredential.gather.certificate_source import CertificateInputsReader
from appcredential.handlers.watch import Watches
from appcredential.kube.certificate_sources import KubeInputs
from appcredential.kube.client import KubeClient
from appcredential.kube.custom_resources import (
    APP_CREDENTIALS,
    GRANTS,
    KINDS,
    TENANTS,
    KubeObjects,
    KubeResources,
)
from appcredential.kube.events import KubeEvents
from appcredential.kube.issuer import KubeIssuer
from appcredential.kube.lease import Lease, LeaseLostError, LeaseSettings
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.revocations import KubeRevocations
from appcredential.kube.secret_store import KubeSecrets
from appcredential.kube.service_accounts import KubeServiceAccounts
from appcredential.ports.entra import OpenSession
from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.health import HealthServer
from appcredential.runtime.loops import Loop, watch
from appcredential.runtime.metrics import Metrics
from appcredential.runtime.workqueue import Key, WorkQueue
from appcredential.settings import Settings
from appcredential.tenants.operator_credential import OperatorCredentials

log = logging.getLogger(__name__)

_STUCK_SECONDS = 300.0
_LEASE_STUCK_SECONDS = 120.0
_TICK = timedelta(seconds=0.5)
_RELIST_SOON_SECONDS = 10.0
_STOP_SECONDS = 60.0
_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """See `ports.Clock`."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """See `ports.Clock`. Counts on while the machine is suspended, where it can.

        Elsewhere a virtual machine that wakes up would go on as the leader by a
        Lease that another process took over meanwhile.
        """
        return time.clock_gettime(_CLOCK)


class Operator:
    """All parts of one process."""

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
        self._store = store
        self._metrics = metrics
        self._clock = clock = SystemClock()
        self._holder = holder = f"{settings.pod_name}_{uuid.uuid4().hex[:8]}"
        self._objects = KubeObjects(kube)
        self._queue = WorkQueue(clock)
        self._sync = Informer(
            self._objects, store, settings.watch_namespaces, self._queue.add, self._wake_neighbour
        )
        self._lease = Lease(kube, clock, _lease_settings(settings, holder))
        self._gate = EffectGuard(
            remaining=self._lease.remaining,
            is_synced=self._is_synced,
            effect_margin=settings.effect_margin,
            mint_margin=settings.mint_margin,
        )
        secrets, revocations = (
            KubeSecrets(kube, identity),
            KubeRevocations(kube, settings.namespace),
        )
        events = KubeEvents(kube, clock, holder)
        resources = KubeResources(self._objects)
        accounts, outputs = KubeServiceAccounts(kube), KubeOutputs(kube)
        token = ProjectedToken(settings.identity_token_file, settings.custom_token_audience)
        self._tenants = EntraTenantController(
            clock=clock,
            objects=self._objects,
            identities=OperatorCredentials(
                clock=clock, namespace=settings.namespace, secrets=secrets, token=token
            ),
            events=events,
            gate=self._gate,
            open_session=open_session,
            users_of=store.users_of,
            wake=self._queue.add,
            retry=min(settings.permission_retry, timedelta(seconds=30)),
            trial=settings.lifecycle.trial,
        )
        self._open_revocations = OpenRevocations(revocations)
        self._revocation_controller = RevocationController(
            clock=clock,
            settings=settings.lifecycle,
            absence=settings.ticket_absence,
            identity=identity,
            gate=self._gate,
            resources=resources,
            secrets=secrets,
            revocations=revocations,
            open_revocations=self._open_revocations,
            events=events,
            access=self._tenants.access,
            service_accounts=accounts,
            outputs=outputs,
            wanted=self._wanted_beside,
        )
        self._reconciler = AppCredentialController(
            clock=clock,
            settings=settings.lifecycle,
            identity=identity,
            holder=holder,
            gate=self._gate,
            resources=resources,
            secrets=secrets,
            revocations=revocations,
            open_revocations=self._open_revocations,
            events=events,
            grants=self._sync,
            access=self._tenants.access,
            request_probe=self._tenants.request_probe,
            cluster_skew=kube.skew,
            metrics=metrics,
            certificate_inputs_reader=CertificateInputsReader(KubeInputs(kube)),
            permission_retry=settings.permission_retry,
            service_accounts=accounts,
            outputs=outputs,
            owners=store.owners,
            issuer=KubeIssuer(kube, clock, settings.service_account_token_file),
        )
        self._watches = Watches(settings.watch_namespaces, self._from_watch)
        self._health = HealthServer(metrics, self._livez, self._readyz)
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._exit_code = 0
        self._terms = 0
        self._settled_term = 0
        self._was_synced = False
        self._relisted = clock.monotonic()
        self._relisting = self._periodic("relist", self._relist, settings.relist)
        self._holding = self._periodic("lease", self._hold_lease, settings.lease_renew)
        self._settling = self._periodic("settle", self._settle, settings.lease_renew)
        self._loops = (
            self._holding,
            self._settling,
            self._relisting,
            self._periodic("tickets", self._work_revocations, settings.ticket_poll),
            self._periodic("look after", self._look_after, _TICK),
        )

    async def _wanted_beside(self, revocation: Revocation) -> frozenset[tuple[str, str]]:
        """Ask the reconciler, which is made after what asks."""
        return await self._reconciler.wanted(revocation)

    def _periodic(self, name: str, job: Callable[[], Awaitable[None]], period: timedelta) -> Loop:
        return Loop(name, job, period, clock=self._clock, metrics=self._metrics)

    # --- life -----------------------------------------------------------------------------

    async def run(self) -> int:
        """Run until a signal or a fatal fault; return the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._end, 0, "signal")
        await self._health.start(self._settings.health_address, self._settings.health_port)
        log.info("started", extra={"version": __version__, "health_port": self._health.port})
        workers = [
            asyncio.create_task(self._queue.run(self._reconcile, self._stop), name=f"worker {n}")
            for n in range(self._settings.workers)
        ]
        loops = [asyncio.create_task(loop.run(), name=f"loop {loop.name}") for loop in self._loops]
        for task in (*workers, *loops):
            watch(task, is_stopping=self._stop.is_set, end=self._end)
        await self._stop.wait()
        await self._shut_down(workers, loops)
        return self._exit_code

    async def _shut_down(
        self, workers: list[asyncio.Task[None]], loops: list[asyncio.Task[None]]
    ) -> None:
        """Let effects that are under way finish; start nothing new."""
        self._gate.stopping = True
        self._queue.wake()
        _, pending = await asyncio.wait(workers, timeout=_STOP_SECONDS)
        for task in (*pending, *loops):
            task.cancel()
        await asyncio.gather(*workers, *loops, return_exceptions=True)
        try:
            await self._lease.release()
        except Exception:  # whatever it is, what follows must still be closed
            log.exception("the Lease was not released")
        await asyncio.to_thread(self._watches.stop, 10.0)
        await self._tenants.close()
        await self._health.stop()
        await self._kube.close()
        log.info("stopped")

    def _end(self, code: int, cause: str) -> None:
        log.info("stopping", extra={"cause": cause})
        self._exit_code = max(self._exit_code, code)
        self._gate.stopping = True
        self._stop.set()
        self._queue.wake()

    async def _relist(self) -> None:
        was_fit = not self._sync.schema_problem
        try:
            await self._sync.relist()
        finally:
            if not was_fit:
                self._holding.wake()  # it may lead now

    async def _hold_lease(self) -> None:
        """Nothing but the Lease: no other work may keep it from being renewed."""
        if self._sync.schema_problem:
            # As the leader it would do nothing; a replica of the version before does its work.
            # One that leads lets the Lease run out: what it has begun may take as long.
            self._metrics.leader.set(float(self._lease.is_leader()))
            return
        was_leader = self._lease.is_leader()
        try:
            leads = await self._lease.try_hold()
        except LeaseLostError as exc:
            self._end(1, str(exc))
            return
        self._metrics.leader.set(float(leads))
        if leads and not was_leader:
            log.info("leading", extra={"holder": self._holder})
            self._terms += 1
            self._settling.wake()

    async def _settle(self) -> None:
        """Read the tickets once at the start of a term; then everything may have effects."""
        term = self._terms
        if term != self._settled_term and self._lease.is_leader():
            await self._open_revocations.refresh()
            self._settled_term = term
            self._was_synced = False
        is_synced = self._is_synced()
        if is_synced and not self._was_synced:
            self._queue_all()  # what was looked at while nothing might be done waits for a minute
        self._was_synced = is_synced

    def _queue_all(self) -> None:
        for kind in KINDS:
            for key in self._store.keys(kind):
                self._queue.add(key)

    def _is_synced(self) -> bool:
        is_settled = self._settled_term == self._terms
        return is_settled and self._store.is_complete and not self._sync.schema_problem

    async def _look_after(self) -> None:
        self._metrics.queue.set(self._queue.depth)
        self._metrics.revocations.set(self._open_revocations.count)
        self._begin_watching()
        if self._watches.is_started and not self._watches.is_alive() and not self._stop.is_set():
            self._end(1, "the watches ended")

    def _begin_watching(self) -> None:
        """Watch as soon as all kinds could be listed, and look for them often until then."""
        if self._readyz():
            now = self._clock.monotonic()
            if now - self._relisted > _RELIST_SOON_SECONDS:
                self._relisted = now
                self._relisting.wake()
        elif not self._watches.is_started:
            self._watches.start()

    async def _work_revocations(self) -> None:
        if self._gate.problem() is None:
            await self._revocation_controller.run_once()

    def _livez(self) -> str:
        if self._queue.is_stuck(_STUCK_SECONDS):
            return "the work queue makes no progress"
        idle = self._holding.idle()
        if idle > max(_LEASE_STUCK_SECONDS, 2 * self._settings.lease_duration.total_seconds()):
            return f"the Lease loop has made no progress for {idle:.0f} s"
        return ""

    def _readyz(self) -> str:
        if self._sync.schema_problem:
            return self._sync.schema_problem
        return "" if self._store.is_complete else "the first lists are not complete"

    def _wake_neighbour(self, key: Key) -> None:
        """Reconcile whoever wants the same Secret as a resource that changed or went."""
        self._reconciler.invalidate(Owner(key.namespace, key.name))
        self._queue.add(key)

    def _from_watch(self, plural: str, event: str, document: dict[str, Any]) -> None:
        """Hand an event from kopf's thread to the loop."""
        self._loop.call_soon_threadsafe(self._sync.on_event, plural, event, document)

    # --- work -----------------------------------------------------------------------------

    async def _reconcile(self, key: Key) -> datetime | None:
        self._metrics.reconciles.labels(key.kind).inc()
        if not self._store.is_complete:
            return self._clock.now() + timedelta(seconds=1)
        if key.kind == APP_CREDENTIALS:
            known = self._store.get(key)
            if known is not None and self._is_unread(known.tenant):
                return self._clock.now() + timedelta(seconds=1)
            seen = known.version if known is not None else ""
            return await self._reconciler.reconcile(Owner(key.namespace, key.name), seen)
        if key.kind == TENANTS:
            return await self._tenants.reconcile(key)
        return await self._reconcile_grant(key)

    def _is_unread(self, tenant: str) -> bool:
        """Tell whether an EntraTenant exists that was not looked at: it is not missing then."""
        exists = self._store.get(Key(TENANTS, "", tenant)) is not None
        return exists and not self._tenants.was_looked_at(tenant)

    async def _reconcile_grant(self, key: Key) -> datetime | None:
        document = await self._objects.get(GRANTS, "", key.name)
        if document is None:
            return None
        later = self._clock.now() + self._settings.relist
        if self._gate.problem() is not None:
            return later
        current, metadata = document.get("status") or {}, document["metadata"]
        generation = int(metadata["generation"])
        conditions = merge_conditions(
            current.get("conditions") or (),
            _grant_conditions(parse_grant(document)),
            generation=generation,
            now=self._clock.now(),
            trial=self._settings.lifecycle.trial,
        )
        wanted = {"observedGeneration": generation, "conditions": conditions}
        if needs_write(current, wanted):
            try:
                await self._objects.apply_status(GRANTS, metadata, wanted)
            except ConflictError:
                return self._clock.now() + timedelta(seconds=1)
        return later


def _lease_settings(settings: Settings, holder: str) -> LeaseSettings:
    return LeaseSettings(
        namespace=settings.namespace,
        name="appcredential",
        holder=holder,
        duration=settings.lease_duration,
    )


def _grant_conditions(grant: ApplicationGrantSpec | Problem) -> list[Condition]:
    if isinstance(grant, Problem):
        words: dict[str, Any] = {"reason": grant.reason, "message": grant.message}
        return [
            Condition(type=ConditionType.READY, status="False", **words),
            Condition(type=ConditionType.STALLED, status="True", **words),
        ]
    return [
        Condition(
            type=ConditionType.READY,
            status="True",
            reason=Reason.ACCEPTED,
            message="The grant is in force.",
        )
    ]
