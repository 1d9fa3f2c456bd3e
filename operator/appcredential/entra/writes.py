"""Writes to one tenant's applications: one at a time for each, and no old read after it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
)
from typing import Final

from appcredential.domain.spec.model import ObjectId
from appcredential.entra.rate_limit import RateLimiter, Write
from appcredential.errors import RejectedError

_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")


class Writes:
    """Sends each write to an application in its turn.

    Args:
        outdate: called after each write, to drop all that was read of the application before.
    """

    def __init__(self, limiter: RateLimiter, outdate: Callable[[ObjectId], None]) -> None:
        self._limiter = limiter
        self._outdate = outdate

    def turn(self, object_id: ObjectId, who: str) -> AbstractContextManager[None]:
        """Hold an application's turn to be written; see `ports.entra.Directory.turn`."""
        check_id(object_id)
        return self._limiter.turn(object_id, who)

    def write(self, object_id: ObjectId) -> AbstractAsyncContextManager[Write]:
        """Surround one write; whatever comes of it, earlier reads are outdated.

        Raises:
            ThrottledError: Graph asked for a pause.
            NotYetError: the running task does not hold the turn, and cannot take it now.
            RejectedError: the id cannot be one.
        """
        check_id(object_id)
        return self._outdating(object_id, self._limiter.write(object_id))

    def awaited_write(self, object_id: ObjectId) -> AbstractAsyncContextManager[Write]:
        """Surround one write of somebody who may wait for the turn, because it holds no worker."""
        check_id(object_id)
        return self._outdating(object_id, self._limiter.awaited_write(object_id))

    @asynccontextmanager
    async def _outdating(
        self, object_id: ObjectId, paced: AbstractAsyncContextManager[Write]
    ) -> AsyncIterator[Write]:
        async with paced as write:
            with self._limiter.noting_pauses():
                try:
                    yield write
                finally:
                    self._outdate(object_id)


def check_id(object_id: ObjectId) -> None:
    """Check an object id, which becomes part of an address.

    Raises:
        RejectedError: it cannot be an id.
    """
    if not _ID.fullmatch(object_id):
        raise RejectedError("the object id is no id", code="InvalidObjectId")
