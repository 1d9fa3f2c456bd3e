"""One round over the open revocations: which are left, and which come again for their turn.

An error may be of one revocation, of its application, or of the server. So a round gives up the
application at once, the namespace with its tenant only after several of them, and the next
rounds come to all of these last.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from appcredential.domain.facts.deletion import name_of
from appcredential.domain.observed.revocation import Revocation

_MOST_IN_VAIN: Final = 3
"""Applications without an answer after which a round asks for no more of the same place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How revocations are worked on.

    Attributes:
        period: from one round to the next.
        workers: how many are worked on at a time.
        sleep: waits for seconds.
    """

    period: timedelta
    workers: int = 4
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep


class Round:
    """What is left of one round.

    Attributes:
        left: the revocations that were not looked at yet, in order.
        told: when those come again whose turn to write to the application has not come, in
            seconds of the monotonic clock.
    """

    def __init__(self, revocations: Iterable[Revocation]) -> None:
        self.left = deque(revocations)
        self.told: dict[Revocation, float] = {}
        self._in_vain: set[tuple[str, ...]] = set()
        self._places: Counter[tuple[str, ...]] = Counter()
        self._answered: set[Revocation] = set()

    def give_up(self, revocation: Revocation) -> None:
        """Note that no answer came for a revocation's application in this round."""
        application = _application(revocation)
        if application not in self._in_vain:
            self._in_vain.add(application)
            self._places[_place(revocation)] += 1

    def is_hopeless(self, revocation: Revocation) -> bool:
        """Return whether others found that no answer comes."""
        if _application(revocation) in self._in_vain:
            return True
        return (
            revocation not in self._answered and self._places[_place(revocation)] >= _MOST_IN_VAIN
        )

    def next_turn(self) -> float | None:
        """Return when the first turn comes; None if nobody waits for one."""
        return min(self.told.values(), default=None)

    def come_again(self, now: float) -> None:
        """Let those look again whose turn has come."""
        due = [revocation for revocation, at in self.told.items() if at <= now]
        for revocation in due:
            del self.told[revocation]
        self._answered.update(due)
        self.left.extend(due)


class Setbacks:
    """Since when revocations, and their applications, wait for an answer; it outlives the rounds.

    Without it, the oldest ones of a namespace could fail in every round before any other is
    looked at.
    """

    def __init__(self) -> None:
        self._times: dict[str | tuple[str, ...], float] = {}

    def note(self, revocation: Revocation, now: float) -> None:
        """Note that no answer came, at a time of the monotonic clock."""
        self._times[_application(revocation)] = self._times[name_of(revocation)] = now

    def clear(self, revocation: Revocation) -> None:
        """Note that an answer came."""
        self._times.pop(_application(revocation), None)
        self._times.pop(name_of(revocation), None)

    def keep(self, revocations: Iterable[Revocation]) -> None:
        """Forget all but these."""
        kept = {key for r in revocations for key in (_application(r), name_of(r))}
        self._times = {key: time for key, time in self._times.items() if key in kept}

    def rank(self, revocation: Revocation) -> tuple[float, float]:
        """Return the place among others: first without a setback, then by the oldest one."""
        return (
            self._times.get(_application(revocation), -math.inf),
            self._times.get(name_of(revocation), -math.inf),
        )


def _place(revocation: Revocation) -> tuple[str, ...]:
    return revocation.owner.namespace, revocation.tenant


def _application(revocation: Revocation) -> tuple[str, ...]:
    return *_place(revocation), revocation.client_id
