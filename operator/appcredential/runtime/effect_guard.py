"""Whether this process may have an effect now: lists complete, Lease held, schema known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from appcredential.domain.conditions import Problem, Reason


@dataclass(slots=True, kw_only=True)
class EffectGuard:
    """Asked before every effect; all of it is a local check.

    Attributes:
        remaining: seconds that the Lease is still ours.
        is_synced: the first lists of the three kinds are complete.
        stopping: the process was asked to end; nothing new starts.
    """

    remaining: Callable[[], float]
    is_synced: Callable[[], bool]
    effect_margin: timedelta
    mint_margin: timedelta
    stopping: bool = False

    def problem(self) -> Problem | None:
        """Return why nothing may be done, or None."""
        if self.stopping or not self.is_synced():
            return Problem(reason=Reason.NOT_LEADER, message="Not ready to act.", stalled=False)
        if self.remaining() < self.effect_margin.total_seconds():
            return Problem(reason=Reason.NOT_LEADER, message="Not the leader.", stalled=False)
        return None

    def allows_mint(self) -> bool:
        """Tell whether enough of the Lease is left for the longest effect."""
        return not self.stopping and self.remaining() >= self.mint_margin.total_seconds()
