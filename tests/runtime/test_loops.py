from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.cache.store import Store
from appcredential.composition import build_operator
from appcredential.domain.demanded import SCHEMA_ANNOTATION, SCHEMA_VERSION
from appcredential.domain.marker import ClusterIdentity
from appcredential.errors import UnavailableError
from appcredential.runtime.clock import SystemClock
from appcredential.runtime.loops import Loop, watch
from appcredential.runtime.metrics import Metrics
from appcredential.settings import Settings
from tests.support.api_server import ApiServer
from tests.support.builders import IDENTITY
from tests.support.clock import HandClock
from tests.support.revocation_documents import REVOCATIONS, damaged, revocation_document

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/appcredential-system/leases/appcredential"


class Job:
    """A job that fails as told, once for each turn."""

    def __init__(self, *errors: BaseException | None) -> None:
        self.errors = list(errors)
        self.turns = 0

    async def __call__(self) -> None:
        self.turns += 1
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error


async def turns(loop: Loop, job: Job, count: int) -> None:
    """Have so many turns, without waiting for the period."""
    running = asyncio.create_task(loop.run())
    for number in range(1, count + 1):
        await until(lambda number=number: job.turns >= number)  # type: ignore[misc]
        loop.wake()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    """Let other tasks run until the condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.001)


def loop_of(job: Job, clock: HandClock, metrics: Metrics) -> Loop:
    return Loop("lease", job, timedelta(hours=1), clock=clock, metrics=metrics)


async def test_a_loop_goes_on_after_an_error_that_nobody_expects(
    caplog: pytest.LogCaptureFixture,
) -> None:
    job, metrics = Job(KeyError("data"), RecursionError(), None), Metrics(list)
    await turns(loop_of(job, HandClock(), metrics), job, 3)
    assert job.turns == 3
    counted = metrics.registry.get_sample_value
    for kind in ("KeyError", "RecursionError"):
        labels = {"loop": "lease", "error": kind}
        assert counted("appcredential_loop_failures_total", labels) == 1
    broken = [r for r in caplog.records if r.getMessage() == "periodic work broke"]
    assert [vars(r)["kind"] for r in broken] == ["KeyError", "RecursionError"]
    assert all(r.exc_info for r in broken)


async def test_a_server_that_cannot_be_reached_is_no_break() -> None:
    job, metrics, clock = Job(UnavailableError("down")), Metrics(list), HandClock()
    loop = loop_of(job, clock, metrics)
    clock.advance(timedelta(minutes=5))
    await turns(loop, job, 1)
    assert loop.idle() == 0
    assert not [s for m in metrics.registry.collect() for s in m.samples if "loop" in s.labels]


async def test_a_loop_tells_since_when_it_makes_no_progress() -> None:
    clock = HandClock()
    job = Job(None, ValueError("broken"))
    loop = loop_of(job, clock, Metrics(list))
    await turns(loop, job, 1)
    clock.advance(timedelta(minutes=5))
    await turns(loop, job, 1)
    assert loop.idle() == 300


async def ends_itself(how: str) -> None:
    if how == "raises":
        raise SystemError("unexpected")
    if how == "cancelled":
        raise asyncio.CancelledError


@pytest.mark.parametrize("how", ["returns", "raises", "cancelled"])
async def test_a_task_that_ends_ends_the_process_with_a_failure(how: str) -> None:
    ends: list[tuple[int, str]] = []
    task = asyncio.create_task(ends_itself(how), name="loop lease")
    watch(task, is_stopping=lambda: False, end=lambda code, why: ends.append((code, why)))
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: ends)
    assert [(code, why.split(":")[0]) for code, why in ends] == [(1, "loop lease ended")]


async def test_a_task_that_ends_while_stopping_is_as_it_should_be() -> None:
    ends: list[int] = []
    task = asyncio.create_task(ends_itself("raises"))
    watch(task, is_stopping=lambda: True, end=lambda code, _why: ends.append(code))
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0)
    assert ends == []


def installed() -> ApiServer:
    """An API server that has our CRDs."""
    kube = ApiServer()
    kube.put("/version", {"major": "1", "minor": "36"})
    for plural in ("appcredentials", "entratenants", "applicationgrants"):
        crd = {"metadata": {"annotations": {SCHEMA_ANNOTATION: str(SCHEMA_VERSION)}}}
        kube.put(f"{CRDS}/{plural}.appcredential.io", crd)
    return kube


QUICK: Final = Settings(
    health_address="127.0.0.1",
    health_port=0,
    metrics_port=0,
    workers=1,
    lease_renew=timedelta(milliseconds=20),
    ticket_poll=timedelta(milliseconds=20),
)


class Running:
    """A whole operator on an API server in memory, without kopf."""

    def __init__(
        self,
        kube: ApiServer,
        monkeypatch: pytest.MonkeyPatch,
        identity: ClusterIdentity = IDENTITY,
        **changed: Any,
    ) -> None:
        settings = replace(QUICK, **changed)
        self.metrics = Metrics(list)
        opened: Any = None
        store = Store(settings.own_shard)
        self.operator = build_operator(
            settings, kube, identity, opened, store, self.metrics, clock=SystemClock()
        )
        monkeypatch.setattr(self.operator._watches, "start", lambda: None)
        monkeypatch.setattr(self.operator._watches, "stop", lambda _seconds: None)
        monkeypatch.setattr(self.operator._watches, "is_alive", lambda: True)
        self.task = asyncio.create_task(self.operator.run())

    async def stop(self) -> int:
        self.operator._end(0, "the test is over")
        return await self.task


async def test_a_damaged_revocation_neither_ends_the_lease_nor_hides_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kube = installed()
    kube.put(f"{REVOCATIONS}/appcredential-ticket-broken", damaged({"due": "soon"}))
    name, document = revocation_document()
    kube.put(f"{REVOCATIONS}/{name}", document)
    running = Running(kube, monkeypatch)
    await until(lambda: kube.count("PUT", LEASE) >= 5)
    await until(lambda: kube.count("GET", "/configmaps") >= 5)
    assert running.operator._guard.problem() is None
    assert running.operator._open_revocations.count == 1
    assert running.operator._livez() == ""
    assert await running.stop() == 0
    warned = [r for r in caplog.records if "configmap" in vars(r)]
    assert [vars(r)["configmap"] for r in warned] == ["appcredential-ticket-broken"]
    assert {r.levelno for r in warned} == {logging.WARNING}


async def test_nothing_is_done_before_the_revocations_were_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kube = installed()
    is_down = True

    def fail(_method: str, path: str) -> None:
        if is_down and "/configmaps" in path:
            raise UnavailableError("no revocations now")

    kube.before = fail
    running = Running(kube, monkeypatch)
    await until(lambda: kube.count("GET", "/configmaps") >= 2)
    await until(lambda: kube.count("PUT", LEASE) >= 3)
    assert running.operator._lease.is_leader()
    assert running.operator._guard.problem() is not None
    is_down = False
    await until(lambda: running.operator._guard.problem() is None)
    await running.stop()


async def test_a_lease_that_cannot_be_renewed_ends_liveness_and_not_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kube = installed()

    def fail(_method: str, path: str) -> None:
        if path == LEASE:
            raise TypeError("unexpected")

    kube.before = fail
    running = Running(kube, monkeypatch)
    await until(lambda: kube.count("GET", LEASE) >= 3)
    assert running.operator._livez() == ""
    late = running.operator._holding._progress - 121
    monkeypatch.setattr(running.operator._holding, "_progress", late)
    assert running.operator._livez() == "the Lease loop has made no progress for 121 s"
    assert not running.task.done()
    await running.stop()


async def test_a_loop_that_ends_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ends() -> None:
        return

    kube = installed()
    running = Running(kube, monkeypatch)
    monkeypatch.setattr(running.operator._holding, "run", ends)
    assert await asyncio.wait_for(running.task, 5) == 1


async def test_the_watches_end_with_the_process_whatever_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The interpreter waits for them: the process would live on and do nothing."""
    kube, stopped = installed(), list[float]()
    running = Running(kube, monkeypatch)
    monkeypatch.setattr(running.operator._watches, "stop", stopped.append)
    await until(lambda: kube.count("GET", LEASE))
    running.task.cancel()
    await asyncio.gather(running.task, return_exceptions=True)
    await running.operator._probes.stop()
    await running.operator._scrapes.stop()
    assert stopped
