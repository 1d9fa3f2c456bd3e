"""Graph's lists of one tenant, in memory: what many applications look like, right or wrong."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from appcredential.domain.inventory import Way
from appcredential.domain.observed.entra import Application, Credential
from appcredential.domain.observed.federated import FederatedCredential, FederatedList
from appcredential.domain.spec.model import ClientId, ObjectId
from appcredential.errors import AppCredentialError
from appcredential.ports.lists import Page
from tests.support.builders import CLIENT_ID, application
from tests.support.clock import HandClock

if TYPE_CHECKING:
    from tests.support.directory import MemoryDirectory


class MemoryLists:
    """Shows the application of a MemoryDirectory, unless told to show something else.

    Attributes:
        stale: credentials that lists show in place of those that there are; None for these.
        stale_trusts: the same for federated credentials.
        stale_tags: the same for the tags of the application.
        lacks_all: lists show nothing at all.
        owned: whether the list of what the operator owns shows the application.
        owned_by: who owns it by a direct read; None where that cannot be read.
        unreadable: of which applications alone the owners cannot be read.
        owners_read: how often somebody asked who does.
        others: how many more applications there are, by their client ids.
        errors: what lists raise, by the way; None for batches.
        asked: the way and the number of applications of each request; None for batches.
    """

    def __init__(self, directory: MemoryDirectory, clock: HandClock) -> None:
        self._directory = directory
        self._clock = clock
        self.stale: tuple[Credential, ...] | None = None
        self.stale_trusts: tuple[FederatedCredential, ...] | None = None
        self.stale_tags: tuple[str, ...] | None = None
        self.lacks_all = False
        self.owned = True
        self.owned_by: frozenset[str] | None = frozenset()
        self.unreadable: frozenset[ClientId] = frozenset()
        self.owners_read = 0
        self.others: dict[ClientId, Application] = {}
        self.errors: dict[Way | None, AppCredentialError] = {}
        self.asked: list[tuple[Way | None, int]] = []

    async def pages(
        self, way: Way, wanted: Collection[ClientId], most_pages: int, owner: str
    ) -> AsyncGenerator[Page, None]:
        self.asked.append((way, len(wanted)))
        self._fail(way)
        shown = {} if self.lacks_all else self._shown(way)
        found = {k: v for k, v in shown.items() if k in wanted}
        yield Page(left=self._clock.now(), found=found, rows=len(found))

    async def federated(
        self, object_ids: Sequence[ObjectId]
    ) -> Mapping[ObjectId, FederatedList | None]:
        self.asked.append((None, len(object_ids)))
        self._fail(None)
        if self.lacks_all:
            return dict.fromkeys(object_ids)
        there = tuple(self._directory.trusts.values())
        shown = there if self.stale_trusts is None else self.stale_trusts
        now = self._clock.now()
        return {
            object_id: FederatedList(object_id=object_id, credentials=shown, read_time=now)
            for object_id in object_ids
        }

    async def owners(
        self, client_ids: Sequence[ClientId]
    ) -> Mapping[ClientId, frozenset[str] | None]:
        self.owners_read += 1
        self._fail(None)
        if self._directory.is_missing:
            return dict.fromkeys(client_ids)
        if self.owned_by is None:
            return {}
        return {c: self.owned_by for c in client_ids if c not in self.unreadable}

    def _fail(self, way: Way | None) -> None:
        if way in self.errors:
            raise self.errors[way]

    def _shown(self, way: Way) -> dict[ClientId, Application]:
        now, directory = self._clock.now(), self._directory
        others = {k: replace(v, read_time=now) for k, v in self.others.items()}
        if directory.is_missing or (way is Way.OWNED and not self.owned):
            return others
        there = tuple(directory.credentials.values())
        shown = there if self.stale is None else self.stale
        tags = directory.tags if self.stale_tags is None else self.stale_tags
        return {CLIENT_ID: application(*shown, read_time=now, tags=tags), **others}
