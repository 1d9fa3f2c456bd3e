"""The token endpoint over HTTP.

The form of a request is read once, and its secrets are wrapped immediately; nothing here prints or
keeps a form.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from entra_emulator.errors.tokens import TokenError, error_body
from entra_emulator.faults.effects import HtmlFault, Silence, token_effect
from entra_emulator.faults.engine import Incoming
from entra_emulator.issuers.matching import presented
from entra_emulator.jose.assertions import read_assertion
from entra_emulator.request_log import LogEntry
from entra_emulator.responses import (
    WORLD,
    dated,
    hold,
    html_response,
    json_response,
    new_id,
    origin,
    wait,
)
from entra_emulator.tokens.basic import read_basic
from entra_emulator.tokens.issue import issue_token
from entra_emulator.tokens.request import TokenRequest, Version
from entra_emulator.values.secret_text import SecretText
from entra_emulator.world import World

_LOGGER = logging.getLogger(__name__)
_FORM = "application/x-www-form-urlencoded"


class _Exchange:
    """A token request, and the facts about it that are found on the way."""

    def __init__(self, request: web.Request, version: Version) -> None:
        self.request = request
        self.version = version
        self.world: World = request.app[WORLD]
        self.trace_id = new_id()
        self.correlation_id = request.headers.get("client-request-id") or new_id()
        self.tenant = request.match_info["tenant"]
        self.client_id = ""
        self.fault = ""
        self.error = ""

    def headers(self) -> dict[str, str]:
        return {
            **dated(self.world),
            "Cache-Control": "no-store, no-cache",
            "x-ms-request-id": self.trace_id,
            "client-request-id": self.correlation_id,
        }


async def handle_token(request: web.Request) -> web.Response:
    """Answer `POST /{tenant}/oauth2/v2.0/token`."""
    return await _handle(_Exchange(request, Version.V2))


async def handle_token_v1(request: web.Request) -> web.Response:
    """Answer `POST /{tenant}/oauth2/token`, the endpoint of version 1."""
    return await _handle(_Exchange(request, Version.V1))


async def _handle(exchange: _Exchange) -> web.Response:
    response = await _answered(exchange)
    _record(exchange, response.status)
    return response


async def _answered(exchange: _Exchange) -> web.Response:
    try:
        return json_response(200, await _issued(exchange), exchange.headers())
    except TokenError as error:
        return _failure(exchange, error)
    except HtmlFault as fault:
        exchange.error = "html"
        return html_response(fault, exchange.headers())
    except Silence as silence:
        exchange.error = "silence"
        return await hold(exchange.request, silence.seconds)
    except Exception:
        # A bug of the emulator; the log message contains no value of the form.
        _LOGGER.exception("the emulator failed at a token request")
        return _failure(exchange, TokenError(50000))


async def _issued(exchange: _Exchange) -> dict[str, Any]:
    world = exchange.world
    request = await _read(exchange)
    incoming = _incoming(exchange, request)
    await wait(exchange.request, world.faults.latency(incoming))
    active = world.faults.decide(incoming)
    if active is not None:
        exchange.fault = active.rule.id
        raise token_effect(active, request.client_id or "", request.tenant, _presented(request))
    return await issue_token(world, request)


def _presented(request: TokenRequest) -> dict[str, str]:
    """Return issuer, subject and audience of the client assertion, for errors made by faults."""
    if request.client_assertion is None:
        return {}
    try:
        return presented(read_assertion(request.client_assertion.reveal()))
    except TokenError:
        return {}


async def _read(exchange: _Exchange) -> TokenRequest:
    form = await _form(exchange.request)

    def text(name: str) -> str | None:
        value = form.get(name)
        return value if isinstance(value, str) else None

    secret, assertion = text("client_secret"), text("client_assertion")
    basic = read_basic(exchange.request.headers.get("Authorization"))
    client_id = (text("client_id") or "").lower()
    exchange.client_id = client_id or (basic.client_id if basic else "")
    return TokenRequest(
        version=exchange.version,
        tenant=exchange.tenant,
        own_host=exchange.request.host,
        own_addresses=_own_addresses(exchange),
        grant_type=text("grant_type"),
        client_id=exchange.client_id or None,
        client_secret=SecretText(secret) if secret else basic.client_secret if basic else None,
        client_assertion=SecretText(assertion) if assertion else None,
        client_assertion_type=text("client_assertion_type"),
        is_ambiguous=basic is not None
        and bool(secret or assertion or basic.client_id != exchange.client_id),
        scope=text("scope"),
        resource=text("resource"),
        claims=text("claims"),
    )


async def _form(request: web.Request) -> Mapping[str, Any]:
    # Entra reads another content type as an empty form, and so reports a missing field (900144).
    if request.content_type != _FORM:
        return {}
    try:
        return await request.post()
    except (web.HTTPRequestEntityTooLarge, LookupError, UnicodeDecodeError):
        # Too large, of an unknown charset, or not of the one that it names.
        raise TokenError(9002313) from None


def _own_addresses(exchange: _Exchange) -> tuple[str, ...]:
    """Return the accepted audiences of a client assertion: this endpoint and its issuer."""
    tenant = exchange.world.directory.tenant(exchange.tenant)
    names = {exchange.tenant, tenant.id if tenant is not None else exchange.tenant}
    bases = [f"{origin(exchange.request)}/{name}" for name in sorted(names)]
    return tuple(base + end for base in bases for end in (exchange.version, "/v2.0", "", "/"))


def _incoming(exchange: _Exchange, request: TokenRequest) -> Incoming:
    directory = exchange.world.directory
    tenant = directory.tenant(request.tenant)
    exchange.tenant = tenant.id if tenant else request.tenant
    record = directory.application_of(exchange.client_id)
    names = {exchange.client_id, record.id} if record else {exchange.client_id}
    return Incoming(
        operation="token",
        now=exchange.world.clock.now(),
        tenant=exchange.tenant,
        app_names=frozenset(names),
    )


def _failure(exchange: _Exchange, error: TokenError) -> web.Response:
    exchange.error = f"AADSTS{error.code}"
    now = exchange.world.clock.now()
    body = error_body(error, now, exchange.trace_id, exchange.correlation_id)
    retry = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return json_response(error.status, body, {**exchange.headers(), **retry})


def _record(exchange: _Exchange, status: int) -> None:
    entry = LogEntry(
        time=exchange.world.clock.now(),
        operation="token",
        method="POST",
        path=exchange.request.path,
        status=0 if exchange.error == "silence" else status,
        tenant=exchange.tenant,
        app_id=exchange.client_id,
        caller_app_id=exchange.client_id,
        client_request_id=exchange.correlation_id,
        error=exchange.error,
        fault=exchange.fault,
    )
    exchange.world.log.add(entry)
    _LOGGER.info("%s token %s %s", entry.status, entry.app_id, entry.error)
