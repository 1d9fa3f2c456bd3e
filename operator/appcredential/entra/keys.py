"""An application's certificates in Graph: the two requests that change the key list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.applications.item.application_item_request_builder import (
    ApplicationItemRequestBuilder,
)
from msgraph.generated.models.application import Application

from appcredential.domain.spec.model import ObjectId
from appcredential.entra.connection import Call, Connection
from appcredential.entra.key_entries import ListedKey
from appcredential.entra.operations import READ, UPDATE
from appcredential.entra.rate_limit import RateLimiter
from appcredential.entra.translate import usable
from appcredential.entra.wire import KEYS, decode_keys
from appcredential.errors import TooLateError
from appcredential.ports.local import Clock

_Query = ApplicationItemRequestBuilder.ApplicationItemRequestBuilderGetQueryParameters


class GraphKeys:
    """Reads and replaces the list. Implements `key_entries.KeyStore`."""

    def __init__(
        self,
        connection: Connection,
        limiter: RateLimiter,
        clock: Clock,
        may_act: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._limiter = limiter
        self._clock = clock
        self._may_act = may_act

    async def read(self, object_id: ObjectId, *, with_content: bool) -> tuple[ListedKey, ...]:
        """Read the list; see `key_entries.KeyStore`."""
        await self._limiter.await_read()

        def make() -> RequestInformation:
            query = RequestConfiguration(query_parameters=_Query(select=KEYS))
            return self._item(object_id).to_get_request_information(query if with_content else None)

        answer = await self._connection.send(Call(operation=READ, is_write=False, make=make))
        with usable(READ, is_write=False):
            return decode_keys(answer)

    async def replace(
        self, object_id: ObjectId, entries: list[dict[str, Any]], *, deadline: float
    ) -> None:
        """Replace the list; see `key_entries.KeyStore`.

        The body is written here: the SDK's model would cut the seventh digit of a time and
        drop `key: null`, and to Graph either one changes the entry.
        """
        body = msgspec.json.encode({"keyCredentials": entries})

        def make() -> RequestInformation:
            # Checked right before the request is sent: the process may have been paused.
            if self._clock.monotonic() > deadline or not self._may_act():
                raise TooLateError("the list was read too long ago")
            info = self._item(object_id).to_patch_request_information(Application())
            info.set_stream_content(body, "application/json")
            return info

        await self._connection.write(Call(operation=UPDATE, is_write=True, make=make))

    def _item(self, object_id: ObjectId) -> ApplicationItemRequestBuilder:
        return self._connection.graph.applications.by_application_id(object_id)
