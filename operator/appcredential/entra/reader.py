"""One tenant as a person may read it: nothing is ever written, whatever is asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from appcredential.domain.inventory import MOST_PAGES, Way
from appcredential.domain.observed.app_policy import AppPolicy
from appcredential.domain.operator_credential import is_of_a_user, principal_of
from appcredential.domain.spec.model import ClientId, KeyId
from appcredential.entra.clouds import CloudRoute
from appcredential.entra.connection import Call, Connection
from appcredential.entra.directory import GraphDirectory
from appcredential.entra.lists import GraphLists
from appcredential.entra.operator_token import OperatorToken, TokenSource
from appcredential.entra.pacing import PACING
from appcredential.entra.rate_limit import RateLimiter, Sleep
from appcredential.entra.usage import last_sign_ins
from appcredential.errors import RejectedError, ThrottledError
from appcredential.ports.entra import Directory
from appcredential.ports.lists import Lists, Page
from appcredential.ports.local import Clock

T = TypeVar("T")
_TOKEN_SECONDS: Final = 60.0
"""For one token: the Azure CLI takes some."""
_PATIENCE: Final = replace(PACING, max_wait=60.0)
"""A command has one thing to do, and may wait for its turn."""

Told = Callable[[timedelta], None]
"""Called with the pause that Graph asks for, before it is kept."""


class ReadOnlyConnection(Connection):
    """A connection that refuses writes, and waits where Graph asks to slow down.

    A read may be repeated at will, unlike what the operator's own connection sends.

    Args:
        told: called before each such pause.
        sleep: waits for seconds.
        options: as for `Connection`.
    """

    def __init__(
        self, *args: Any, told: Told, sleep: Sleep = asyncio.sleep, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._told = told
        self._sleep = sleep

    async def send(self, call: Call) -> bytes:
        """Send a read, again after each pause that Graph asks for; see `Connection.send`.

        Raises:
            RejectedError: it is a write, which is not sent.
        """
        if call.is_write:
            raise RejectedError(f"{call.operation}: this sign-in only reads", code="ReadOnly")
        while True:
            try:
                return await super().send(call)
            except ThrottledError as error:
                await self.keep(error.retry_after)

    async def keep(self, pause: timedelta) -> None:
        """Tell of a pause, and wait for its end."""
        self._told(pause)
        await self._sleep(pause.total_seconds())


class _All(Collection[ClientId]):
    """Every client id, for lists of which all rows are wanted."""

    def __contains__(self, _: object) -> bool:
        return True

    def __iter__(self) -> Iterator[ClientId]:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who signed in: a user, or a service principal, by object id; empty where it is unreadable."""

    object_id: str
    is_user: bool


class Reader:
    """Reads of one tenant. For one event loop; close it.

    Attributes:
        directory: of the tenant; its writes are refused.
    """

    def __init__(
        self, connection: ReadOnlyConnection, token: OperatorToken, route: CloudRoute, clock: Clock
    ) -> None:
        self._connection = connection
        self._token = token
        self._endpoints = route.endpoints
        self._clock = clock
        self._limiter = RateLimiter(_PATIENCE, clock, asyncio.sleep)
        self._graph = GraphDirectory(
            connection, clock=clock, pacing=_PATIENCE, may_act=lambda: False
        )
        self.directory: Directory = self._graph

    @property
    def lists(self) -> Lists:
        """What shows many applications at once."""
        return self._lists(owner_is_user=False)

    def _lists(self, *, owner_is_user: bool) -> GraphLists:
        return GraphLists(self._connection, self._limiter, self._clock, owner_is_user=owner_is_user)

    async def patiently(self, read: Callable[[], Awaitable[T]]) -> T:
        """Make a read again after each pause that Graph, or the pace of our own, asks for.

        One within a batch reaches no connection that would wait for it.
        """
        while True:
            try:
                return await read()
            except ThrottledError as error:
                await self._connection.keep(error.retry_after)

    async def every_application(self, *, is_owned: bool) -> AsyncGenerator[Page, None]:
        """Read all applications of the tenant, or all that the person owns, page by page.

        Raises:
            PermissionDeniedError: this sign-in may not.
            RejectedError: nobody knows who signed in, of whom something could be owned.
            UnusableListError: see `ports.lists.Lists`.
            AppCredentialError: any other failure.
        """
        way, owner, is_user = Way.ALL, "", False
        if is_owned:
            who = await self.principal()
            if not who.object_id:
                raise RejectedError("the token does not say who signed in", code="NoPrincipal")
            way, owner, is_user = Way.OWNED, who.object_id, who.is_user
        pages = self._lists(owner_is_user=is_user).pages(way, _All(), MOST_PAGES, owner)
        async with aclosing(pages):
            async for page in pages:
                yield page

    def last_sign_ins(
        self, client_id: ClientId | None
    ) -> AsyncGenerator[Mapping[KeyId, datetime], None]:
        """Read when each key id last signed in; see `usage.last_sign_ins`."""
        return last_sign_ins(self._connection, self._endpoints.graph, client_id)

    async def principal(self) -> Principal:
        """Sign in, and return who did.

        Raises:
            IdentityRejectedError: nobody is signed in, or Entra refuses it; with the remedy.
            ThrottledError, UnavailableError.
        """
        token = (await self._token.get_token(self._endpoints.graph_scope, enable_cae=True)).token
        return Principal(object_id=principal_of(token), is_user=is_of_a_user(token))

    async def default_policy(self) -> AppPolicy:
        """Read the tenant's default app management policy.

        Raises:
            PermissionDeniedError: this sign-in may not.
            AppCredentialError: any other failure.
        """
        return await self._graph.default_policy()

    async def close(self) -> None:
        """Close every connection."""
        await self._graph.close()
        await self._connection.close()


def open_reader(
    source: Callable[[], TokenSource],
    route: CloudRoute,
    clock: Clock,
    told: Told,
) -> Reader:
    """Open a tenant for reading; no request is made. Call it on the event loop that uses it.

    Args:
        source: makes what gives tokens, see `person.py`.
        route: to the tenant's cloud.
        clock: of the process.
        told: called before each pause that Graph asks for.
    """
    token = OperatorToken(source, route.endpoints.graph_scope, clock, _TOKEN_SECONDS)
    connection = ReadOnlyConnection(
        token,
        route.endpoints,
        ca_file=route.ca_file,
        extra_ca_file=route.extra_ca_file,
        clock=clock,
        told=told,
    )
    return Reader(connection, token, route, clock)
