"""A small HTTP server that anybody may connect to: what one client can hold is bounded.

A node's probe and a scrape send one short request and read one answer. So each connection serves
one request, has five seconds for its head and ten in all, and only so many are open at a time. The
oldest makes room for a new one: clients that hold connections keep nobody out who asks at once.
A burst ends none whose request has come and was not read yet: it is accepted in small parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

HEAD_SECONDS: Final = 5
LIFE_SECONDS: Final = 10
_AT_ONCE: Final = 4
"""The part of the bound that is accepted in one go. A request is answered a few goes later."""
Page = Callable[[web.BaseRequest], Awaitable[web.Response]]


class HttpServer:
    """Serves pages by their path, to GET and HEAD alone.

    Args:
        pages: what makes the answer for each path.
        connections: how many may be open at a time.
    """

    def __init__(self, pages: Mapping[str, Page], *, connections: int) -> None:
        self._pages = pages
        self._connections = connections
        self._runner: web.ServerRunner | None = None
        self.port = 0

    async def start(self, address: str, port: int) -> None:
        """Listen on an address; empty means every one.

        Port 0 picks a free port; the attribute `port` then has its number.
        """
        self._runner = web.ServerRunner(_BoundedServer(self._answer, self._connections))
        await self._runner.setup()
        backlog = self._connections // _AT_ONCE
        site = web.TCPSite(self._runner, address or None, port, backlog=backlog)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        page = self._pages.get(request.path)
        if page is None:
            answer = web.Response(text="not found\n", status=404)
        elif request.method not in {"GET", "HEAD"}:
            answer = web.Response(text="only GET\n", status=405, headers={"Allow": "GET, HEAD"})
        else:
            answer = await page(request)
        answer.force_close()
        return answer


class _Handler(RequestHandler):
    """Handles one connection, and keeps what cannot be read to itself."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, or too long.

        The library would quote it in the log and in the answer, such as a token that is too long.
        """
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        answer = web.Response(text="bad request\n", status=400)
        answer.force_close()
        return answer


class _BoundedServer(web.Server):
    """Ends the oldest connection when there are too many, and any after its time."""

    def __init__(
        self, handler: Callable[[web.BaseRequest], Awaitable[web.Response]], connections: int
    ) -> None:
        super().__init__(handler)
        self._bound = connections
        self._open: dict[RequestHandler, tuple[asyncio.Transport, asyncio.TimerHandle]] = {}

    def __call__(self) -> RequestHandler:
        """Return what handles one connection."""
        # A body is of no use here, so none is waited for.
        options: dict[str, Any] = {
            "keepalive_timeout": HEAD_SECONDS,
            "lingering_time": 0,
            "access_log": None,
        }
        return _Handler(self, loop=asyncio.get_running_loop(), **options)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Make room for one more."""
        super().connection_made(handler, transport)
        if len(self._open) >= self._bound:
            self._end(next(iter(self._open)))
        timer = asyncio.get_running_loop().call_later(LIFE_SECONDS, self._end, handler)
        self._open[handler] = (transport, timer)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Forget it."""
        super().connection_lost(handler, exc)
        if handler in self._open:
            self._open.pop(handler)[1].cancel()

    def _end(self, handler: RequestHandler) -> None:
        transport, timer = self._open.pop(handler)
        timer.cancel()
        # Closing would wait for a client that does not read.
        transport.abort()
