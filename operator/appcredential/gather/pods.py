"""Looks at the pods of a namespace without holding up whoever asks."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from weakref import WeakValueDictionary

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.pods import PodUsers, SeenPods
from appcredential.domain.status.problems_kube import pods_problem
from appcredential.errors import AppCredentialError, NotYetError
from appcredential.ports.kube import Pods
from appcredential.ports.local import Clock

log = logging.getLogger(__name__)

_AT_ONCE: Final = 3
"""So many lists are read at a time, one of each namespace: each holds a page in memory."""
_PATIENCE: Final = 2.0
_LONGEST: Final = 120.0
_KEPT: Final = 15.0
_COME_AGAIN: Final = timedelta(seconds=5)

_Key = tuple[str, frozenset[str]]


@dataclass(slots=True)
class _Look:
    task: asyncio.Task[SeenPods]
    ended: float | None = None


class PodLooks:
    """Lists pods in tasks of its own. Who asks waits two seconds, and comes again for the rest."""

    def __init__(self, pods: Pods, clock: Clock) -> None:
        self._pods = pods
        self._clock = clock
        self._looks: dict[_Key, _Look] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._namespaces: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def look(self, namespace: str, secrets: frozenset[str]) -> SeenPods:
        """Return which pods of a namespace use one of these Secrets, or why nobody knows.

        Raises:
            NotYetError: the list is long; come again for it.
        """
        self._drop_unasked()
        key = (namespace, secrets)
        found = self._looks.get(key)
        if found is None:
            found = self._looks[key] = self._begin(key)
        done, _ = await asyncio.wait({found.task}, timeout=_PATIENCE)
        if not done:
            raise NotYetError("a list of pods is being read", retry_after=_COME_AGAIN)
        self._looks.pop(key, None)
        return found.task.result()

    def _begin(self, key: _Key) -> _Look:
        look = _Look(asyncio.create_task(self._list(*key)))
        look.task.add_done_callback(lambda _: self._note_end(look))
        return look

    def _note_end(self, look: _Look) -> None:
        look.ended = self._clock.monotonic()

    def _drop_unasked(self) -> None:
        """Drop what nobody came for: by now it may be from before another publish."""
        oldest = self._clock.monotonic() - _KEPT
        for key, look in list(self._looks.items()):
            if look.ended is not None and look.ended < oldest:
                del self._looks[key]

    async def _list(self, namespace: str, secrets: frozenset[str]) -> SeenPods:
        turn = self._namespaces.setdefault(namespace, asyncio.Lock())
        async with turn, self._turns:
            began = self._clock.now()
            try:
                async with asyncio.timeout(_LONGEST):
                    found: PodUsers | Problem = await self._pods.users(namespace, secrets)
            except (AppCredentialError, TimeoutError) as exc:
                log.warning("pods unreadable", extra={"ns": namespace, "error": str(exc)})
                found = pods_problem(exc)
            return SeenPods(secrets=secrets, began=began, time=self._clock.now(), found=found)
