"""Light looks at what the operator wrote into the cluster, and at what it makes certificates from.

A look is one GET of metadata. It concludes nothing: where a version differs from the one that the
last pass read, that part of the state is dropped and the resource is queued. The pass reads the
object itself. An error tells nothing about the object either.

A resource that is known by its status alone has nothing to compare with: its first look is a whole
pass, which the same budget paces.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Final

from appcredential.domain.looks import LookBudget
from appcredential.domain.marker import Owner
from appcredential.domain.turns import in_turns
from appcredential.errors import AppCredentialError, PermissionDeniedError
from appcredential.gather.looked_at import LookedAt, looked_at
from appcredential.gather.resumed import cost_of_first_look, is_awaited
from appcredential.gather.state import ResourceState, ResourceStates
from appcredential.kube.custom_resources import APP_CREDENTIALS
from appcredential.kube.outage import Outage
from appcredential.ports.versions import Versions
from appcredential.runtime.metrics import Metrics
from appcredential.runtime.ready import Key
from appcredential.runtime.this_process import ThisProcess

LOOKS_FAIL: Final = "looks at the cluster fail"
LOOKS_SUCCEED: Final = "looks at the cluster succeed"
"""What the log says once for a time in which they fail, and once after it."""
_EMPTY_SECONDS: Final = 5.0
_AT_A_TIME: Final = 10
_LOOK_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 5.0


class Outcome(StrEnum):
    """What came of one look, as the metric names it."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    FORBIDDEN = "forbidden"
    FAILED = "failed"


class ClusterLooks:
    """Looks at all settled resources in rounds, within a budget. For one event loop.

    Args:
        versions: asks the API server.
        wake: has a key reconciled soon.
        look_whole: has a key reconciled when nothing more urgent is to be done.
        is_watched: tells of an object of a namespace whether a watch shows each change of it.
    """

    def __init__(
        self,
        *,
        process: ThisProcess,
        states: ResourceStates,
        versions: Versions,
        budget: LookBudget,
        metrics: Metrics,
        wake: Callable[[Key], None],
        look_whole: Callable[[Key], None],
        is_watched: Callable[[str, LookedAt], bool] = lambda _namespace, _held: False,
    ) -> None:
        self._process = process
        self._states = states
        self._versions = versions
        self._is_watched = is_watched
        self._budget = budget
        self._metrics = metrics
        self._wake = wake
        self._look_whole = look_whole
        self._outage = Outage(process.clock, begins=LOOKS_FAIL, ends=LOOKS_SUCCEED)
        self._at_a_time = asyncio.Semaphore(_AT_A_TIME)
        self._waiting: deque[Owner] = deque()
        self._joined: set[Owner] = set()
        self._may_join = False
        self._objects = 0
        self._looked_at = 0
        self._credit = 0.0
        self._round_began: float | None = None
        self._last_time = 0.0
        self._pause_ends = 0.0

    async def run_once(self) -> None:
        """Take the looks that are due now. A standby takes none: it holds nothing to compare."""
        now = self._process.clock.monotonic()
        if self._process.guard.problem() is not None:
            self._stop()
            return
        if not self._waiting and self._is_round_over(now):
            self._begin_round(now)
        elif self._may_join:
            self._waiting.extend(in_turns(self._first_looks(now), lambda owner: owner.namespace))
        elapsed, self._last_time = timedelta(seconds=now - self._last_time), now
        if self._waiting and now >= self._pause_ends:
            self._credit += self._budget.earned(self._objects, elapsed)
            await self._look_at(self._due())

    def _stop(self) -> None:
        """Rely on nothing that was read: another replica may have acted since."""
        if self._round_began is not None:
            for _, state in (*self._states.settled(), *self._states.resumed()):
                state.is_well = False
        self._waiting.clear()
        self._round_began = None

    def _is_round_over(self, now: float) -> bool:
        """Return whether a round may begin: one over nothing is over soon.

        It is as long as what it looked at takes: a watch may have come back meanwhile.
        """
        if self._round_began is None:
            return True
        period = self._budget.period(self._looked_at).total_seconds()
        return now - self._round_began >= (period if self._objects else _EMPTY_SECONDS)

    def _begin_round(self, now: float) -> None:
        """Begin a round over all that is settled now, one resource of each namespace in turn."""
        owners: list[Owner] = []
        self._objects = self._looked_at = 0
        for owner, state in self._states.settled():
            if count := len(self._to_look_at(owner, state)):
                self._objects += count
                owners.append(owner)
        self._joined.clear()
        owners += self._first_looks(now)
        self._waiting.extend(in_turns(owners, lambda owner: owner.namespace))
        self._credit, self._last_time, self._round_began = 0.0, now, now
        self._metrics.looks.period.set(self._budget.period(self._objects).total_seconds())

    def _first_looks(self, now: float) -> list[Owner]:
        """Return whose first look may come now, and did not come in this round yet.

        The lists of one tenant may come long after those of others, and its users wait for them.
        """
        found, self._may_join = [], False
        for owner, state in self._states.resumed():
            if owner in self._joined:
                continue
            if is_awaited(state, now):
                self._joined.add(owner)
                self._objects += cost_of_first_look(state)
                found.append(owner)
            else:
                self._may_join = True
        return found

    def _to_look_at(self, owner: Owner, state: ResourceState) -> list[LookedAt]:
        found = looked_at(state)
        return [held for held in found if not self._is_watched(owner.namespace, held)]

    def _due(self) -> list[tuple[Owner, ResourceState, LookedAt]]:
        """Take from those that wait as many as the budget allows by now."""
        found = []
        while self._waiting and self._credit >= 1:
            owner = self._waiting.popleft()
            state = self._states.known(owner)
            if state is not None and state.resumed is not None:
                self._pay(cost_of_first_look(state))
                self._look_whole(_key(owner))
                continue
            objects = self._to_look_at(owner, state) if state is not None else []
            self._pay(len(objects))
            found += [(owner, state, held) for held in objects if state is not None]
        return found

    def _pay(self, looks: int) -> None:
        self._credit -= looks
        self._looked_at += looks

    async def _look_at(self, due: list[tuple[Owner, ResourceState, LookedAt]]) -> None:
        outcomes = await asyncio.gather(*(self._look(*one) for one in due))
        for outcome in outcomes:
            self._metrics.looks.outcomes.labels(outcome).inc()
        if all(outcome is Outcome.FAILED for outcome in outcomes) and outcomes:
            self._pause_ends = self._process.clock.monotonic() + _PAUSE_SECONDS
        elif outcomes:
            self._outage.note_answer()

    async def _look(self, owner: Owner, state: ResourceState, held: LookedAt) -> Outcome:
        """Look at one object; have its resource reconciled if it is not as the last pass read it.

        A right that was lost is for the pass to tell, too: it asks once more.
        """
        try:
            async with self._at_a_time, asyncio.timeout(_LOOK_SECONDS):
                found = await self._versions.version(held.kind, owner.namespace, held.name)
            outcome = Outcome.CHANGED if held.is_forbidden else _compare(found, held.version)
            is_news = outcome is Outcome.CHANGED
        except PermissionDeniedError:
            outcome, is_news = Outcome.FORBIDDEN, not held.is_forbidden
        except (AppCredentialError, TimeoutError) as exc:
            self._outage.note_failure(exc)
            return Outcome.FAILED
        if not is_news or held not in looked_at(state):
            return outcome if outcome is Outcome.FORBIDDEN else Outcome.UNCHANGED
        held.part.drop()
        self._wake(_key(owner))
        return outcome


def _compare(found: str | None, held: str | None) -> Outcome:
    return Outcome.UNCHANGED if found == held else Outcome.CHANGED


def _key(owner: Owner) -> Key:
    return Key(APP_CREDENTIALS, owner.namespace, owner.name)
