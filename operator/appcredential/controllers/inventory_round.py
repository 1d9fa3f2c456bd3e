"""One round over a tenant's applications, or over their federated credentials."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, TypeVar

from appcredential.controllers.doubts import Doubts, Users
from appcredential.domain.inventory import (
    IN_A_BATCH,
    IN_A_FILTER,
    Cost,
    Way,
    choose_way,
    most_pages,
    requests_by_filter,
)
from appcredential.domain.spec.model import ClientId
from appcredential.errors import (
    NotFoundError,
    PermissionDeniedError,
    RejectedError,
    ThrottledError,
    UnavailableError,
    UnusableListError,
)
from appcredential.ports.local import Clock
from appcredential.ports.session import Session

log = logging.getLogger(__name__)

T = TypeVar("T")
_LEADS_NOWHERE: Final = (PermissionDeniedError, RejectedError, NotFoundError, UnusableListError)
"""Errors after which another way is taken at once; any other one ends the round."""
_MOST_FAILURES: Final = 2
"""Rounds in a row without an answer after which another way is taken, too: a page may be too large
to be sent or read, and so may never come."""


@dataclass(slots=True)
class Rounds:
    """Goes over all that is served through one EntraTenant.

    Attributes:
        costs: what each way was found to cost.
        failures: rounds in a row in which a page of this way got no answer.
        way: that the last round took.
        count: of applications in it.
    """

    tenant: str
    doubts: Doubts
    clock: Clock
    costs: dict[Way, Cost] = field(default_factory=dict)
    failures: Counter[Way] = field(default_factory=Counter)
    way: Way = Way.FILTER
    count: int = 0

    async def applications(self, session: Session) -> int:
        """Compare every application once; return how many rows that took.

        Raises:
            AppCredentialError: the round ended early; what was not compared stays as it is.
        """
        users = self.doubts.users(self.tenant)
        self.doubts.forget_gone()
        self.count, missing, rows = len(users), set(users), 0
        while missing:
            self.way = way = choose_way(len(users), self.costs, self.clock.monotonic())
            if way is Way.FILTER:
                break
            pages, count = await self._by_pages(session, way, users, missing)
            rows += count
            requests = pages + requests_by_filter(len(missing)) if pages else None
            self.costs[way] = Cost(requests=requests, found=self.clock.monotonic())
            if pages and choose_way(len(users), self.costs, self.clock.monotonic()) is way:
                break  # else another way is cheaper for what this one did not show
        for asked in _parts(sorted(missing), IN_A_FILTER):
            await self._by_filter(session, users, asked)
        return rows + len(missing)

    async def trusts(self, session: Session) -> int:
        """Compare the federated credentials of every application that has some of ours.

        Returns:
            The number of applications.

        Raises:
            AppCredentialError: as `applications`.
        """
        owners = self.doubts.trusting(self.doubts.users(self.tenant))
        for asked in _parts(sorted(owners), IN_A_BATCH):
            left = self.clock.now()
            found = await session.lists.federated(asked)
            for object_id, listed in found.items():
                self.doubts.compare_trusts(owners[object_id], listed, left)
        return len(owners)

    async def _by_pages(
        self, session: Session, way: Way, users: Users, missing: set[ClientId]
    ) -> tuple[int, int]:
        """Compare what pages show; return pages and rows, and no pages where they lead nowhere."""
        pages = rows = 0
        shown = session.lists.pages(way, users.keys(), most_pages(len(users)), session.principal_id)
        try:
            async with aclosing(shown):
                async for page in shown:
                    pages, rows = pages + 1, rows + page.rows
                    for client_id, found in page.found.items():
                        self.doubts.compare(users[client_id], found, page.left)
                    missing.difference_update(page.found)
        except ThrottledError:
            raise
        except (*_LEADS_NOWHERE, UnavailableError) as exc:
            self.failures[way] += 1
            if not isinstance(exc, _LEADS_NOWHERE) and self.failures[way] < _MOST_FAILURES:
                raise
            told = {"tenant": self.tenant, "way": str(way), "error": str(exc)}
            log.warning("a list of applications is given up: another way is used", extra=told)
            return 0, rows
        self.failures[way] = 0
        return pages, rows

    async def _by_filter(self, session: Session, users: Users, asked: Sequence[ClientId]) -> None:
        shown = session.lists.pages(Way.FILTER, asked, 1, "")
        async with aclosing(shown):
            async for page in shown:
                for client_id in asked:
                    self.doubts.compare(users[client_id], page.found.get(client_id), page.left)


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
