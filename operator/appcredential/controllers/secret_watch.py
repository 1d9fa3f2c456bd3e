"""A watch of what is published: a Secret that somebody changes or deletes is noticed at once.

It concludes nothing, as the looks do: the resource is queued, and its pass reads the Secret itself.
While a watch follows a namespace, the looks leave its published Secrets out. A list now and then is
the net for what a watch might miss.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Final

from appcredential.cache.store import Store
from appcredential.controllers.watch_terms import (
    AGAIN_SECONDS,
    SOON_SECONDS,
    connection_seconds,
    term,
)
from appcredential.domain.marker import Owner
from appcredential.domain.urgency import Urgency
from appcredential.gather.looked_at import LookedAt, is_ours_by_label
from appcredential.gather.shown import ShownTarget
from appcredential.gather.state import ResourceState, ResourceStates
from appcredential.kube.custom_resources import APP_CREDENTIALS
from appcredential.kube.outage import Outage
from appcredential.kube.own_writes import is_newer
from appcredential.ports.versions import SecretVersions, SeenSecret
from appcredential.runtime.ready import Key
from appcredential.runtime.this_process import ThisProcess
from appcredential.runtime.workqueue import Wake

log = logging.getLogger(__name__)

WATCHES_FAIL: Final = "watches of Secrets fail"
WATCHES_SUCCEED: Final = "watches of Secrets succeed"
MAX_WATCHES: Final = 50
"""Each takes a connection, and other requests need some, too. What is beyond is looked at."""


class SecretWatch:
    """Follows the published Secrets of some namespaces, or of all. For one event loop.

    Args:
        source: lists and watches their metadata.
        scopes: the namespaces; one empty name for all, and none if nothing is to be watched.
        period: how often a list is laid beside what the watch showed.
        wake: has a key reconciled soon.
        pause: waits for some seconds.
    """

    def __init__(
        self,
        *,
        process: ThisProcess,
        store: Store,
        states: ResourceStates,
        source: SecretVersions,
        scopes: tuple[str, ...],
        period: timedelta,
        wake: Wake,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._process = process
        self._store = store
        self._states = states
        self._source = source
        self._scopes = scopes[:MAX_WATCHES]
        self._period = period.total_seconds()
        self._wake = wake
        self._pause = pause
        self._outage = Outage(process.clock, begins=WATCHES_FAIL, ends=WATCHES_SUCCEED)
        self._followed: set[str] = set()
        self._refused: set[str] = set()

    def follows(self, namespace: str, held: LookedAt) -> bool:
        """Return whether each change of an object is shown by a watch now."""
        return held.is_labelled and not self._followed.isdisjoint(("", namespace))

    @property
    def count(self) -> int:
        """How many watches there are now."""
        return len(self._followed)

    async def run(self) -> None:
        """Follow all of them until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for scope in self._scopes:
                    group.create_task(self._follow(scope), name=f"Secrets of {scope or 'all'}")
        finally:
            self._followed.clear()

    async def _follow(self, scope: str) -> None:
        while True:
            seconds = await self._term(scope)
            if seconds:  # else a list follows at once, which shows what is missed until then
                self._followed.discard(scope)
            await self._pause(seconds)

    async def _term(self, scope: str) -> float:
        """List, and watch on from there, until that ends.

        Returns:
            After how many seconds to begin anew. Looks go on meanwhile.
        """
        if self._process.guard.problem() is not None:
            return SOON_SECONDS  # a standby holds nothing that a watch could tell it about
        return await term(
            partial(self._watch, scope), partial(self._tell_refusal, scope), self._outage
        )

    async def _watch(self, scope: str) -> None:
        """Follow one scope from one list to the next."""
        clock = self._process.clock
        begun = clock.monotonic()
        since = await self._list(scope)
        self._refused.discard(scope)
        self._outage.note_answer()
        self._followed.add(scope)
        while clock.monotonic() - begun < self._period:
            if self._process.guard.problem() is not None:
                return
            since = await self._take(scope, since)
            await self._pause(AGAIN_SECONDS)

    async def _list(self, scope: str) -> str:
        """Lay a list beside what is held; what it lacks is news, too."""
        wanted: set[tuple[str, str]] = set()

        def see(seen: SeenSecret) -> None:
            if self._store.wanting(seen.namespace, seen.name):
                wanted.add((seen.namespace, seen.name))
                self._note(seen, is_listed=True)

        version = await self._source.listed(scope, see)
        for owner, state in list(self._states.settled()):
            name = _held_name(state, version)
            if name and scope in {"", owner.namespace} and (owner.namespace, name) not in wanted:
                self._note(SeenSecret(owner.namespace, name, version, is_gone=True), is_listed=True)
        return version

    async def _take(self, scope: str, since: str) -> str:
        """Take what one connection shows; return the version that the next one goes on from."""
        seconds = connection_seconds(self._period)
        async for seen in self._source.changes(scope, since, seconds):
            if isinstance(seen, str):
                since = seen
                continue
            since = seen.version
            self._note(seen)
        return since

    def _note(self, seen: SeenSecret, *, is_listed: bool = False) -> None:
        """Have those reconciled who hold another version of a Secret than was seen.

        The answer to a write of ours may come after its event, and a read under way may be older
        than it: the queue asks again after the work on a key.
        """
        for key, state in self._holding(seen):
            if state.is_let_go:
                continue  # its owner alone decides which Secret it names, and how many do
            if is_listed and (not state.is_settled or state.target.read is None):
                continue  # its next pass reads it anyway
            state.shown_target = ShownTarget(seen.version, seen.is_gone)
            if state.has_news():
                self._wake(key, Urgency.CHANGED, unless=partial(_is_known, state))

    def _holding(self, seen: SeenSecret) -> Iterator[tuple[Key, ResourceState]]:
        for key in self._store.wanting(seen.namespace, seen.name):
            state = self._states.known(Owner(key.namespace, key.name))
            if key.kind == APP_CREDENTIALS and state is not None:
                yield key, state

    def _tell_refusal(self, scope: str) -> None:
        """Say once what is missing; the looks go on."""
        if scope not in self._refused:
            self._refused.add(scope)
            where = f"in the namespace {scope}" if scope else "in all namespaces"
            remedy = (
                f"the operator may not list and watch Secrets {where}, although "
                "APPCREDENTIAL_WATCH_SECRETS is true: give it that right (rbac.watchSecrets of the "
                "chart, with rbac.create), or set it to false; until then it looks at each Secret"
            )
            log.warning("Secrets are not watched", extra={"problem": remedy})


def _is_known(state: ResourceState) -> bool:
    return state.is_let_go or not state.has_news()


def _held_name(state: ResourceState, version: str) -> str:
    """Return the name of a target Secret that a list of that version has to show."""
    held = state.target.value
    if held is None or state.target.read is None or not is_ours_by_label(held):
        return ""
    return "" if is_newer(held.resource_version, version) else held.name
