"""Who signs in next through one EntraTenant, and when. No I/O; `published_sign_ins.py` does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import TypeAlias

from appcredential.domain.marker import Owner
from appcredential.domain.proof import SLOW_RETRY, SignInResult
from appcredential.domain.published_sign_ins import SignInBudget, next_slot, pause_after

_SETTLING = timedelta(minutes=2)
"""A process that has just begun has other things to do."""
_ASKED_SPACING = 30.0
_AT_A_TIME = 10
_LEAST_AGAIN = timedelta(minutes=1)


_Due: TypeAlias = tuple[float, str, Owner]


@dataclass(slots=True)
class Timetable:
    """The sign-ins through one EntraTenant: who waits longest past its time comes first.

    Attributes:
        budget: of each EntraTenant.
        period: between two sign-ins with one credential.
        due: when each is due, in seconds since the epoch.
        signed: when each was last answered, by the monotonic clock.
        soon: who need not wait for the least time between two, and after how long each is tried
            again if the next one gives no answer about it: a refusal is looked into. None:
            somebody asked.
        running: how many are under way.
    """

    budget: SignInBudget
    period: timedelta = timedelta(0)
    due: dict[Owner, float] = field(default_factory=dict)
    signed: dict[Owner, float] = field(default_factory=dict)
    soon: dict[Owner, timedelta | None] = field(default_factory=dict)
    running: int = 0
    _line: list[_Due] = field(default_factory=list)
    _refused: list[_Due] = field(default_factory=list)
    """The same of those whose refusal is confirmed: they come after all others."""
    _credit: float = 0.0
    _last: float | None = None
    _pause_ends: float = 0.0
    _failures: int = 0

    def set_members(self, members: Mapping[Owner, bool], now: datetime, *, is_first: bool) -> None:
        """Note who signs in now and then.

        Args:
            members: of each, whether its last sign-in is known to be refused.
            now: the time.
            is_first: of this term. One that comes later was published just now, and has signed
                in for that.
        """
        self.period = self.budget.period(len(members))
        for owner in self.due.keys() - members.keys():
            self._drop(owner)
        after = now + (_SETTLING if is_first else self.budget.interval)
        latest = (now + 2 * max(self.period, self.budget.interval)).timestamp()
        for owner, is_refused in members.items():
            due = self.due.get(owner)
            if due is None and is_refused:
                self.look_into(owner, now)
            elif due is None or due > latest:  # else the clock was set back
                self.put(owner, next_slot(str(owner), after, self.period))
        if len(self._line) + len(self._refused) > 2 * len(self.due) + 100:
            self._line, self._refused = [], []
            for owner, at in self.due.items():
                self._line_of(owner).append((at, str(owner), owner))
            heapify(self._line)
            heapify(self._refused)

    def put(self, owner: Owner, when: datetime) -> None:
        """Have one sign in at a time."""
        self.due[owner] = when.timestamp()
        heappush(self._line_of(owner), (when.timestamp(), str(owner), owner))

    def _line_of(self, owner: Owner) -> list[_Due]:
        return self._refused if self.soon.get(owner) == SLOW_RETRY else self._line

    def ask(self, owner: Owner, now: datetime, seconds: float) -> None:
        """Have one sign in as soon as the budget allows it: somebody asked."""
        last = self.signed.get(owner)
        is_known = last is not None and seconds - last < _ASKED_SPACING
        if owner in self.due and not is_known:
            self.soon.setdefault(owner, None)
            self.put(owner, now)

    def take(self, now: datetime, seconds: float) -> list[Owner]:
        """Take those whose time has come, as many as the budget allows.

        Args:
            now: the time.
            seconds: the same by the monotonic clock.
        """
        elapsed = timedelta(0) if self._last is None else timedelta(seconds=seconds - self._last)
        self._last = seconds
        self._credit = self.budget.credit(self._credit, elapsed)
        found: list[Owner] = []
        if seconds < self._pause_ends:
            return found
        for line in (self._line, self._refused):
            self._take_of(line, found, now, seconds)
        return found

    def _take_of(self, line: list[_Due], found: list[Owner], now: datetime, seconds: float) -> None:
        while line and line[0][0] <= now.timestamp():
            at, _, owner = line[0]
            if self.due.get(owner) != at:
                heappop(line)  # it has another time by now, or is gone
                continue
            if self._credit < 1 or self.running + len(found) >= _AT_A_TIME:
                break
            heappop(line)
            if self._is_too_soon(owner, seconds):
                self.wait(owner, now)
                continue
            self._credit -= 1
            found.append(owner)
            self._come_again(owner, now)  # unless its answer says otherwise

    def _is_too_soon(self, owner: Owner, seconds: float) -> bool:
        last = self.signed.get(owner)
        is_soon = last is not None and seconds - last < self.budget.interval.total_seconds()
        return is_soon and owner not in self.soon

    def _come_again(self, owner: Owner, now: datetime) -> None:
        """Have one sign in again if it is not answered: soon, as long as a refusal is in doubt."""
        pause = self.soon.get(owner)
        if pause is None:
            self.wait(owner, now)
            return
        self.soon[owner] = min(2 * pause, SLOW_RETRY)
        self.put(owner, now + pause)

    def wait(self, owner: Owner, now: datetime) -> None:
        """Have one sign in next when its place in the timetable comes again."""
        self.put(owner, next_slot(str(owner), now, self.period))

    def answered(self, owner: Owner, now: datetime, seconds: float) -> None:
        """Note an answer about a credential, whatever it says; its next sign-in has time."""
        self.signed[owner], self._failures = seconds, 0
        self.soon.pop(owner, None)
        self.put(owner, next_slot(str(owner), now + self.budget.interval, self.period))

    def look_into(self, owner: Owner, when: datetime, again: timedelta = SLOW_RETRY) -> None:
        """Have one sign in again soon: it was refused.

        Args:
            owner: whose credential.
            when: the next time.
            again: how long after it, if that one gives no answer about the credential.
        """
        self.soon[owner] = min(max(again, _LEAST_AGAIN), SLOW_RETRY)
        self.put(owner, when)

    def failed(self, result: SignInResult, seconds: float) -> None:
        """Leave the token endpoint alone for a while: it gave no answer of its own."""
        pause = pause_after(result, self._failures)
        self._failures += 1
        self._pause_ends = seconds + pause.total_seconds()

    def _drop(self, owner: Owner) -> None:
        del self.due[owner]
        self.signed.pop(owner, None)
        self.soon.pop(owner, None)
