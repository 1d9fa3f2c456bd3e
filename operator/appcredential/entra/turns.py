"""Who may write to an application next: one at a time, apart from each other, in order.

Nothing in here waits. Who comes too early learns when to come again, and holds no worker until
then.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

_LATE: Final = 60.0
_LEAST: Final = 0.05


@dataclass(slots=True)
class Line:
    """The turns of one application. All times are seconds by the clock's `monotonic`.

    A time that somebody is told is a place in the line and reserves nothing: a turn that
    nobody comes for passes to whoever comes.

    Attributes:
        pace: from one turn to the next, by the last two that followed each other.
        next_time: no turn begins before.
        holder: the task whose turn it is.
    """

    pace: float
    next_time: float = float("-inf")
    holder: asyncio.Task[object] | None = None
    _began: float = 0.0
    _told: dict[str, float] = field(default_factory=dict)
    """When each was told to come, in the order in which they came first."""

    def wait(self, who: str, now: float, *, is_urgent: bool = False) -> float:
        """Return in how many seconds to come again; 0 when it is this one's turn.

        Args:
            who: names the caller.
            now: the time.
            is_urgent: the caller goes before all others.
        """
        self._told = {name: at for name, at in self._told.items() if at > now - _LATE}
        ahead = [] if is_urgent else self._ahead_of(who)
        # Who was told to come by now is on the way, and has precedence for as long as a turn takes.
        is_expected = any(now - self.pace < at <= now for at in ahead)
        if self.holder is None and now >= self.next_time and not is_expected:
            return 0.0
        free = max(self.next_time, now + (self.pace if self.holder else _LEAST))
        told = {who: free + self.pace * len(ahead)}
        self._told = told | self._told | told if is_urgent else self._told | told
        return told[who] - now

    def _ahead_of(self, who: str) -> list[float]:
        """Return the times that those before this one were told: all, if it is not in the line."""
        names = list(self._told)
        before = names[: names.index(who)] if who in self._told else names
        return [self._told[name] for name in before]

    def begin(self, who: str, now: float) -> None:
        """Give the turn to the running task."""
        self._told.pop(who, None)
        self.holder, self._began = asyncio.current_task(), now

    def wrote(self, now: float, gap: float) -> None:
        """Note a write that may have been sent: the next one is a gap away."""
        since_last, in_turn = now + gap - self.next_time, now + gap - self._began
        # Also the time until the next one comes, if somebody waited.
        self.pace = since_last if self._told and since_last < 2 * in_turn else in_turn
        self.next_time = now + gap

    def end(self) -> None:
        """End the turn. One without a write leaves no trace."""
        self.holder = None

    def is_idle(self, now: float) -> bool:
        """Return whether nothing would be lost with this line."""
        is_waited_for = any(at > now - _LATE for at in self._told.values())
        return self.holder is None and self.next_time <= now and not is_waited_for
