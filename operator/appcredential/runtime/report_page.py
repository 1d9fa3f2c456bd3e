"""Serves the report to those who may list AppCredentials in all namespaces, and to nobody else.

The API server judges each request anew: no token and no yes is kept. Whoever reaches the port can
have the operator ask, so only a few questions are asked in a second. The page itself is the same
for all who may see it, so it is rendered once for those who come within a few seconds, in a thread,
and never twice at a time.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, assert_never

from aiohttp import web

from appcredential.domain.secret_value import SecretValue
from appcredential.errors import AppCredentialError, PermissionDeniedError
from appcredential.ports.local import Clock
from appcredential.ports.viewers import ViewerAccess, Viewers
from appcredential.runtime.shared_read import SharedRead

LONGEST_TOKEN: Final = 8000
QUESTIONS_PER_SECOND: Final = 10
_AT_ONCE: Final = 4
_QUESTION_SECONDS: Final = 5.0
_AGE: Final = timedelta(seconds=5)
_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/=-]+)", re.IGNORECASE)
_CHALLENGE: Final = 'Bearer realm="appcredential"'


@dataclass(frozen=True, slots=True)
class Rendering:
    """How the page is made.

    Attributes:
        problem: returns why there is nothing to show yet, or an empty string.
        render: returns the page; called in a thread.
        policy: the page's content security policy.
    """

    problem: Callable[[], str]
    render: Callable[[], str]
    policy: str


class ReportPage:
    """The page `/report` of an `HttpServer`.

    Args:
        viewers: who may see it.
        rendering: how it is made.
        clock: of the process.
    """

    def __init__(self, viewers: Viewers, rendering: Rendering, clock: Clock) -> None:
        self._viewers = viewers
        self._rendering = rendering
        self._clock = clock
        self._asked: deque[float] = deque(maxlen=QUESTIONS_PER_SECOND)
        self._asking = 0
        self._rendered = SharedRead(self._render, clock, _AGE)
        self._headers = {
            "Content-Security-Policy": f"{rendering.policy}; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        found = _BEARER.fullmatch(request.headers.get("Authorization", ""))
        if found is None or len(found[1]) > LONGEST_TOKEN:
            return self._unknown("send the token of somebody who may list AppCredentials")
        if not self._may_ask():
            return self._later("too many requests; try again", 1)
        try:
            access = await self._ask(SecretValue(found[1]))
        except PermissionDeniedError:
            return self._later(
                "the operator lacks rights, which report.enabled of the chart gives", 60
            )
        except (AppCredentialError, TimeoutError):
            return self._later("the API server could not be asked whether you may see this", 5)
        match access:
            case ViewerAccess.UNKNOWN:
                return self._unknown("the API server does not accept this token")
            case ViewerAccess.REFUSED:
                told = "this token's user may not list appcredentials in all namespaces"
                return self._told(403, told)
            case ViewerAccess.ALLOWED:
                return await self._page()
            case _:
                assert_never(access)

    async def _page(self) -> web.Response:
        problem = self._rendering.problem()
        if problem:
            return self._later(problem, 5)
        body = await self._rendered.get()
        return web.Response(
            body=body, content_type="text/html", charset="utf-8", headers=self._headers
        )

    async def _render(self) -> bytes:
        return (await asyncio.to_thread(self._rendering.render)).encode()

    def _may_ask(self) -> bool:
        now = self._clock.monotonic()
        is_full = len(self._asked) == QUESTIONS_PER_SECOND and now - self._asked[0] < 1
        if is_full or self._asking >= _AT_ONCE:
            return False
        self._asked.append(now)
        return True

    async def _ask(self, token: SecretValue) -> ViewerAccess:
        self._asking += 1
        try:
            async with asyncio.timeout(_QUESTION_SECONDS):
                return await self._viewers.access(token)
        finally:
            self._asking -= 1

    def _unknown(self, told: str) -> web.Response:
        return self._told(401, told, **{"WWW-Authenticate": _CHALLENGE})

    def _later(self, told: str, seconds: int) -> web.Response:
        return self._told(503, told, **{"Retry-After": str(seconds)})

    def _told(self, status: int, told: str, **headers: str) -> web.Response:
        return web.Response(text=f"{told}\n", status=status, headers={**self._headers, **headers})
