"""What one term as the leader has taught of a resource, for the metrics alone."""

from __future__ import annotations

from dataclasses import dataclass

from appcredential.runtime.samples import Counts


@dataclass(slots=True)
class TermNotes:
    """Notes of one term: another leader may have done anything since.

    Attributes:
        term: its number.
        failures: attempts in a row that ended without a published credential.
        counts: of the application's credentials, by the last pass that knew them.
    """

    term: int = 0
    failures: int = 0
    counts: Counts | None = None

    def of(self, term: int) -> TermNotes:
        """Return it for this term; what another one has taught is dropped."""
        if self.term != term:
            self.failures, self.counts, self.term = 0, None, term
        return self
