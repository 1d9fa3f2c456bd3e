"""Renewals that wait for a window, and all that does not: whole stories, and broken variants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from appcredential.domain import actions as act
from appcredential.domain.facts import windows as window_facts
from appcredential.domain.proof import SignInResult, classify
from appcredential.domain.spec.model import AppCredentialSpec, KeyId, VerificationMode
from appcredential.domain.spec.windows import RotationWindow, Weekday
from tests.domain.worlds.driver import World
from tests.domain.worlds.loop import BrokenPromiseError
from tests.support.breaking import in_rules, within
from tests.support.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOT_YET,
    NOW,
    SECOND,
    rotation,
    spec,
    target,
    window,
)

FIRST, NEXT = KeyId("key-1"), KeyId("key-2")
SUNDAYS = window("22:00", "24:00", days=[Weekday.SUN])
"""NOW is a Sunday, 10:00."""
LIFE = 10 * DAY
FIRST_NIGHT = datetime.fromisoformat("2026-11-22T22:00:00+00:00")
SECOND_NIGHT = FIRST_NIGHT + 7 * DAY


def wanted(
    *windows: RotationWindow,
    asked: datetime | None = None,
    leaked: datetime | None = None,
    verification: VerificationMode = VerificationMode.REQUIRED,
    lifetime: timedelta = LIFE,
) -> AppCredentialSpec:
    """Return a spec whose renewal is due on the Saturday before the second night."""
    return spec(
        lifetime=lifetime,
        rotation=rotation(windows=windows, rotate_issued_before=asked, revoke_issued_before=leaked),
        verification=verification,
    )


def issued(wanted: AppCredentialSpec) -> World:
    world = World(spec=wanted)
    world.run(2 * MINUTE)
    assert world.published == FIRST
    return world


def run_until(world: World, moment: datetime) -> None:
    world.run(moment - world.now)


def renew() -> World:
    """Let a renewal become due, and wait for its window."""
    world = issued(wanted(SUNDAYS))
    run_until(world, SECOND_NIGHT - SECOND)
    assert world.count(act.Mint) == 2
    assert world.published == FIRST, "published before the window opened"
    run_until(world, SECOND_NIGHT + MINUTE)
    assert world.published == NEXT, "not published in its window"
    return world


def ask_for_it() -> World:
    """Ask for a renewal, which is in no hurry."""
    world = issued(wanted(SUNDAYS))
    world.change(wanted(SUNDAYS, asked=NOW + MINUTE))
    run_until(world, FIRST_NIGHT - SECOND)
    assert world.count(act.Mint) == 2
    assert world.published == FIRST
    run_until(world, FIRST_NIGHT + MINUTE)
    assert world.published == NEXT
    return world


def leak() -> World:
    """Ask for a revocation, which waits for nothing."""
    world = issued(wanted(SUNDAYS))
    world.change(wanted(SUNDAYS, leaked=NOW + MINUTE))
    world.run(30 * MINUTE)
    assert world.published == NEXT, "the leaked one is still published"
    assert FIRST not in world.entra, "the leaked one still signs in"
    return world


def leak_while_it_waits() -> World:
    """Ask for it when a successor waits already: that one is new enough."""
    world = issued(wanted(SUNDAYS))
    world.change(wanted(SUNDAYS, asked=NOW + MINUTE))
    world.run(HOUR)
    world.change(wanted(SUNDAYS, leaked=NOW + MINUTE))
    world.run(30 * MINUTE)
    assert world.published == NEXT
    assert FIRST not in world.entra
    assert world.count(act.Mint) == 2
    return world


def lose_the_published_key() -> World:
    """Remove what is published in Entra while its successor waits."""
    world = issued(wanted(SUNDAYS))
    world.change(wanted(SUNDAYS, asked=NOW + MINUTE))
    world.run(HOUR)
    del world.entra[FIRST]
    world.run(2 * HOUR)
    assert world.published == NEXT, "workloads wait for a window without a sign-in"
    return world


def come_too_late() -> World:
    """Let a window pass while Entra cannot be written: the next one is after the end."""
    world = issued(wanted(SUNDAYS))
    run_until(world, SECOND_NIGHT - HOUR)
    world.answer = lambda key: NOT_YET if key != FIRST else None
    world.restart()
    run_until(world, SECOND_NIGHT + 3 * HOUR)
    world.answer = lambda _: None
    world.run(20 * HOUR)
    assert world.published != FIRST, "it waits for a window after its end"
    return world


def never_open_in_time() -> World:
    """Renew what lives shorter than the time between two windows."""
    world = issued(wanted(SUNDAYS, lifetime=6 * HOUR))
    for _ in range(2 * 24 * 6):
        world.run(10 * MINUTE)
        assert world.target is not None
        assert world.target.published is not None
        assert world.target.published.expires >= world.now + HOUR, "there is no overlap left"
    return world


def shorten_the_lifetime() -> World:
    """Ask for a shorter lifetime than is over already: what is published is valid all the same."""
    world = issued(wanted(SUNDAYS, lifetime=90 * DAY))
    run_until(world, SECOND_NIGHT + DAY)
    world.change(wanted(SUNDAYS, lifetime=2 * DAY))
    run_until(world, SECOND_NIGHT + 7 * DAY - SECOND)
    assert world.published == FIRST
    run_until(world, SECOND_NIGHT + 7 * DAY + MINUTE)
    assert world.published != FIRST
    return world


def unproven() -> World:
    """Return a world in which a successor that needs no proof waits."""
    asked, mode = NOW + 3 * MINUTE, VerificationMode.DISABLED
    world = issued(wanted(SUNDAYS, asked=asked, verification=mode))
    world.run(20 * MINUTE)
    assert world.count(act.Mint) == 2
    return world


def remove_an_unproven_one_just_before() -> World:
    """Remove it in the portal when no read will come before the window opens."""
    world = unproven()
    run_until(world, FIRST_NIGHT - MINUTE)
    del world.entra[NEXT]
    run_until(world, FIRST_NIGHT + 30 * MINUTE)
    assert NEXT not in world.given, "published although it was removed"
    assert world.published == KeyId("key-3"), "it was not made anew"
    return world


def remove_an_unproven_one_early() -> World:
    """Remove it in the portal long before: the window is not missed."""
    world = unproven()
    del world.entra[NEXT]
    run_until(world, FIRST_NIGHT - 2 * HOUR)
    assert world.count(act.Mint) == 3, "it was not made anew in time"
    run_until(world, FIRST_NIGHT + MINUTE)
    assert world.published == KeyId("key-3")
    return world


def remove_a_proven_one_early() -> World:
    """Remove it in the portal long before: a read shows that, and a sign-in bears it out."""
    world = issued(wanted(SUNDAYS, asked=NOW + 3 * MINUTE))
    world.run(20 * MINUTE)
    del world.entra[NEXT]
    run_until(world, FIRST_NIGHT - 2 * HOUR)
    assert world.count(act.Mint) == 3, "it was not made anew in time"
    run_until(world, FIRST_NIGHT + MINUTE)
    assert world.published == KeyId("key-3")
    return world


STORIES = (
    renew,
    shorten_the_lifetime,
    remove_an_unproven_one_just_before,
    remove_an_unproven_one_early,
    remove_a_proven_one_early,
    ask_for_it,
    leak,
    leak_while_it_waits,
    lose_the_published_key,
    come_too_late,
    never_open_in_time,
)
EMERGENCIES = (leak, leak_while_it_waits, lose_the_published_key, come_too_late, never_open_in_time)


@pytest.mark.parametrize("story", STORIES)
def test_the_rules_as_they_are(story: Callable[[], World]) -> None:
    story()


@pytest.mark.parametrize("story", [renew, ask_for_it, shorten_the_lifetime])
def test_publishing_at_any_time_is_caught(
    story: Callable[[], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_rules(monkeypatch, "awaited_opening", lambda _: None)
    in_rules(monkeypatch, "is_only_waiting", lambda _: False)
    with pytest.raises(BrokenPromiseError, match="within a window only"):
        story()


@pytest.mark.parametrize("story", EMERGENCIES)
def test_an_emergency_that_waits_is_caught(
    story: Callable[[], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_facts, "_emergency", lambda _f, _o: None)
    with pytest.raises(AssertionError):
        story()


@pytest.mark.parametrize(
    "story", [remove_an_unproven_one_just_before, remove_an_unproven_one_early]
)
def test_publishing_unproven_ones_without_a_read_is_caught(
    story: Callable[[], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_rules(monkeypatch, "needs_reads", lambda _f, _p: False)
    in_rules(monkeypatch, "is_vanished", lambda _f, _p: False)
    with pytest.raises(AssertionError):
        story()


def test_not_noticing_that_what_waits_is_gone_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    within(monkeypatch, "facts", "seems_vanished", lambda _f, _p: False)
    for story in (remove_a_proven_one_early, remove_an_unproven_one_early):
        with pytest.raises(AssertionError):
            story()


def test_a_list_that_lags_costs_one_sign_in() -> None:
    world = issued(wanted(SUNDAYS, asked=NOW + 3 * MINUTE))
    world.run(20 * MINUTE)
    tries = world.count(act.SignInPending)
    world.hidden = {NEXT}
    run_until(world, FIRST_NIGHT - SECOND)
    assert world.count(act.SignInPending) == tries + 1
    run_until(world, FIRST_NIGHT + MINUTE)
    assert world.published == NEXT


@pytest.mark.parametrize("refusal", [NOT_YET, classify(400, (53003,))])
def test_an_overdue_renewal_is_told_by_day_as_by_night(refusal: SignInResult) -> None:
    """Whether a window is open says nothing of a successor that cannot be published anyway."""
    world = issued(wanted(window("22:00", "04:00"), lifetime=60 * DAY))
    world.answer = lambda key: None if key == FIRST else refusal
    world.run(46 * DAY)
    told = []
    for _ in range(3 * 24 * 6):
        world.run(10 * MINUTE)
        told.append(world.condition("Expiring"))
    assert set(told) == {("True", "RenewalDue")}


def test_what_waits_is_left_alone() -> None:
    """It signs in until it is proven, and once more when the window opens."""
    world = issued(wanted(SUNDAYS, asked=NOW + 3 * MINUTE))
    world.run(20 * MINUTE)
    tries = world.count(act.SignInPending)
    run_until(world, FIRST_NIGHT - SECOND)
    assert world.count(act.SignInPending) == tries
    run_until(world, FIRST_NIGHT + MINUTE)
    assert world.count(act.SignInPending) == tries + 1
    assert world.published == NEXT


def test_what_waits_is_looked_at_when_its_window_opens() -> None:
    world = issued(wanted(SUNDAYS, asked=NOW + 3 * MINUTE))
    run_until(world, FIRST_NIGHT - 30 * MINUTE)
    assert world.decide().look_again == FIRST_NIGHT


def test_a_new_process_proves_it_again_and_waits_as_well() -> None:
    world = issued(wanted(SUNDAYS, asked=NOW + 3 * MINUTE))
    world.run(20 * MINUTE)
    tries = world.count(act.SignInPending)
    world.restart()
    world.run(20 * MINUTE)
    assert world.count(act.SignInPending) == tries + 5
    assert world.published == FIRST
    run_until(world, FIRST_NIGHT + MINUTE)
    assert world.published == NEXT


def test_one_that_stops_signing_in_while_it_waits_is_made_anew() -> None:
    world = issued(wanted(SUNDAYS, asked=NOW + 3 * MINUTE))
    world.run(20 * MINUTE)
    del world.entra[NEXT]
    run_until(world, FIRST_NIGHT + 90 * MINUTE)
    assert world.published == KeyId("key-3")


def test_what_needs_no_proof_waits_as_well() -> None:
    quick = wanted(SUNDAYS, asked=NOW + 3 * MINUTE, verification=VerificationMode.DISABLED)
    world = issued(quick)
    reads = world.count(act.ReadApplication)
    run_until(world, FIRST_NIGHT - SECOND)
    assert world.published == FIRST
    assert world.count(act.Mint) == 2
    assert world.count(act.ReadApplication) <= reads + 12, "more than one read an hour"
    run_until(world, FIRST_NIGHT + MINUTE)
    assert world.published == NEXT


def test_windows_that_are_taken_away_or_added_count_at_once() -> None:
    world = issued(wanted(SUNDAYS, asked=NOW + 3 * MINUTE))
    world.run(HOUR)
    assert world.published == FIRST
    noon = window("10:00", "12:00")
    world.change(wanted(SUNDAYS, noon, asked=NOW + 3 * MINUTE))
    world.run(MINUTE)
    assert world.published == NEXT


def test_the_first_issue_waits_for_nothing() -> None:
    world = World(spec=wanted(SUNDAYS))
    world.run(2 * MINUTE)
    assert world.published == FIRST


def test_a_secret_that_is_gone_or_damaged_waits_for_nothing() -> None:
    world = issued(wanted(SUNDAYS))
    world.target = None
    world.run(10 * MINUTE)
    assert world.published == NEXT
    assert world.target is not None
    world.target = replace(world.target, value=None)
    world.run(10 * MINUTE)
    assert world.published == KeyId("key-3")


def test_a_rendering_that_a_person_changes_waits_for_nothing() -> None:
    world = issued(wanted(SUNDAYS))
    world.change(replace(wanted(SUNDAYS), secret=replace(spec().secret, labels={"team": "a"})))
    world.run(MINUTE)
    assert world.target is not None
    assert world.target.labels["team"] == "a"


def test_the_overlap_begins_with_the_publish() -> None:
    world = renew()
    assert world.target is not None
    (entry,) = world.target.retiring
    assert entry.since >= SECOND_NIGHT
    run_until(world, SECOND_NIGHT + LIFE / 6)
    assert FIRST in world.entra
    world.run(MINUTE)
    assert FIRST not in world.entra


def test_an_adopted_secret_waits_for_nothing() -> None:
    """A person asks for it, and what the former owner does next nobody knows."""
    world = World(spec=wanted(SUNDAYS))
    theirs = target(published_time=NOW - DAY)
    adopt = {**theirs.annotations, "appcredential.io/adopt": str(world.owner)}
    world.target = replace(theirs, owner="", annotations=adopt)
    world.run(5 * MINUTE)
    assert world.published == FIRST
