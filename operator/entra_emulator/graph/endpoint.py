"""Graph over HTTP: read requests, and write the answers."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
from aiohttp import web

from entra_emulator.errors.graph import GraphError, bad_request
from entra_emulator.faults.effects import HtmlFault, Silence
from entra_emulator.graph.batch import OPERATION
from entra_emulator.graph.batch_endpoint import answer_batch
from entra_emulator.graph.call import GraphAnswer
from entra_emulator.graph.exchange import Exchange, Reply
from entra_emulator.graph.pipeline import GraphRequest, admit, perform
from entra_emulator.graph.reports import BETA
from entra_emulator.responses import WORLD, hold, json_response, wait
from entra_emulator.values.nesting import is_nested_deeper

_LOGGER = logging.getLogger(__name__)
_PREFIX, _BETA = "/v1.0/", "/beta/"
_CONTENT_TYPE = "application/json"
# What is kept must be shown again; each level of it is a level of the call stack.
_DEEPEST = 100


async def handle_graph(request: web.Request) -> web.Response:
    """Answer any request below `/v1.0/` and `/beta/`."""
    world = request.app[WORLD]
    name = request.headers.get("client-request-id")
    exchange = Exchange(world, request.method, request.path, name)
    try:
        reply = await _answered(request, exchange)
    except Silence as silence:
        exchange.error = "silence"
        exchange.record(0)
        return await hold(request, silence.seconds)
    exchange.record(reply.status)
    return _response(reply)


async def handle_unknown_version(request: web.Request) -> web.Response:
    """Answer a path that begins with no version of Graph."""
    exchange = Exchange(
        request.app[WORLD], request.method, request.path, request.headers.get("client-request-id")
    )
    version = request.match_info["version"]
    reply = exchange.failure(bad_request(f"Invalid version: {version}", "BadRequest"))
    exchange.record(reply.status)
    return _response(reply)


async def _answered(request: web.Request, exchange: Exchange) -> Reply:
    try:
        return exchange.success(await _performed(request, exchange))
    except GraphError as error:
        return exchange.failure(error)
    except HtmlFault as fault:
        return exchange.gateway_failure(fault)
    except Silence:
        raise
    except Exception:
        # A bug of the emulator must look like one, in the answer and in the log.
        _LOGGER.exception("the emulator failed at %s", exchange.trace.operation)
        return exchange.defect()


async def _performed(http: web.Request, exchange: Exchange) -> GraphAnswer:
    world, trace = exchange.world, exchange.trace
    request = await _read(http)
    admitted = admit(world, request, trace)
    await wait(http, world.faults.latency(admitted.incoming))
    if admitted.route.operation == OPERATION:
        return await answer_batch(http, request, admitted, exchange)
    return perform(world, admitted, trace)


async def _read(request: web.Request) -> GraphRequest:
    path = re.sub("/{2,}", "/", unquote(request.rel_url.raw_path))
    version = _BETA if path.startswith(_BETA) else _PREFIX
    return GraphRequest(
        method=request.method,
        path=_relative(path),
        root=f"{request.scheme}://{request.host}{version.rstrip('/')}",
        query=list(request.query.items()),
        body=await _body(request),
        authorization=request.headers.get("Authorization"),
        preferences=_preferences(request),
        consistency=request.headers.get("ConsistencyLevel", ""),
    )


def _relative(path: str) -> str:
    if path.startswith(_BETA):
        return BETA + path.removeprefix(_BETA).strip("/")
    return path.removeprefix(_PREFIX).strip("/")


def _preferences(request: web.Request) -> frozenset[str]:
    words = ",".join(request.headers.getall("Prefer", [])).lower().split(",")
    return frozenset(word.strip() for word in words)


async def _body(request: web.Request) -> Mapping[str, Any]:
    try:
        content = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise GraphError(413, "BadRequest", "The request body is too large.") from None
    if not content.strip():
        return {}
    if request.content_type != _CONTENT_TYPE:
        raise _unreadable()
    try:
        body = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise _unreadable() from None
    if is_nested_deeper(body, _DEEPEST):
        raise _unreadable()
    return body


def _unreadable() -> GraphError:
    return bad_request(
        "Unable to read JSON request payload. Please ensure Content-Type header is set and"
        " payload is of valid JSON format.",
        "BadRequest",
    )


def _response(reply: Reply) -> web.Response:
    if reply.body is None:
        return web.Response(status=reply.status, headers=reply.headers)
    if isinstance(reply.body, str):
        return web.Response(status=reply.status, body=reply.body.encode(), headers=reply.headers)
    return json_response(reply.status, reply.body, reply.headers, _CONTENT_TYPE)
