"""Reads of one tenant: shared among callers where many resources need the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.applications.applications_request_builder import ApplicationsRequestBuilder

from appcredential.domain.observed.app_policy import AppPolicy
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.spec.model import ClientId, ObjectId
from appcredential.entra.connection import Call, Connection
from appcredential.entra.federated import is_client_id, list_federated
from appcredential.entra.key_list import KeyList
from appcredential.entra.operations import LIST, READ
from appcredential.entra.policies import read_default_policy
from appcredential.entra.rate_limit import RateLimiter
from appcredential.entra.shared_reads import SharedReads
from appcredential.entra.translate import usable
from appcredential.entra.wire import decode_application, decode_own_end
from appcredential.ports.local import Clock

_ListQuery = ApplicationsRequestBuilder.ApplicationsRequestBuilderGetQueryParameters
_OWN_SELECT: Final = ["id", "passwordCredentials"]


class GraphReads:
    """All reads but those of the key list, each at the pace that Graph allows.

    Args:
        keys: hears which certificates a read showed.
    """

    def __init__(
        self, connection: Connection, limiter: RateLimiter, clock: Clock, keys: KeyList
    ) -> None:
        self._connection = connection
        self._limiter = limiter
        self._clock = clock
        self._keys = keys
        self._applications = SharedReads(self._read_application, clock)
        self._federated = SharedReads(self._read_federated, clock)

    async def application(self, client_id: ClientId, max_age: timedelta) -> Application:
        """Read an application with its credentials; see `ports.entra.Directory`."""
        return await self._applications.get(client_id, max_age)

    async def federated(self, object_id: ObjectId, max_age: timedelta) -> FederatedList:
        """Read an application's federated credentials; see `ports.entra.Directory`."""
        return await self._federated.get(object_id, max_age)

    def drop(self, object_id: ObjectId) -> None:
        """Let no read of an application that left before now answer a later call."""
        self._applications.drop(object_id)
        self._federated.drop(object_id)

    async def is_client_id(self, principal_id: str) -> bool:
        """Return whether an id is an application's; see `ports.entra.Directory`."""
        async with self._paced():
            return await is_client_id(self._connection, principal_id)

    async def default_policy(self) -> AppPolicy:
        """Read the tenant's default app management policy; see `policies.read_default_policy`."""
        async with self._paced():
            return await read_default_policy(self._connection)

    async def probe(
        self, client_id: ClientId | None, credential: OperatorCredential
    ) -> datetime | None:
        """Read the operator's own application: it signs in and may read applications.

        Args:
            client_id: of the operator; None finds no application, which proves as much.
            credential: what it signs in with.

        Returns:
            When its own credential ends; None when that is not known, for instance because
            its application belongs to another tenant.

        Raises:
            IdentityRejectedError: Entra refuses the operator's own credential.
            PermissionDeniedError: Graph does not let it read applications.
            ThrottledError, UnavailableError, RejectedError, NotFoundError.
        """

        def make() -> RequestInformation:
            # A read that selects certificates counts against a small quota of the tenant.
            wanted = _ListQuery(
                filter=f"appId eq '{client_id or UUID(int=0)}'",
                select=None if credential.thumbprint else _OWN_SELECT,
            )
            query = RequestConfiguration(query_parameters=wanted)
            return self._connection.graph.applications.to_get_request_information(query)

        async with self._paced():
            answer = await self._connection.send(Call(operation=LIST, is_write=False, make=make))
        with usable(LIST, is_write=False):
            return decode_own_end(answer, credential)

    async def _read_application(self, client_id: ClientId) -> Application:
        """Read by client id: that costs 1 resource unit, and a filtered list 2."""

        def make() -> RequestInformation:
            found = self._connection.graph.applications_with_app_id(client_id)
            return found.to_get_request_information()

        self._limiter.pass_read()
        read_time = self._clock.now()
        with self._limiter.noting_pauses():
            answer = await self._connection.send(Call(operation=READ, is_write=False, make=make))
        with usable(READ, is_write=False):
            found = decode_application(answer, client_id, read_time)
        keys = (c.key_id for c in found.credentials if c.type.is_certificate)
        self._keys.saw(found.object_id, keys)
        return found

    async def _read_federated(self, object_id: ObjectId) -> FederatedList:
        async with self._paced():
            return await list_federated(self._connection, object_id, self._clock.now())

    @asynccontextmanager
    async def _paced(self) -> AsyncIterator[None]:
        self._limiter.pass_read()
        with self._limiter.noting_pauses():
            yield
