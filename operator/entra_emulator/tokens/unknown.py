"""What the token endpoint's host answers to requests that it does not know."""

from __future__ import annotations

from aiohttp import web

from entra_emulator.errors.tokens import TokenError, error_body
from entra_emulator.responses import WORLD, dated, json_response, new_id


async def handle_wrong_method(request: web.Request) -> web.Response:
    """Answer a request to a token endpoint that is no POST."""
    return _failure(request, TokenError(900561, name=request.method))


async def handle_unknown_path(request: web.Request) -> web.Response:
    """Answer a request to a path that the host does not have."""
    return _failure(request, TokenError(90023))


def _failure(request: web.Request, error: TokenError) -> web.Response:
    world = request.app[WORLD]
    correlation_id = request.headers.get("client-request-id") or new_id()
    body = error_body(error, world.clock.now(), new_id(), correlation_id)
    return json_response(error.status, body, dated(world))
