"""Follows the labels of namespaces while some grant selects namespaces by them.

A failure of the watch tells nothing: what was known stays known. Only where the operator may not
read namespaces at all, their labels count as unknown, and then nothing new is issued for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta

from appcredential.cache.namespaces import UNREADABLE
from appcredential.cache.store import Store
from appcredential.controllers.watch_terms import (
    AGAIN_SECONDS,
    SOON_SECONDS,
    connection_seconds,
    term,
)
from appcredential.domain.spec.grant import SelectedNamespaces
from appcredential.domain.spec.model import ApplicationGrantSpec
from appcredential.domain.urgency import Urgency
from appcredential.errors import PermissionDeniedError
from appcredential.kube.custom_resources import APP_CREDENTIALS, GRANTS
from appcredential.kube.outage import Outage
from appcredential.ports.namespaces import Namespaces, SeenNamespace
from appcredential.runtime.ready import Key
from appcredential.runtime.this_process import ThisProcess
from appcredential.runtime.workqueue import Wake

log = logging.getLogger(__name__)


class NamespaceWatch:
    """Keeps the known namespaces of the store in step with the cluster. For one event loop.

    Args:
        source: lists and watches their metadata.
        period: how often a list is laid beside what the watch showed.
        wake: has a key reconciled soon.
        pause: waits for some seconds.
    """

    def __init__(
        self,
        *,
        process: ThisProcess,
        store: Store,
        source: Namespaces,
        period: timedelta,
        wake: Wake,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._process = process
        self._store = store
        self._source = source
        self._period = period.total_seconds()
        self._wake = wake
        self._pause = pause
        self._outage = Outage(
            process.clock,
            begins="a watch of namespaces fails",
            ends="a watch of namespaces succeeds",
        )

    async def prepare(self) -> None:
        """List them before anything is decided, if a grant selects namespaces.

        Raises:
            AppCredentialError: the API server gave no usable answer.
        """
        if self._store.selects_namespaces():
            try:
                await self._list()
            except PermissionDeniedError:
                self._refuse()

    async def run(self) -> None:
        """Follow them until cancelled."""
        while True:
            await self._pause(await self._term())

    async def _term(self) -> float:
        """List, and watch on from there, until that ends; return when to begin anew."""
        known = self._store.namespaces
        if not self._store.selects_namespaces():
            known.forget()
            return SOON_SECONDS
        if self._process.guard.problem() is not None:
            return SOON_SECONDS
        return await term(self._watch, self._refuse, self._outage)

    async def _watch(self) -> None:
        """Follow them from one list to the next."""
        clock = self._process.clock
        begun = clock.monotonic()
        since = await self._list()
        self._outage.note_answer()
        while clock.monotonic() - begun < self._period:
            if self._process.guard.problem() is not None or not self._store.selects_namespaces():
                return
            since = await self._take(since)
            await self._pause(AGAIN_SECONDS)

    async def _list(self) -> str:
        seen: list[SeenNamespace] = []
        version = await self._source.listed(seen.append)
        known = self._store.namespaces
        was_refused, was_listed = bool(known.problem), known.is_listed
        changed = known.replace(seen)
        if was_listed:
            self._wake_in(changed)
        else:
            self._wake_first()
        if was_refused:
            self._wake_grants()
        return version

    async def _take(self, since: str) -> str:
        """Take what one connection shows; return the version that the next one goes on from."""
        seconds = connection_seconds(self._period)
        async for seen in self._source.changes(since, seconds):
            if isinstance(seen, str):
                since = seen
                continue
            since = seen.version
            if self._store.namespaces.note(seen):
                self._wake_in({seen.name})
        return since

    def _wake_in(self, names: Collection[str]) -> None:
        """Reconcile the AppCredentials of namespaces whose labels changed."""
        for key in self._store.keys(APP_CREDENTIALS) if names else ():
            if key.namespace in names:
                self._wake(key, Urgency.ISSUE)  # Stalled until now, it would be looked at last

    def _wake_first(self) -> None:
        """Reconcile all that labels decide about, once these are known at all.

        Also those that such a grant allowed when labels were known before.
        """
        selecting = self._selecting()
        users = {key for grant in selecting.values() for key in self._store.named_by(grant)}
        tenants = {grant.tenant for grant in selecting.values()}
        for key in self._store.keys(APP_CREDENTIALS):
            known = self._store.get(key)
            is_waiting = known is not None and not known.is_served and known.tenant in tenants
            use = known.use if known is not None else None
            if key in users or is_waiting or (use is not None and use.grant in selecting):
                self._wake(key, Urgency.ISSUE)

    def _selecting(self) -> dict[str, ApplicationGrantSpec]:
        return {
            name: grant
            for name, grant in self._store.valid_grants().items()
            if isinstance(grant.namespaces, SelectedNamespaces)
        }

    def _refuse(self) -> None:
        """Say what is missing; until it is given, no label is known."""
        known = self._store.namespaces
        if known.problem != UNREADABLE:
            known.forget(UNREADABLE)
            log.warning("namespaces are not watched", extra={"problem": UNREADABLE})
            self._wake_grants()

    def _wake_grants(self) -> None:
        """Have the grants say whether they can be used."""
        for name in self._selecting():
            self._wake(Key(GRANTS, "", name))
