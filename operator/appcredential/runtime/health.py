"""Serves the probes /livez and /readyz, beside them the report, and /metrics on a port of its own.

Liveness means progress; it never depends on Entra. The metrics name every resource of the cluster,
so whoever may connect to the probes may not read them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from appcredential.ports.local import Clock
from appcredential.runtime.http_server import HttpServer, Page
from appcredential.runtime.metrics import Metrics
from appcredential.runtime.shared_read import SharedRead

Check = Callable[[], str]
"""Returns what is wrong, or an empty string."""

_PROBES: Final = 64
_SCRAPES: Final = 32


def probe_server(livez: Check, readyz: Check, report: Page | None = None) -> HttpServer:
    """Return a server for a node's probes, and for the report if there is one."""
    pages = {"/livez": _probe(livez), "/readyz": _probe(readyz)}
    if report is not None:
        pages["/report"] = report
    return HttpServer(pages, connections=_PROBES)


def metrics_server(metrics: Metrics, clock: Clock) -> HttpServer:
    """Return a server for scrapes.

    Those of ten thousand resources take a while to write. So a thread does it, for one scrape at
    a time: scrapes that come meanwhile share the next one.
    """

    async def write() -> bytes:
        return await asyncio.to_thread(metrics.text)

    written = SharedRead(write, clock, timedelta(0))

    async def page(_request: web.BaseRequest) -> web.Response:
        body = await written.get()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return HttpServer({"/metrics": page}, connections=_SCRAPES)


def _probe(check: Check) -> Page:
    async def page(_request: web.BaseRequest) -> web.Response:
        problem = check()
        return web.Response(text=f"{problem or 'ok'}\n", status=503 if problem else 200)

    return page
