"""The common parts of HTTP answers: JSON bodies, dates by the emulator's clock, ids."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from entra_emulator.faults.effects import HtmlFault
from entra_emulator.values.instants import http_date
from entra_emulator.world import World

WORLD = web.AppKey("world", World)
STOPPING = web.AppKey("stopping", asyncio.Event)


def json_response(
    status: int, body: Any, headers: Mapping[str, str], content_type: str = "application/json"
) -> web.Response:
    """Return a response with a JSON body; a content type among the headers has precedence."""
    content = msgspec.json.encode(body)
    if "Content-Type" in headers:
        return web.Response(status=status, body=content, headers=headers)
    return web.Response(
        status=status,
        body=content,
        headers=headers,
        content_type=content_type,
        charset="utf-8",
    )


def html_response(fault: HtmlFault, headers: Mapping[str, str]) -> web.Response:
    """Return the HTML response of a gateway."""
    retry = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return web.Response(
        status=fault.status,
        text=fault.html,
        headers={**headers, **retry},
        content_type="text/html",
    )


def dated(world: World) -> dict[str, str]:
    """Return the `Date` header by the emulator's clock, because clients compare it with theirs."""
    return {"Date": http_date(world.clock.now())}


async def wait(request: web.Request, seconds: float) -> None:
    """Wait for real seconds, or until the server stops."""
    if seconds > 0:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(request.app[STOPPING].wait(), seconds)


async def hold(request: web.Request, seconds: float) -> web.Response:
    """Send nothing for some real seconds, then drop the connection."""
    await wait(request, seconds)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=504)


def new_id() -> str:
    """Return a fresh id for headers."""
    return str(uuid.uuid4())


def origin(request: web.Request) -> str:
    """Return scheme, host and port as the client used them."""
    return f"{request.scheme}://{request.host}"
