"""An application's certificates in Graph: the two requests that the key list is changed with."""

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
from appcredential.entra.translate import no_answer
from appcredential.entra.wire import KEYS, UnreadableAnswerError, decode_keys
from appcredential.errors import TooLateError
from appcredential.ports.local import Clock

_Query = ApplicationItemRequestBuilder.ApplicationItemRequestBuilderGetQueryParameters


class GraphKeys:
    """Reads the list directly, and replaces it. Implements `key_list.KeyStore`."""

    def __init__(
        self, session: Connection, gate: RateLimiter, clock: Clock, may_act: Callable[[], bool]
    ) -> None:
        self._session = session
        self._gate = gate
        self._clock = clock
        self._may_act = may_act

    async def read(self, object_id: ObjectId, *, with_content: bool) -> tuple[ListedKey, ...]:
        """Read the list. See `key_list.KeyStore`."""
        await self._gate.pass_read()

        def make() -> RequestInformation:
            query = RequestConfiguration(query_parameters=_Query(select=KEYS))
            return self._item(object_id).to_get_request_information(query if with_content else None)

        answer = await self._session.send(Call(operation=READ, is_write=False, make=make))
        try:
            return decode_keys(answer)
        except UnreadableAnswerError as error:
            raise no_answer(READ, str(error), is_write=False) from None

    async def replace(
        self, object_id: ObjectId, entries: list[dict[str, Any]], *, deadline: float
    ) -> None:
        """Replace the list. See `key_list.KeyStore`.

        The SDK's model would cut the seventh digit of a time and drop `key: null`, and
        either is a change of an entry to Graph: the body is written here.
        """
        body = msgspec.json.encode({"keyCredentials": entries})

        def make() -> RequestInformation:
            # Here, where only sending is left: a process may have been paused meanwhile.
            if self._clock.monotonic() > deadline or not self._may_act():
                raise TooLateError("the list was read too long ago")
            info = self._item(object_id).to_patch_request_information(Application())
            info.set_stream_content(body, "application/json")
            return info

        await self._session.send(Call(operation=UPDATE, is_write=True, make=make))

    def _item(self, object_id: ObjectId) -> ApplicationItemRequestBuilder:
        return self._session.graph.applications.by_application_id(object_id)
