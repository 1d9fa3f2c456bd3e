"""A Graph behind the real SDK, and a token source for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import httpx
from azure.core.credentials import AccessToken

from appcredential.domain.spec.model import ClientId, KeyId, ObjectId, TenantId
from appcredential.entra.clouds import Endpoints
from appcredential.entra.connection import Connection, Timeouts
from appcredential.entra.directory import GraphDirectory
from appcredential.entra.operator_token import OperatorToken
from appcredential.entra.pacing import PACING, Pacing
from tests.support.clock import HandClock

TENANT: Final = TenantId("11111111-0000-0000-0000-000000000001")
OPERATOR: Final = ClientId("22222222-0000-0000-0000-000000000002")
CLIENT: Final = ClientId("33333333-0000-0000-0000-000000000003")
OBJECT: Final = ObjectId("44444444-0000-0000-0000-000000000004")
KEY: Final = KeyId("55555555-0000-0000-0000-000000000005")
START: Final = datetime(2026, 1, 21, 12, 0, tzinfo=UTC)
END: Final = datetime(2026, 4, 21, 12, 0, tzinfo=UTC)
CANARY: Final = "abc8Q~canary-canary-canary-canary-canary"
OPERATOR_SECRET: Final = "opr8Q~canary-operator-canary-operator-00"

Handler: TypeAlias = Callable[[httpx.Request], Awaitable[httpx.Response]]


class Tokens:
    """A TokenSource; each source that is made gives another token."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = 0
        self.claims: list[str] = []

    def make(self) -> Tokens:
        self.made += 1
        return self

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        if options.get("claims"):
            self.claims.append(options["claims"])
        return AccessToken(f"token-{self.made}", 2**33)

    async def close(self) -> None:
        self.closed += 1


class Graph:
    """Answers requests from a script, one entry each; the last one stays."""

    def __init__(self, *answers: httpx.Response | httpx.HTTPError | Handler) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        await asyncio.sleep(0)
        if isinstance(answer, httpx.HTTPError):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=answer.content
            )
        return await answer(request)

    def paths(self) -> list[str]:
        return [f"{r.method} {r.url.raw_path.decode()}" for r in self.requests]


class World:
    """A GraphDirectory on a scripted Graph."""

    def __init__(
        self,
        graph: Graph,
        *,
        pacing: Pacing = PACING,
        timeouts: Timeouts | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        self.graph = graph
        self.clock = HandClock(START)
        self.tokens = tokens or Tokens()
        self.observed: list[tuple[str, int]] = []
        endpoints = Endpoints("https://login.test", "https://graph.test")
        token = OperatorToken(self.tokens.make, endpoints.graph_scope, self.clock, 5.0)
        self.transport = httpx.MockTransport(graph)
        self.session = Connection(
            token,
            endpoints,
            ca_file=None,
            clock=self.clock,
            timeouts=timeouts or Timeouts(),
            observe=lambda operation, status, _: self.observed.append((operation, status)),
            transport=self.transport,
        )
        self.directory = GraphDirectory(
            self.session, clock=self.clock, pacing=pacing, sleep=self.clock.sleep
        )


def application(
    passwords: Sequence[dict[str, Any]] = (),
    *,
    name: str | None = "Orders",
    client: str = CLIENT,
    tags: Sequence[str] | None = (),
) -> httpx.Response:
    """What Graph answers to a read of one application."""
    body = {
        "@odata.context": "https://graph.test/v1.0/$metadata#applications/$entity",
        "id": OBJECT,
        "appId": client,
        "displayName": name,
        "passwordCredentials": list(passwords),
        "tags": tags,
    }
    return answer(200, body)


def password(key: str = KEY, *, value: str | None = None, **fields: Any) -> dict[str, Any]:
    """One passwordCredential as Graph writes it."""
    return {
        "customKeyIdentifier": None,
        "displayName": "marker",
        "endDateTime": "2026-04-21T12:00:00Z",
        "hint": "abc",
        "keyId": key,
        "secretText": value,
        "startDateTime": "2026-01-21T12:00:00.1234567Z",
        **fields,
    }


def failure(status: int, code: str, message: str = "", **headers: str) -> httpx.Response:
    """An error answer in Graph's shape."""
    inner = {"date": "2026-01-21T12:00:00", "request-id": KEY, "client-request-id": KEY}
    body = {"error": {"code": code, "message": message, "innerError": inner}}
    return answer(status, body, **headers)


def html(status: int) -> httpx.Response:
    """What a gateway in front of Graph answers."""
    page = b"<html><body><h1>Service Unavailable</h1></body></html>"
    return httpx.Response(status, headers={"Content-Type": "text/html"}, content=page)


def answer(status: int, body: object, **headers: str) -> httpx.Response:
    """Any JSON answer. Underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named["Content-Type"] = "application/json"
    return httpx.Response(status, headers=named, content=json.dumps(body).encode())
