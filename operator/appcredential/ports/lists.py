"""Lists of one tenant, as a Protocol. The adapter is `entra/lists.py`.

What they show is good for a doubt and proves nothing: they lag, and may lack anything.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from appcredential.domain.inventory import Way
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.spec.model import ClientId, ObjectId


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of a list.

    Attributes:
        left: when the request left, by our clock; what it shows is not older by Entra's.
        found: of the wanted applications those that it shows.
        rows: how many it showed in all.
    """

    left: datetime
    found: Mapping[ClientId, Application]
    rows: int


class Lists(Protocol):
    """Graph's lists, for one tenant, at the pace that Graph allows."""

    def pages(
        self, way: Way, wanted: Collection[ClientId], most_pages: int, owner: str
    ) -> AsyncGenerator[Page, None]:
        """Read applications page by page; with `Way.FILTER` at most 15, by their client ids.

        Args:
            way: how to find them.
            wanted: the client ids; all else is dropped while it is decoded.
            most_pages: for more, the list is given up.
            owner: the object id of the operator's service principal, for `Way.OWNED`.

        Raises:
            UnusableListError: a next page at another address, or more pages than that.
            PermissionDeniedError: the operator may not read this list.
            ThrottledError, UnavailableError, RejectedError, NotFoundError.
        """
        ...

    async def federated(
        self, object_ids: Sequence[ObjectId]
    ) -> Mapping[ObjectId, FederatedList | None]:
        """Read the federated credentials of at most 20 applications at once.

        Returns:
            None for an application that Graph does not know; what could not be read is missing.

        Raises:
            ThrottledError: also when only one of the reads was refused for that.
            PermissionDeniedError, UnavailableError, RejectedError.
        """
        ...

    async def owners(
        self, client_ids: Sequence[ClientId]
    ) -> Mapping[ClientId, frozenset[str] | None]:
        """Read the owners of at most 20 applications at once, each directly.

        Returns:
            The object ids of all owners; None for an application that Graph does not know. What
            could not be read, or not whole, is missing.

        Raises:
            As `federated`.
        """
        ...
