"""Lists what a namespace holds, for many who ask by one list, without holding up who asks.

A namespace may have a thousand resources that ask in the same minute. One list answers all who
asked before it began. Nobody waits in a worker for a list whose turn has not come: whoever asked is
woken when the answer is there.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Owner
from appcredential.errors import AppCredentialError
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

Asked = TypeVar("Asked")
Seen = TypeVar("Seen")
Found = TypeVar("Found")


@dataclass(slots=True)
class _List(Generic[Asked, Seen]):
    """One that is being read, and for whom."""

    askers: dict[Owner, Asked]
    task: asyncio.Task[dict[Asked, Seen]]


@dataclass(frozen=True, slots=True)
class _Answer(Generic[Asked, Seen]):
    """What a list showed to one who asked; an error is a fault of ours."""

    asked: Asked
    ended: float
    seen: Seen | BaseException


class NamespaceLists(ABC, Generic[Asked, Seen]):
    """Reads lists in tasks of its own. For one event loop.

    Args:
        wake: told of each resource whose answer has come.
    """

    def __init__(self, clock: Clock, wake: Callable[[Owner], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._waiting: dict[str, dict[Owner, Asked]] = {}
        """By namespace, in the order in which the namespaces are served."""
        self._running: dict[str, _List[Asked, Seen]] = {}
        self._answers: dict[Owner, _Answer[Asked, Seen]] = {}
        """The oldest first."""
        self._patient: set[Owner] = set()
        self._slow: dict[str, int] = {}

    @abstractmethod
    async def _read(self, namespace: str, asked: frozenset[Asked]) -> dict[Asked, Seen]:
        """Return by one list what each question is answered with; an error is a fault of ours."""

    async def look(self, owner: Owner, asked: Asked) -> Seen | None:
        """Return what a list of the resource's namespace answers.

        Returns:
            None while nothing is known yet: `wake` tells when to ask again.
        """
        seen = self._take(owner, asked)
        if seen is not None:
            return seen
        self.ask(owner, asked)
        found = self._running.get(owner.namespace)
        is_its_turn = found is not None and found.askers.get(owner) == asked
        if found is None or not is_its_turn or len(self._patient) >= _AT_ONCE:
            return None
        self._patient.add(owner)
        try:
            await asyncio.wait({found.task}, timeout=_PATIENCE)
        finally:
            self._patient.discard(owner)
        return self._take(owner, asked)

    def ask(self, owner: Owner, asked: Asked) -> None:
        """Have the next list of the namespace answer; who has asked already keeps the place."""
        found = self._running.get(owner.namespace)
        if found is None or found.askers.get(owner) != asked:
            self._waiting.setdefault(owner.namespace, {})[owner] = asked
            self._begin()

    def _take(self, owner: Owner, asked: Asked) -> Seen | None:
        oldest = self._clock.monotonic() - _KEPT
        while self._answers and next(iter(self._answers.values())).ended < oldest:
            del self._answers[next(iter(self._answers))]
        answer = self._answers.pop(owner, None)
        if answer is None or answer.asked != asked:
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
            task = asyncio.create_task(self._read(namespace, frozenset(askers.values())))
            task.add_done_callback(partial(self._end, namespace))
            self._running[namespace] = _List(askers, task)

    def _end(self, namespace: str, task: asyncio.Task[dict[Asked, Seen]]) -> None:
        """Keep what a list showed for those who asked, and have them come for it."""
        askers, now = self._running.pop(namespace).askers, self._clock.monotonic()
        if task.cancelled():
            return
        self._begin()
        fault = task.exception()
        for owner, asked in askers.items():
            seen = task.result()[asked] if fault is None else fault
            self._answers.pop(owner, None)
            self._answers[owner] = _Answer(asked, now, seen)
            if owner not in self._patient:
                self._wake(owner)

    async def _in_time(
        self,
        namespace: str,
        listing: Awaitable[Found],
        problem_of: Callable[[AppCredentialError | TimeoutError], Problem],
        too_slow: Problem,
        *,
        what: str,
    ) -> Found | Problem:
        """Return what a list shows, or why it shows nothing.

        Args:
            namespace: whose list.
            listing: reads it.
            problem_of: says what an error means.
            too_slow: what it means that lists take too long again and again.
            what: is listed, for the log.
        """
        slow, about = self._slow.pop(namespace, 0), {"ns": namespace}
        try:
            async with asyncio.timeout(_LONGEST):
                return await listing
        except TimeoutError as exc:
            self._slow[namespace] = slow + 1
            log.warning("%s unreadable", what, extra={**about, "error": "the list takes too long"})
            return too_slow if slow + 1 >= _LASTING else problem_of(exc)
        except AppCredentialError as exc:
            log.warning("%s unreadable", what, extra={**about, "error": str(exc)})
            return problem_of(exc)
