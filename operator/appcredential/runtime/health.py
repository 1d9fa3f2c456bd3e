"""Serves /livez, /readyz and /metrics. Liveness means progress; it never depends on Entra."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from appcredential.runtime.metrics import Metrics

Check = Callable[[], str]
"""Returns what is wrong, or an empty string."""


class HealthServer:
    """A small HTTP server for probes and scrapes."""

    def __init__(self, metrics: Metrics, livez: Check, readyz: Check) -> None:
        self._metrics = metrics
        self._livez = livez
        self._readyz = readyz
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, address: str, port: int) -> None:
        """Listen on an address; empty means every one.

        Port 0 picks a free port; the attribute `port` then has its number.
        """
        app = web.Application()
        app.router.add_get("/livez", self._handler(self._livez))
        app.router.add_get("/readyz", self._handler(self._readyz))
        app.router.add_get("/metrics", self._serve_metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, address or None, port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _handler(self, check: Check) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(_request: web.Request) -> web.StreamResponse:
            problem = check()
            return web.Response(text=f"{problem or 'ok'}\n", status=503 if problem else 200)

        return handle

    async def _serve_metrics(self, _request: web.Request) -> web.Response:
        body = generate_latest(self._metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
