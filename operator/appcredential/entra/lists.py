"""Lists of applications, and batches of reads: what shows many at once.

Nothing here selects properties: certificates that are selected count against a quota of 150
requests a minute for the whole tenant (learn.microsoft.com/graph, `application: list`), and a
list shows them without their bytes anyway.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias, TypeVar, assert_never

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.applications.applications_request_builder import ApplicationsRequestBuilder
from msgraph.generated.service_principals.item.owned_objects.graph_application import (
    graph_application_request_builder as owned_builder,
)
from msgraph.generated.users.item.owned_objects.graph_application import (
    graph_application_request_builder as of_user_builder,
)

from appcredential.domain.inventory import IN_A_BATCH, IN_A_FILTER, IN_A_PAGE, Way
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.spec.checks import is_guid
from appcredential.domain.spec.model import ClientId, ObjectId
from appcredential.entra.batches import batch_request, decode_batch
from appcredential.entra.connection import Call, Connection
from appcredential.entra.federated import decode_federated
from appcredential.entra.operations import BATCH, LIST, OWNED, OWNED_BY_USER
from appcredential.entra.owners import decode_owners, owners_path
from appcredential.entra.pages import Rows, decode_page, is_next_page
from appcredential.entra.rate_limit import RateLimiter
from appcredential.entra.translate import DEFAULT_PAUSE, retry_after, usable
from appcredential.entra.writes import check_id
from appcredential.errors import ThrottledError, UnusableListError
from appcredential.ports.lists import Page
from appcredential.ports.local import Clock

_Query: TypeAlias = ApplicationsRequestBuilder.ApplicationsRequestBuilderGetQueryParameters
_OwnedQuery: TypeAlias = (
    owned_builder.GraphApplicationRequestBuilder.GraphApplicationRequestBuilderGetQueryParameters
)
_OwnedByUserQuery: TypeAlias = (
    of_user_builder.GraphApplicationRequestBuilder.GraphApplicationRequestBuilderGetQueryParameters
)
K = TypeVar("K", bound=str)
V = TypeVar("V")
_UNITS: Final = 2
"""Of a page, by Graph's published quotas; one of owned objects costs less, and counts the same."""


class GraphLists:
    """Implements `ports.lists.Lists`.

    Args:
        owner_is_user: whether the owner of `Way.OWNED` is a person; else a service principal.
    """

    def __init__(
        self,
        connection: Connection,
        limiter: RateLimiter,
        clock: Clock,
        *,
        owner_is_user: bool = False,
    ) -> None:
        self._connection = connection
        self._owner_is_user = owner_is_user
        self._limiter = limiter
        self._clock = clock

    async def pages(
        self, way: Way, wanted: Collection[ClientId], most_pages: int, owner: str
    ) -> AsyncGenerator[Page, None]:
        """Read applications page by page; see `ports.lists.Lists`."""
        first = url = self._first(way, wanted, owner)
        for _ in range(most_pages):
            left = self._clock.now()
            call = self._call(way, url)
            rows = await self._page(call, wanted, left)
            yield Page(left=left, found=rows.found, rows=rows.count)
            if rows.next_link is None:
                return
            if rows.next_link == url or not is_next_page(rows.next_link, first):
                raise UnusableListError(f"{call.operation}: the next page is at another address")
            url = rows.next_link
        operation = self._call(way, url).operation
        raise UnusableListError(f"{operation}: more than {most_pages} pages")

    async def federated(
        self, object_ids: Sequence[ObjectId]
    ) -> Mapping[ObjectId, FederatedList | None]:
        """Read federated credentials of several applications; see `ports.lists.Lists`."""
        for object_id in object_ids[:IN_A_BATCH]:
            check_id(object_id)
        left = self._clock.now()

        def read(object_id: ObjectId, body: bytes) -> FederatedList:
            return decode_federated(body, object_id, left)

        return await self._batch(
            object_ids, lambda one: f"/applications/{one}/federatedIdentityCredentials", read
        )

    async def owners(
        self, client_ids: Sequence[ClientId]
    ) -> Mapping[ClientId, frozenset[str] | None]:
        """Read the owners of several applications; see `ports.lists.Lists`."""
        return await self._batch(list(filter(is_guid, client_ids)), owners_path, decode_owners)

    async def _batch(
        self, applications: Sequence[K], path: Callable[[K], str], read: Callable[[K, bytes], V]
    ) -> Mapping[K, V | None]:
        asked = applications[:IN_A_BATCH]
        for _ in asked:
            await self._limiter.await_read()  # each counts, batched or not

        def make() -> RequestInformation:
            return batch_request(self._base_url, [path(one) for one in asked])

        call = Call(operation=BATCH, is_write=False, make=make)
        with self._limiter.noting_pauses():
            answer = await self._connection.send(call)
            with usable(BATCH, is_write=False):
                batch = decode_batch(answer, asked, read)
            if batch.throttled is not None:
                wait = retry_after(batch.throttled, self._clock.now()) or DEFAULT_PAUSE
                raise ThrottledError(f"{BATCH}: Graph asks to slow down", retry_after=wait)
        return batch.found

    async def _page(self, call: Call, wanted: Collection[ClientId], left: datetime) -> Rows:
        for _ in range(_UNITS):
            await self._limiter.await_read()
        with self._limiter.noting_pauses():
            answer = await self._connection.send(call)
        with usable(call.operation, is_write=False):
            return await decode_page(answer, wanted, left)

    def _first(self, way: Way, wanted: Collection[ClientId], owner: str) -> str:
        """Return the address of the first page."""
        graph = self._connection.graph
        match way:
            case Way.FILTER:
                ids = sorted(filter(is_guid, wanted))[:IN_A_FILTER]
                named = ",".join(f"'{client_id}'" for client_id in ids)
                found = RequestConfiguration(query_parameters=_Query(filter=f"appId in ({named})"))
                info = graph.applications.to_get_request_information(found)
            case Way.ALL:
                listed = RequestConfiguration(query_parameters=_Query(top=IN_A_PAGE))
                info = graph.applications.to_get_request_information(listed)
            case Way.OWNED:
                check_id(ObjectId(owner))
                info = self._owned_by(owner)
            case _:
                assert_never(way)
        info.path_parameters["baseurl"] = self._base_url
        return info.url

    def _owned_by(self, owner: str) -> RequestInformation:
        graph = self._connection.graph
        if self._owner_is_user:
            of_user = graph.users.by_user_id(owner).owned_objects.graph_application
            top = RequestConfiguration(query_parameters=_OwnedByUserQuery(top=IN_A_PAGE))
            return of_user.to_get_request_information(top)
        item = graph.service_principals.by_service_principal_id(owner)
        owned = RequestConfiguration(query_parameters=_OwnedQuery(top=IN_A_PAGE))
        return item.owned_objects.graph_application.to_get_request_information(owned)

    def _call(self, way: Way, url: str) -> Call:
        """Return the request of one page, whose address is its own or the one that Graph named."""

        def make() -> RequestInformation:
            info = RequestInformation(Method.GET)
            info.url = url
            info.headers.try_add("Accept", "application/json")
            return info

        if way is not Way.OWNED:
            return Call(operation=LIST, is_write=False, make=make)
        if self._owner_is_user:
            return Call(operation=OWNED_BY_USER, is_write=False, make=make)
        return Call(operation=OWNED, is_write=False, make=make)

    @property
    def _base_url(self) -> str:
        return self._connection.graph.request_adapter.base_url
