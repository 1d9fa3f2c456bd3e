"""Sign-ins keep their budget, whoever comes, goes, restarts or asks."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from appcredential.controllers.sign_in_timetable import Timetable
from appcredential.domain.marker import Owner
from appcredential.domain.proof import UNREACHABLE, classify
from appcredential.domain.published_sign_ins import SignInBudget
from tests.support.builders import HOUR, MINUTE, SECOND
from tests.support.clock import HandClock

BUDGET = SignInBudget(per_second=2, interval=30 * MINUTE)


class Line:
    """A timetable whose sign-ins all end at once."""

    def __init__(self, count: int, table: Timetable | None = None) -> None:
        self.clock = HandClock()
        self.table = table or Timetable(BUDGET)
        self.members = {Owner("shop", f"app-{n}"): False for n in range(count)}
        self.taken: list[tuple[float, Owner]] = []
        self.is_first = True

    def count(self) -> None:
        now = self.clock.now()
        self.table.set_members(self.members, now, is_first=self.is_first)
        self.is_first = False

    def pass_(self, length: timedelta, answer: str = "proven") -> None:
        """Let time pass in ticks of half a second."""
        end = self.clock.now() + length
        while self.clock.now() < end:
            now, seconds = self.clock.now(), self.clock.monotonic()
            for owner in self.table.take(now, seconds):
                self.taken.append((seconds, owner))
                if answer == "proven":
                    self.table.answered(owner, now, seconds)
                elif answer == "refused":
                    self.table.answered(owner, now, seconds)
                    self.table.look_into(owner, now + 5 * MINUTE)
                else:
                    self.table.failed(UNREACHABLE, seconds)
            self.clock.advance(timedelta(seconds=0.5))

    def most_within(self, length: timedelta) -> int:
        """Return the most sign-ins within any such time."""
        times, most, begin = [t for t, _ in self.taken], 0, 0
        for at, time in enumerate(times):
            while time - times[begin] > length.total_seconds():
                begin += 1
            most = max(most, at - begin + 1)
        return most

    @property
    def gaps(self) -> list[float]:
        """The times between two sign-ins of one."""
        by_owner: dict[Owner, list[float]] = {}
        for time, owner in self.taken:
            by_owner.setdefault(owner, []).append(time)
        return [b - a for times in by_owner.values() for a, b in pairwise(times)]


@pytest.mark.parametrize(("count", "period"), [(1, 31.5), (3600, 31.5), (10_000, 87.5)], ids=str)
def test_the_budget_and_the_least_time_make_a_round(count: int, period: float) -> None:
    line = Line(count)
    line.count()
    assert line.table.period == timedelta(minutes=period)
    line.pass_(timedelta(minutes=2 * period))
    each = Counter(owner for _, owner in line.taken)
    assert len(each) == count
    assert set(each.values()) <= {1, 2, 3}
    assert line.most_within(SECOND) <= 2 * 2 + 1
    assert line.most_within(10 * SECOND) <= 2 * 11 + 1
    assert min(line.gaps, default=1800) >= 1800
    assert max(line.gaps, default=0) <= 2 * period * 60


def test_a_restart_changes_nobodys_place() -> None:
    line = Line(1000)
    for _ in range(10):
        line.count()
        line.pass_(13 * MINUTE)
        line.table, line.is_first = Timetable(BUDGET), True
    assert min(line.gaps) >= 1800
    assert line.most_within(MINUTE) <= 1000 / 31.5 * 1.7
    begun = [n * 13 * 60 + 1000 for n in range(10)]
    assert not any(0 <= time - begin < 120 for time, _ in line.taken for begin in begun)


def test_many_that_are_refused_for_good_delay_no_others() -> None:
    line = Line(20)
    refused = {Owner("crowd", f"app-{n}"): True for n in range(3000)}
    line.members |= refused
    line.count()
    end, seen = line.clock.now() + 3 * HOUR, dict[Owner, float]()
    gaps = list[float]()
    while line.clock.now() < end:
        now, seconds = line.clock.now(), line.clock.monotonic()
        for owner in line.table.take(now, seconds):
            line.table.answered(owner, now, seconds)
            if owner in refused:
                line.table.look_into(owner, now + 5 * MINUTE)
            else:
                gaps.append(seconds - seen.get(owner, seconds))
                seen[owner] = seconds
        line.clock.advance(SECOND)
    assert len(seen) == 20
    assert max(gaps) <= 32 * 60


def test_refusals_of_all_stay_within_the_budget() -> None:
    line = Line(3000)
    line.count()
    line.pass_(HOUR, "refused")
    assert line.most_within(10 * SECOND) <= 2 * 11 + 1


def test_what_was_refused_before_a_restart_comes_first_within_the_budget() -> None:
    line = Line(100)
    line.members = dict.fromkeys(line.members, True)
    line.count()
    line.pass_(MINUTE)
    assert len({owner for _, owner in line.taken}) == 100
    assert line.most_within(SECOND) <= 2 * 2 + 1


def test_a_token_endpoint_that_is_down_is_left_alone() -> None:
    line = Line(3600)
    line.count()
    line.pass_(HOUR, "failed")
    assert len(line.taken) <= 2 * (60 / 5 + 5)
    line.taken.clear()
    line.pass_(HOUR)
    assert len({owner for _, owner in line.taken}) == 3600


def test_a_pause_that_entra_asks_for_is_kept() -> None:
    line = Line(100)
    line.members = dict.fromkeys(line.members, True)
    line.count()
    line.table.failed(classify(429, (), 20 * MINUTE), line.clock.monotonic())
    line.pass_(20 * MINUTE - SECOND)
    assert not line.taken
    line.pass_(MINUTE)
    assert line.taken


def test_who_is_new_has_just_signed_in_and_who_is_gone_does_not() -> None:
    line = Line(2)
    line.count()
    gone = next(iter(line.members))
    del line.members[gone]
    new = {Owner("shop", f"new-{n}"): False for n in range(50)}
    line.members |= new
    line.count()
    line.pass_(30 * MINUTE - SECOND)
    assert {owner for _, owner in line.taken} <= line.members.keys() - new.keys()
    line.pass_(33 * MINUTE)
    assert {owner for _, owner in line.taken} == line.members.keys()


def test_slow_answers_hold_no_more_than_ten_at_a_time() -> None:
    line = Line(100)
    line.members = dict.fromkeys(line.members, True)
    line.count()
    for _ in range(100):
        line.table.running += len(line.table.take(line.clock.now(), line.clock.monotonic()))
        line.clock.advance(SECOND)
    assert line.table.running == 10


def test_a_clock_that_is_set_back_or_ahead_breaks_nothing() -> None:
    line = Line(100)
    line.count()
    line.pass_(HOUR)
    line.clock.set_wall(-365 * 24 * HOUR)
    line.count()
    line.taken.clear()
    line.pass_(65 * MINUTE)
    assert len({owner for _, owner in line.taken}) == 100
    line.clock.set_wall(365 * 24 * HOUR)
    line.count()
    line.pass_(HOUR)
    assert line.most_within(10 * SECOND) <= 2 * 11 + 1
    assert min(line.gaps) >= 1800


def test_the_line_does_not_grow_by_what_has_another_time_now() -> None:
    line = Line(100)
    for _ in range(100):
        for owner in line.members:
            line.table.put(owner, line.clock.now() + HOUR)
        line.count()
    assert len(line.table._line) <= 3 * 100 + 100
