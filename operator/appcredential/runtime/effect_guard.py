"""Whether this process may have an effect now: it holds the Lease, and has read what exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.shards import WHOLE, Shard


@dataclass(slots=True)
class Terms:
    """The terms as leader that this process began, by number.

    Attributes:
        begun: how many began.
        settled: the last one in which all scheduled revocations were read; 0 before.
        since: when the latest one began; None before the first.
    """

    begun: int = 0
    settled: int = 0
    since: datetime | None = None

    def begin(self, now: datetime) -> None:
        """Note that this process leads from now on."""
        self.begun += 1
        self.since = now

    @property
    def is_settled(self) -> bool:
        """Return whether the scheduled revocations were read in the latest term."""
        return self.settled == self.begun


@dataclass(slots=True, kw_only=True)
class EffectGuard:
    """Asked before every effect. It needs no request: all it asks is in this process.

    Attributes:
        remaining: returns for how many seconds the process still holds the Lease.
        is_synced: returns whether the first lists of the three kinds are complete, the CRDs
            fit and the scheduled revocations are known.
        shard: the part of the cluster in which the process may have effects at all.
        effect_margin: an effect starts only with this much of the Lease left.
        mint_margin: the same for the longest effect, the issue of a credential.
        stopping: the process was asked to end, so nothing new starts.
        refusals: how often `problem` returned a problem. Work during which it grew may have
            been put off, and is done again once effects may start.
    """

    remaining: Callable[[], float]
    is_synced: Callable[[], bool]
    effect_margin: timedelta
    mint_margin: timedelta
    shard: Shard = WHOLE
    stopping: bool = False
    refusals: int = 0

    def problem(self, namespace: str | None = None) -> Problem | None:
        """Return why no effect may start now, or None.

        Args:
            namespace: that the effect is about; empty for what is cluster-scoped, and None where
                it is not about one. That another shard works on it is no refusal: it stays so.
        """
        found = self._find_problem()
        self.refusals += found is not None
        if found is None and namespace is not None and not self.shard.serves(namespace):
            return Problem(reason=Reason.NOT_LEADER, message="Another shard's.", stalled=False)
        return found

    def _find_problem(self) -> Problem | None:
        if self.stopping or not self.is_synced():
            return Problem(reason=Reason.NOT_LEADER, message="Not ready to act.", stalled=False)
        if self.remaining() < self.effect_margin.total_seconds():
            return Problem(reason=Reason.NOT_LEADER, message="Not the leader.", stalled=False)
        return None

    def allows_mint(self) -> bool:
        """Return whether the longest effect may start now; asked anew, long after a pass began."""
        return self.problem() is None and self.remaining() >= self.mint_margin.total_seconds()
