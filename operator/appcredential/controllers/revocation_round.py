"""One round over the open revocations: which are left, and which come again for their turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from appcredential.domain.observed.revocation import Revocation


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
        self._hopeless: set[tuple[str, str]] = set()

    def give_up(self, revocation: Revocation) -> None:
        """Note that a server does not answer for this namespace and tenant in this round."""
        self._hopeless.add(_place(revocation))

    def is_hopeless(self, revocation: Revocation) -> bool:
        """Return whether another revocation found that no answer comes."""
        return _place(revocation) in self._hopeless

    def next_turn(self) -> float | None:
        """Return when the first turn comes; None if nobody waits for one."""
        return min(self.told.values(), default=None)

    def come_again(self, now: float) -> None:
        """Let those look again whose turn has come."""
        due = [revocation for revocation, at in self.told.items() if at <= now]
        for revocation in due:
            del self.told[revocation]
        self.left.extend(due)


def _place(revocation: Revocation) -> tuple[str, str]:
    return revocation.owner.namespace, revocation.tenant
