"""Probes and scrapes, over the loopback interface."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from appcredential.runtime.clock import SystemClock
from appcredential.runtime.health import metrics_server, probe_server
from appcredential.runtime.http_server import HttpServer
from appcredential.runtime.metrics import Metrics
from appcredential.runtime.samples import Counts, ResourceSample, Sample
from appcredential.settings import Settings


@dataclass
class Answers:
    """What the two checks find, to be set by a test."""

    livez: str = ""
    readyz: str = ""


def probes(answers: Answers) -> HttpServer:
    return probe_server(lambda: answers.livez, lambda: answers.readyz)


@asynccontextmanager
async def serving(server: HttpServer) -> AsyncIterator[str]:
    await server.start("127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await server.stop()


async def get(url: str) -> tuple[int, str, str]:
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
        return answer.status, answer.headers["Content-Type"], await answer.text()


@pytest.fixture
def metrics() -> Metrics:
    sample = ResourceSample("shop", "orders", "True", 1.5, None, Counts(1, 2, 0))
    return Metrics(lambda: [sample])


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
async def test_it_listens_by_default_wherever_a_node_may_probe(host: str) -> None:
    """The pods of a cluster with IPv6 alone have no other address."""
    if host == "[::1]" and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    server = probe_server(str, str)
    await server.start(Settings().health_address, port)
    try:
        assert (await get(f"http://{host}:{port}/livez"))[0] == 200
    finally:
        await server.stop()


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("probe", ["livez", "readyz"])
async def test_a_probe_says_ok_or_why_not(probe: str) -> None:
    answers = Answers()
    async with serving(probes(answers)) as url:
        status, _, text = await get(f"{url}/{probe}")
        assert (status, text) == (200, "ok\n")
        setattr(answers, probe, "the first lists are not complete")
        status, _, text = await get(f"{url}/{probe}")
        assert (status, text) == (503, "the first lists are not complete\n")


@pytest.mark.parametrize(("broken", "well"), [("livez", "readyz"), ("readyz", "livez")])
async def test_the_two_probes_do_not_answer_for_each_other(broken: str, well: str) -> None:
    answers = Answers()
    setattr(answers, broken, "no")
    async with serving(probes(answers)) as url:
        assert (await get(f"{url}/{broken}"))[0] == 503
        assert (await get(f"{url}/{well}"))[0] == 200


async def test_metrics_are_served_in_prometheus_s_format(metrics: Metrics) -> None:
    async with serving(metrics_server(metrics, SystemClock())) as url:
        status, kind, text = await get(f"{url}/metrics")
    assert status == 200
    assert kind.startswith("text/plain; version=")
    assert 'appcredential_foreign_credentials{name="orders",namespace="shop"} 2.0' in text


async def test_scrapes_hold_up_nothing_and_share_the_work() -> None:
    """Thousands of resources take long: here a scrape ends only when a probe was answered."""
    hold, begun, loop = threading.Event(), asyncio.Event(), asyncio.get_running_loop()
    passes: list[bool] = []

    def samples() -> list[Sample]:
        passes.append(threading.current_thread() is threading.main_thread())
        loop.call_soon_threadsafe(begun.set)
        assert hold.wait(20)
        return []

    hold.set()
    metrics = Metrics(samples)  # it asks once for each collector, for the names
    await asyncio.sleep(0)
    hold.clear()
    passes.clear()
    begun.clear()
    server = metrics_server(metrics, SystemClock())
    async with serving(server) as url, serving(probe_server(str, str)) as probes_url:
        scrapes = [asyncio.create_task(get(f"{url}/metrics")) for _ in range(10)]
        async with asyncio.timeout(10):
            await begun.wait()
        assert (await get(f"{probes_url}/livez"))[0] == 200
        hold.set()
        assert [status for status, _, _ in await asyncio.gather(*scrapes)] == [200] * 10
    assert not any(passes)
    assert len(passes) < 2 * 10  # of two collectors


async def test_nothing_else_is_served(metrics: Metrics) -> None:
    """The metrics name every resource, and whoever reaches the probes must not learn them."""
    async with serving(probe_server(str, str)) as url:
        for path in ("/", "/healthz", "/livez/", "/debug", "/metrics"):
            assert (await get(url + path))[0] == 404, path
    async with serving(metrics_server(metrics, SystemClock())) as url:
        for path in ("/", "/livez", "/readyz", "/metrics/x"):
            assert (await get(url + path))[0] == 404, path


def test_the_metrics_are_served_to_the_pod_itself_unless_a_setting_says_otherwise() -> None:
    assert Settings().metrics_address == "127.0.0.1"
    assert Settings().metrics_port != Settings().health_port
