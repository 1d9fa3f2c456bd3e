"""Looks at the pods of a namespace, many at a time by one list, without holding up who asks.

A namespace may have a thousand resources whose pods are to be looked at in the same minute. One
list answers all who asked before it began. Nobody waits in a worker for a list whose turn has not
come: whoever asked is woken when the answer is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Owner
from appcredential.domain.observed.pods import PodUsers, SeenPods
from appcredential.domain.status.problems_kube import PODS_TOO_SLOW, pods_problem
from appcredential.errors import AppCredentialError
from appcredential.ports.kube import Pods
from appcredential.ports.local import Clock

log = logging.getLogger(__name__)

_AT_ONCE: Final = 3
"""So many lists are read at a time, one of each namespace: each holds a page in memory."""
_PATIENCE: Final = 2.0
"""So many seconds a worker waits for a list that is being read, and as many workers as lists."""
_LONGEST: Final = 120.0
_LASTING: Final = 3
"""After so many lists in a row that took too long, a person is told."""
_KEPT: Final = 10.0
"""An answer that waited longer for who asked would be too old for a removal by the time of that.

Who comes too late asks again, which costs him no call to Graph: so the others get theirs in time.
"""

_Secrets = frozenset[str]
_Task = asyncio.Task[dict[_Secrets, SeenPods]]


@dataclass(slots=True)
class _List:
    """One that is being read, and for whom."""

    askers: dict[Owner, _Secrets]
    task: _Task


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a list showed of the Secrets that somebody asked about; an error is a fault of ours."""

    secrets: _Secrets
    ended: float
    seen: SeenPods | BaseException


class PodLooks:
    """Lists pods in tasks of its own. For one event loop.

    Args:
        wake: told of each resource whose answer has come.
    """

    def __init__(self, pods: Pods, clock: Clock, wake: Callable[[Owner], None]) -> None:
        self._pods = pods
        self._clock = clock
        self._wake = wake
        self._waiting: dict[str, dict[Owner, _Secrets]] = {}
        """By namespace, in the order in which the namespaces are served."""
        self._running: dict[str, _List] = {}
        self._answers: dict[Owner, _Answer] = {}
        """The oldest first."""
        self._patient: set[Owner] = set()
        self._slow: dict[str, int] = {}

    async def look(self, owner: Owner, secrets: _Secrets) -> SeenPods | None:
        """Return which pods of a resource's namespace use one of these Secrets, or why unknown.

        Returns:
            None while nothing is known yet: `wake` tells when to ask again.
        """
        seen = self._take(owner, secrets)
        if seen is not None:
            return seen
        self.ask(owner, secrets)
        found = self._running.get(owner.namespace)
        is_its_turn = found is not None and found.askers.get(owner) == secrets
        if found is None or not is_its_turn or len(self._patient) >= _AT_ONCE:
            return None
        self._patient.add(owner)
        try:
            await asyncio.wait({found.task}, timeout=_PATIENCE)
        finally:
            self._patient.discard(owner)
        return self._take(owner, secrets)

    def ask(self, owner: Owner, secrets: _Secrets) -> None:
        """Have the next list of the namespace answer; who has asked already keeps the place."""
        found = self._running.get(owner.namespace)
        if found is None or found.askers.get(owner) != secrets:
            self._waiting.setdefault(owner.namespace, {})[owner] = secrets
            self._begin()

    def _take(self, owner: Owner, secrets: _Secrets) -> SeenPods | None:
        oldest = self._clock.monotonic() - _KEPT
        while self._answers and next(iter(self._answers.values())).ended < oldest:
            del self._answers[next(iter(self._answers))]
        answer = self._answers.pop(owner, None)
        if answer is None or answer.secrets != secrets:
            return None
        if isinstance(answer.seen, BaseException):
            raise answer.seen
        return answer.seen

    def _begin(self) -> None:
        """Begin the lists whose turn has come. A namespace stands in line once, for all of it."""
        while len(self._running) < _AT_ONCE:
            namespace = next((n for n in self._waiting if n not in self._running), None)
            if namespace is None:
                return
            askers = self._waiting.pop(namespace)
            task = asyncio.create_task(self._look(namespace, frozenset(askers.values())))
            task.add_done_callback(partial(self._end, namespace))
            self._running[namespace] = _List(askers, task)

    def _end(self, namespace: str, task: _Task) -> None:
        """Keep what a list showed for those who asked, and have them come for it."""
        askers, now = self._running.pop(namespace).askers, self._clock.monotonic()
        if task.cancelled():
            return
        self._begin()
        fault = task.exception()
        for owner, secrets in askers.items():
            seen = task.result()[secrets] if fault is None else fault
            self._answers.pop(owner, None)
            self._answers[owner] = _Answer(secrets, now, seen)
            if owner not in self._patient:
                self._wake(owner)

    async def _look(self, namespace: str, asked: frozenset[_Secrets]) -> dict[_Secrets, SeenPods]:
        began = self._clock.now()
        found = await self._list(namespace, asked)
        ended = self._clock.now()
        return {
            secrets: SeenPods(
                secrets=secrets,
                began=began,
                time=ended,
                found=found if isinstance(found, Problem) else found[secrets],
            )
            for secrets in asked
        }

    async def _list(
        self, namespace: str, asked: frozenset[_Secrets]
    ) -> dict[_Secrets, PodUsers] | Problem:
        slow, about = self._slow.pop(namespace, 0), {"ns": namespace}
        try:
            async with asyncio.timeout(_LONGEST):
                return {**await self._pods.users(namespace, asked)}
        except TimeoutError as exc:
            self._slow[namespace] = slow + 1
            log.warning("pods unreadable", extra={**about, "error": "the list takes too long"})
            return PODS_TOO_SLOW if slow + 1 >= _LASTING else pods_problem(exc)
        except AppCredentialError as exc:
            log.warning("pods unreadable", extra={**about, "error": str(exc)})
            return pods_problem(exc)
