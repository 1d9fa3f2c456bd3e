"""What the metrics show of resources besides their status, and only while this process leads.

A process that stops leading goes on as a standby. What it learnt as the leader holds no more then,
and nothing would ever change it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appcredential.gather.state import ResourceStates
from appcredential.gather.term_notes import TermNotes
from appcredential.runtime.effect_guard import Terms
from appcredential.runtime.metrics_of_resources import Learnt
from appcredential.runtime.metrics_of_work import Failing


@dataclass(frozen=True, slots=True)
class TermsNotes:
    """Implements `runtime.metrics.LeaderNotes`; for any thread.

    Attributes:
        leads: returns whether this process leads now.
    """

    states: ResourceStates
    terms: Terms
    leads: Callable[[], bool]

    def failing(self) -> list[Failing]:
        """Return which resources have failed how often in a row."""
        return [(space, name, n.failures) for space, name, n in self._noted() if n.failures]

    def counts(self) -> Learnt | None:
        """Return what was read of applications; None unless this process leads."""
        if not self.leads():
            return None
        return {(space, name): n.counts for space, name, n in self._noted() if n.counts}

    def _noted(self) -> list[tuple[str, str, TermNotes]]:
        return self.states.noted(self.terms.begun) if self.leads() else []
