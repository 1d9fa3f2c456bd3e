"""How long a process acts by what it saw of the claim, and how long it waits for others to stop.

Whoever replaces a claim waits until all who acted by it have seen that. How long they may take is
a matter of their settings, which may be others: it stands in the claim, and whoever writes that
writes the longest which he knows of.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil

from appcredential.domain.claim import Record, Recorded, has_to_wait
from appcredential.ports.local import Clock


class ClaimWait:
    """Told each time that the claim was seen.

    Args:
        clock: counts the wait.
        own: what this process would record.
        patience: how long it acts by what a look has shown, as its own settings say.
    """

    def __init__(self, clock: Clock, own: Recorded, patience: timedelta) -> None:
        self._clock = clock
        self._own = own
        self._patience = patience
        self._recorded = timedelta(0)
        self._before: Record | None = None
        self._has_met_another = False
        self._begin = float("-inf")

    @property
    def trust(self) -> timedelta:
        """How long this process acts by a look: no longer than others wait for it."""
        return min(self._patience, self._recorded or self._patience)

    @property
    def seconds(self) -> int:
        """The patience to record: also that of processes with other settings, which may be left."""
        return ceil(max(self._patience, self._recorded).total_seconds())

    @property
    def is_over(self) -> bool:
        """Whether nobody acts by another claim or number any more."""
        return self._clock.monotonic() >= self._begin

    @property
    def is_after_another(self) -> bool:
        """Whether others may act, though there is no claim now."""
        return self._has_met_another or self._own.shards > 1

    def needs_write(self, record: Record) -> bool:
        """Return whether something else is to be recorded: our claim, or a longer patience.

        Without shards none is added to what an earlier release wrote: that costs a write.
        """
        if record.what != self._own:
            return True
        is_to_be_there = record.patience or self._own.shards > 1
        return bool(is_to_be_there) and record.patience < self._patience

    def note(self, record: Record, now: datetime) -> None:
        """Record what a look showed; wait from now on after a change.

        Args:
            record: what the Lease says.
            now: by the API server's clock.
        """
        former, self._recorded = self._recorded, record.patience or self._recorded
        longest = max(self._patience, former, self._recorded)
        if record.what == self._own:
            if has_to_wait(self._before, record, now=now, patience=longest):
                self._wait(longest)
        elif record.what.claim:
            self._has_met_another = True
        if record.what.claim or self._before is None:
            self._before = record

    def begin(self) -> None:
        """Wait from now on: this process is about to replace a claim."""
        self._wait(max(self._patience, self._recorded))

    def _wait(self, length: timedelta) -> None:
        self._begin = self._clock.monotonic() + length.total_seconds()
