"""The running operator: its life, its loops and its health. `composition.py` builds it."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from appcredential import __version__
from appcredential.cache.informer import Informer
from appcredential.cache.open_revocations import OpenRevocations
from appcredential.cache.store import Store
from appcredential.controllers import application_search, ownership
from appcredential.controllers.grant_ends import GrantEnds
from appcredential.controllers.issuer_looks import IssuerLooks
from appcredential.controllers.kinds import Controllers
from appcredential.controllers.looks import ClusterLooks
from appcredential.controllers.namespace_watch import NamespaceWatch
from appcredential.controllers.revocation import RevocationController
from appcredential.controllers.secret_watch import SecretWatch
from appcredential.errors import UnavailableError
from appcredential.handlers.watch import Watches
from appcredential.kube.custom_resources import KINDS
from appcredential.kube.lease import LeaseLostError
from appcredential.leadership import Leadership
from appcredential.ports.local import Clock
from appcredential.runtime.deferred_work import DeferredWork
from appcredential.runtime.health import metrics_server, probe_server
from appcredential.runtime.http_server import Page
from appcredential.runtime.loops import Loop, watch
from appcredential.runtime.metrics import Metrics
from appcredential.runtime.ready import Key
from appcredential.runtime.workqueue import Again, WorkQueue
from appcredential.settings import Settings

log = logging.getLogger(__name__)

_STUCK_SECONDS = 300.0
_LEASE_STUCK_SECONDS = 120.0
_TICK = timedelta(seconds=0.5)
_ISSUER_LOOK = timedelta(minutes=1)
_GRANT_TICK = timedelta(seconds=1)
_INVENTORY_TICK = timedelta(seconds=1)
_SIGN_IN_TICK = timedelta(seconds=0.5)
_RELIST_SOON_SECONDS = 10.0
_STOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """How the process learns what exists."""

    store: Store
    informer: Informer
    watches: Watches
    open_revocations: OpenRevocations
    looks: ClusterLooks
    secret_watch: SecretWatch
    namespace_watch: NamespaceWatch
    grant_ends: GrantEnds
    issuer_looks: IssuerLooks
    report: Page | None = None


class Operator:
    """One process: it runs its workers and loops until it ends."""

    _resumed: Collection[Key]

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        metrics: Metrics,
        queue: WorkQueue,
        cluster: Cluster,
        leadership: Leadership,
        controllers: Controllers,
        revocations: RevocationController,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._queue = queue
        self._store = cluster.store
        self._informer = cluster.informer
        self._watches = cluster.watches
        self._open_revocations = cluster.open_revocations
        self._cluster = cluster
        self._leadership = leadership
        self._lease = leadership.lease
        self._claim = leadership.claim
        self._terms = leadership.terms
        self._guard = leadership.guard
        self._controllers = controllers
        self._revocations = revocations
        self._probes = probe_server(self._livez, self._readyz, cluster.report)
        self._scrapes = metrics_server(metrics, clock)
        self._stop = asyncio.Event()
        self._exit_code, self._was_synced, self._resumed = 0, False, ()
        self._deferred = DeferredWork(queue, self._guard, self._reconcile)
        self._relisted = clock.monotonic()
        self._relisting = self._periodic("relist", self._relist, settings.relist)
        self._holding = self._periodic("lease", self._hold_lease, settings.lease_renew)
        self._settling = self._periodic("settle", self._settle, settings.lease_renew)
        self._claiming = self._periodic("claim", self._look_at_claim, settings.lease_renew)
        self._loops = (
            self._holding,
            self._settling,
            self._claiming,
            self._relisting,
            self._periodic("tickets", self._work_revocations, settings.ticket_poll),
            *self._looking(cluster),
            self._periodic("records", self._look_for_unowned, settings.ticket_poll),
            self._periodic("inventory", controllers.inventory.run_once, _INVENTORY_TICK),
            self._periodic("sign-ins", controllers.sign_ins.run_once, _SIGN_IN_TICK),
            self._periodic("look after", self._look_after, _TICK),
        )

    def _looking(self, cluster: Cluster) -> tuple[Loop, ...]:
        renew = self._settings.lease_renew
        return (
            self._periodic("looks", cluster.looks.run_once, _TICK),
            self._periodic("secret watch", cluster.secret_watch.run, renew),
            self._periodic("namespace watch", cluster.namespace_watch.run, renew),
            self._periodic("grant ends", cluster.grant_ends.run_once, _GRANT_TICK),
            self._periodic("issuer looks", cluster.issuer_looks.run_once, _ISSUER_LOOK),
            self._periodic("search", self._controllers.search.run_once, application_search.PERIOD),
            self._periodic("ownership", self._controllers.ownership.run_once, ownership.PERIOD),
        )

    def _periodic(self, name: str, job: Callable[[], Awaitable[None]], period: timedelta) -> Loop:
        return Loop(name, job, period, clock=self._clock, metrics=self._metrics)

    # --- life -----------------------------------------------------------------------------

    async def run(self) -> int:
        """Run until a signal or a fatal fault; return the exit status."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, 0, "signal")
        await self._serve()
        workers = [
            asyncio.create_task(
                self._queue.run(self._deferred.reconcile, self._stop), name=f"worker {n}"
            )
            for n in range(self._settings.workers)
        ]
        loops = [asyncio.create_task(loop.run(), name=f"loop {loop.name}") for loop in self._loops]
        for task in (*workers, *loops):
            watch(task, is_stopping=self._stop.is_set, end=self._end)
        try:
            await self._stop.wait()
            await self._shut_down(workers, loops)
        finally:
            self._watches.stop(0.0)  # else the interpreter waits for them, whatever ended the loop
        return self._exit_code

    async def _serve(self) -> None:
        settings = self._settings
        await self._probes.start(settings.health_address, settings.health_port)
        await self._scrapes.start(settings.metrics_address, settings.metrics_port)
        ports = {"health_port": self._probes.port, "metrics_port": self._scrapes.port}
        log.info("started", extra={"version": __version__, **ports})

    async def _shut_down(
        self, workers: list[asyncio.Task[None]], loops: list[asyncio.Task[None]]
    ) -> None:
        """Let running effects finish; start nothing new."""
        self._guard.stopping = True
        self._queue.wake()
        _, pending = await asyncio.wait(workers, timeout=_STOP_SECONDS)
        for task in (*pending, *loops):
            task.cancel()
        await asyncio.gather(*workers, *loops, return_exceptions=True)
        try:
            await self._lease.release()
        except UnavailableError as exc:  # expected: then the Lease runs out by itself
            log.warning("the Lease was not released", extra={"error": str(exc)})
        except Exception:  # the rest must be closed after any error
            log.exception("the Lease was not released")
        await asyncio.to_thread(self._watches.stop, 10.0)
        await self._controllers.inventory.close()
        await self._controllers.sign_ins.close()
        await self._controllers.tenants.close_all()
        await self._probes.stop()
        await self._scrapes.stop()
        log.info("stopped")

    def _end(self, code: int, cause: str) -> None:
        log.info("stopping", extra={"cause": cause})
        self._exit_code = max(self._exit_code, code)
        self._guard.stopping = True
        self._stop.set()
        self._queue.wake()

    async def _relist(self) -> None:
        was_fit, began = not self._informer.schema_problem, self._clock.now()
        try:
            await self._informer.relist()
            if not self._informer.left_out:
                self._store.listed = began
        finally:
            if not was_fit:
                self._holding.wake()  # it may lead now
            if not self._terms.is_settled:
                self._settling.wake()

    async def _hold_lease(self) -> None:
        try:
            has_begun = await self._leadership.hold(is_fit=not self._informer.schema_problem)
        except LeaseLostError as exc:
            self._end(1, str(exc))
            return
        if has_begun:
            self._claiming.wake()
            self._settling.wake()

    async def _look_at_claim(self) -> None:
        before = self._leadership.claimed
        try:
            await self._leadership.look_at_claim()
        finally:
            if self._leadership.claimed != before:
                self._holding.wake()
                self._settling.wake()

    async def _settle(self) -> None:
        """Read what exists once in each term; from then on effects may run."""
        term, may_begin = self._terms.begun, self._leadership.may_begin
        if term != self._terms.settled and may_begin and not self._unlisted():
            await self._open_revocations.refresh()
            await self._controllers.unowned.refresh()
            await self._cluster.namespace_watch.prepare()
            # Before anything may look at Entra: what lists show is for those that go on, too.
            self._resumed = await self._controllers.resumption.take_up()
            self._terms.settled = term
            self._was_synced = False
        is_synced = self._guard.is_synced()
        if is_synced and not self._was_synced:
            await self._queue_all()  # the leader before may have changed what was known of them
        self._was_synced = is_synced
        self._deferred.resume()

    async def _queue_all(self) -> None:
        """Queue all but what goes on as its status says; that is found once in a term."""
        resumed, self._resumed = self._resumed, ()
        if not resumed:
            self._controllers.resumption.end()
        self._deferred.forget(resumed)
        for kind in KINDS:
            for key in self._store.keys(kind):
                if key not in resumed:
                    self._queue.add(key)

    async def _look_after(self) -> None:
        self._metrics.queue.show(self._queue)
        self._metrics.revocations.set(self._open_revocations.count)
        self._metrics.looks.secret_watches.set(self._cluster.secret_watch.count)
        self._begin_watching()
        if self._watches.is_started and not self._watches.is_alive() and not self._stop.is_set():
            self._end(1, "the watches ended")

    def _begin_watching(self) -> None:
        """Start the watches once all kinds were listed; until then list them often."""
        if self._unlisted():
            now = self._clock.monotonic()
            if now - self._relisted > _RELIST_SOON_SECONDS:
                self._relisted = now
                self._relisting.wake()
        elif not self._watches.is_started:
            self._watches.start()

    async def _work_revocations(self) -> None:
        if leads := self._guard.problem() is None:
            await self._revocations.run_once()
        self._metrics.show_overdue(self._revocations.overdue if leads else {})

    async def _look_for_unowned(self) -> None:
        if self._guard.problem() is None:
            await self._controllers.unowned.run_once()

    def _livez(self) -> str:
        if self._queue.is_stuck(_STUCK_SECONDS):
            return "the work queue makes no progress"
        idle = self._holding.idle()
        if idle > max(_LEASE_STUCK_SECONDS, 2 * self._settings.lease_duration.total_seconds()):
            return f"the Lease loop has made no progress for {idle:.0f} s"
        return ""

    def _readyz(self) -> str:
        return self._unlisted() or self._claim.problem or self._lease.problem

    def _unlisted(self) -> str:
        if self._informer.schema_problem:
            return self._informer.schema_problem
        return "" if self._store.is_complete else "the first lists are not complete"

    async def _reconcile(self, key: Key) -> Again | None:
        with self._metrics.reconcile.counted(key.kind, self._clock.monotonic):
            return await self._controllers.reconcile(key)
