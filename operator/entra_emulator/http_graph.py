"""Graph over HTTP: reads requests, writes answers and errors in Graph's form, keeps the log."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
from aiohttp import web

from entra_emulator.fault_effects import HtmlFault, Silence
from entra_emulator.graph_call import GraphAnswer
from entra_emulator.graph_errors import GraphError, bad_request
from entra_emulator.graph_gateway import GraphRequest, Trace, admit, perform
from entra_emulator.http_common import (
    WORLD,
    dated,
    hold,
    html_response,
    json_response,
    new_id,
    wait,
)
from entra_emulator.request_log import LogEntry
from entra_emulator.world import World

_LOGGER = logging.getLogger(__name__)
_PREFIX = "/v1.0/"
_DIAGNOSTIC = (
    '{"ServerInfo":{"DataCenter":"Emulator","Slice":"E","Ring":"1","ScaleUnit":"001",'
    '"RoleInstance":"EMULATOR000001"}}'
)
_CONTENT_TYPE = "application/json"


class _Exchange:
    """One request and the answer that is being made for it."""

    def __init__(self, request: web.Request) -> None:
        self.request = request
        self.world: World = request.app[WORLD]
        self.trace = Trace()
        self.request_id = new_id()
        self.client_request_id = request.headers.get("client-request-id", self.request_id)
        self.error = ""

    def headers(self) -> dict[str, str]:
        return {
            **dated(self.world),
            "request-id": self.request_id,
            "client-request-id": self.client_request_id,
            "x-ms-ags-diagnostic": _DIAGNOSTIC,
            "x-ms-resource-unit": str(self.trace.units),
            "OData-Version": "4.0",
            "Cache-Control": "no-cache",
        }


async def handle_graph(request: web.Request) -> web.Response:
    """Answer any request below `/v1.0/`."""
    exchange = _Exchange(request)
    response = await _answered(exchange)
    _record(exchange, response.status)
    return response


async def _answered(exchange: _Exchange) -> web.Response:
    try:
        return _success(exchange, await _performed(exchange))
    except GraphError as error:
        return _failure(exchange, error)
    except HtmlFault as fault:
        exchange.error = "html"
        return html_response(fault, exchange.headers())
    except Silence as silence:
        exchange.error = "silence"
        return await hold(exchange.request, silence.seconds)
    except Exception:
        # The outer guard: a fault of the emulator itself must look like one in its log.
        _LOGGER.exception("the emulator failed at %s", exchange.trace.operation)
        return _failure(exchange, GraphError(500, "Emulator_Defect", "See the emulator's log."))


async def _performed(exchange: _Exchange) -> GraphAnswer:
    world, trace = exchange.world, exchange.trace
    request = await _read(exchange.request)
    admitted = admit(world, request, trace)
    await wait(exchange.request, world.faults.latency(admitted.incoming))
    return perform(world, admitted, trace)


async def _read(request: web.Request) -> GraphRequest:
    path = unquote(request.rel_url.raw_path)
    return GraphRequest(
        method=request.method,
        path=re.sub("/{2,}", "/", path).removeprefix(_PREFIX).strip("/"),
        root=f"{request.scheme}://{request.host}/v1.0",
        query=dict(request.query),
        body=await _body(request),
        authorization=request.headers.get("Authorization"),
        preferences=_preferences(request),
    )


def _preferences(request: web.Request) -> frozenset[str]:
    words = ",".join(request.headers.getall("Prefer", [])).lower().split(",")
    return frozenset(word.strip() for word in words)


async def _body(request: web.Request) -> Mapping[str, Any]:
    content = await request.read()
    if not content.strip():
        return {}
    if request.content_type != _CONTENT_TYPE:
        raise _unreadable()
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        raise _unreadable() from None


def _unreadable() -> GraphError:
    return bad_request(
        "Unable to read JSON request payload. Please ensure Content-Type header is set and"
        " payload is of valid JSON format.",
        "BadRequest",
    )


def _success(exchange: _Exchange, answer: GraphAnswer) -> web.Response:
    headers = {**exchange.headers(), **answer.headers}
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    return json_response(answer.status, answer.body, headers, _CONTENT_TYPE)


def _failure(exchange: _Exchange, error: GraphError) -> web.Response:
    exchange.error = error.code
    inner = {
        "date": exchange.world.clock.now().strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": exchange.request_id,
        "client-request-id": exchange.client_request_id,
    }
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details is not None:
        body["details"] = error.details
    body["innerError"] = inner
    headers = {**exchange.headers(), **error.headers}
    return json_response(error.status, {"error": body}, headers, _CONTENT_TYPE)


def _record(exchange: _Exchange, status: int) -> None:
    trace, request = exchange.trace, exchange.request
    entry = LogEntry(
        time=exchange.world.clock.now(),
        operation=trace.operation,
        method=request.method,
        path=request.path,
        status=0 if exchange.error == "silence" else status,
        tenant=trace.tenant,
        app_id=trace.app_id,
        caller_app_id=trace.caller_app_id,
        client_request_id=exchange.client_request_id,
        error=exchange.error,
        fault=trace.fault,
    )
    exchange.world.log.add(entry)
    _LOGGER.info("%s %s %s", entry.status, entry.operation, entry.path)
