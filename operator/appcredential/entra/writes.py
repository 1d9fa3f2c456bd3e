"""Writes to one tenant's applications: one at a time for each, and no old read after it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from appcredential.domain.spec.model import ObjectId
from appcredential.entra.rate_limit import RateLimiter
from appcredential.errors import RejectedError

_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")


class Writes:
    """Gives out the turns in which an application is written.

    Args:
        outdate: called after each turn, to drop all that was read of the application before.
    """

    def __init__(self, limiter: RateLimiter, outdate: Callable[[ObjectId], None]) -> None:
        self._limiter = limiter
        self._outdate = outdate

    @asynccontextmanager
    async def turn(self, object_id: ObjectId) -> AsyncIterator[None]:
        """Hold an application's turn; whatever comes of it, earlier reads are outdated.

        Raises:
            ThrottledError: Graph asked for a pause, or the wait would be too long.
            RejectedError: the id cannot be one.
        """
        check_id(object_id)
        async with self._limiter.write(object_id):
            with self._limiter.noting_pauses():
                try:
                    yield
                finally:
                    self._outdate(object_id)


def check_id(object_id: ObjectId) -> None:
    """Check an object id, which becomes part of an address.

    Raises:
        RejectedError: it cannot be an id.
    """
    if not _ID.fullmatch(object_id):
        raise RejectedError("the object id is no id", code="InvalidObjectId")
