"""A leak: revokeIssuedBefore renews, and removes what is older as soon as the successor works."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import pytest

from appcredential.domain import actions as act
from appcredential.domain import lifecycle
from appcredential.domain.actions import Action, ReadApplication, Remove, SignInPublished
from appcredential.domain.facts import successor as needs
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.patience import patience_ends
from appcredential.domain.facts.successor import is_at_limit, is_revoking, needs_successor
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import RetireCause, Target
from appcredential.domain.proof import PROVEN, UNREACHABLE
from appcredential.domain.rules import reading as reading_rules
from appcredential.domain.rules import removal as removal_rules
from appcredential.domain.rules.next_look import next_look
from appcredential.domain.rules.removal import older_credential_is_revoked
from appcredential.domain.spec.model import KeyId, RetireWhen
from tests.domain.worlds.driver import World
from tests.domain.worlds.loop import BrokenPromiseError
from tests.domain.worlds.test_scenarios import FIRST, SECOND_KEY, SHORT, SPEC, issued
from tests.support.builders import (
    ATTEMPT,
    DAY,
    HOUR,
    ISSUED,
    MINUTE,
    NOT_YET,
    NOW,
    OLD,
    OLD_ATTEMPT,
    SECOND,
    application,
    attempt,
    credential,
    facts,
    observation,
    old_credential,
    pending,
    problem,
    proof,
    proven,
    resource,
    retiring,
    rotation,
    spec,
    target,
)

LEAKED = NOW - 30 * DAY
"""A leak of what was issued sixty days ago; what is published is ten days old."""


def revoking(before: datetime, when: RetireWhen = RetireWhen.EXPIRED) -> World:
    """Return a world in which the first credential leaked, and its owner said so."""
    world = issued(World(spec=replace(SPEC, rotation=replace(SHORT, retire_when=when))))
    revoke(world, before)
    return world


def revoke(world: World, before: datetime) -> None:
    asked = replace(world.current_spec.rotation, revoke_issued_before=before)
    world.change(replace(world.current_spec, rotation=asked))


# --- rule 12 -------------------------------------------------------------------------------


def leaked(
    before: datetime = LEAKED,
    *,
    held: Target | None = None,
    listed: tuple[Credential, ...] = (credential(), old_credential()),
    memory: Memory = Memory(published_proof=proven(ATTEMPT)),  # noqa: B008 - frozen
) -> Observation:
    """Return one in which an older credential retires, and what is published just signed in."""
    wanted = spec(rotation=rotation(retire_when=RetireWhen.EXPIRED, revoke_issued_before=before))
    return observation(
        resource=resource(wanted),
        target=held if held is not None else target(retiring=(retiring(),)),
        application=application(*listed),
        memory=memory,
    )


REMOVAL = Remove(OLD, OLD_ATTEMPT, RetireCause.REPLACED, is_revocation=True)
TRIED = Memory(published_proof=proof(ATTEMPT, NOT_YET))
HELD = retiring(since=NOW - MINUTE)


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (leaked(), REMOVAL),
        (leaked(held=target(retiring=(HELD,), published_time=NOW - MINUTE)), REMOVAL),
        (leaked(NOW + SECOND), None),
        (leaked(NOW - 60 * DAY), None),
        (leaked(NOW - 60 * DAY + SECOND), REMOVAL),
        (leaked(ISSUED), REMOVAL),
        (leaked(ISSUED + SECOND), None),
        (leaked(held=target(damaged=True, retiring=(retiring(),))), None),
        (leaked(listed=(credential(end=NOW), old_credential())), None),
        (leaked(memory=Memory()), SignInPublished()),
        (leaked(memory=Memory(published_proof=proof(ATTEMPT, NOT_YET))), None),
        (leaked(memory=Memory(published_proof=proven(attempt("x")))), SignInPublished()),
        (leaked(listed=(old_credential(),)), None),
        (leaked(listed=(credential(),)), None),
        (leaked(listed=(credential(), credential(OLD, display_name="portal"))), None),
        (replace(leaked(), pending=pending(attempt=OLD_ATTEMPT)), None),
        (replace(leaked(), grant=problem()), REMOVAL),
        (leaked(memory=Memory(retry_time=NOW + SECOND)), None),
    ],
    ids=[
        "an older one goes, long before its time",
        "a minute after the publish that replaced it",
        "the time lies ahead",
        "it was issued at that time",
        "issued just before it",
        "what is published was issued at that time",
        "what is published was issued before it",
        "what is published is damaged",
        "what is published has expired",
        "first it signs in",
        "it did not sign in: wait",
        "another one's sign-in does not count",
        "what is published is not listed",
        "nothing older is listed",
        "the older one is not ours",
        "the older one is pending",
        "a withdrawn grant does not keep a leak",
        "Graph asked for a pause",
    ],
)
def test_12_what_leaked_goes_when_its_successor_works(
    o: Observation, expected: Action | None
) -> None:
    assert older_credential_is_revoked(facts(o)) == expected


def test_12_it_rests_on_a_read_just_made() -> None:
    o = leaked()
    assert o.application is not None
    old = replace(o, application=replace(o.application, read_time=NOW - 16 * SECOND))
    assert older_credential_is_revoked(facts(old)) == ReadApplication(15 * SECOND)


# --- from the leak to its end --------------------------------------------------------------


@pytest.mark.parametrize("when", list(RetireWhen))
def test_a_leak_is_closed_as_soon_as_the_successor_is_published(when: RetireWhen) -> None:
    world = revoking(NOW + 3 * MINUTE, when)
    world.run(HOUR)
    assert world.published == SECOND_KEY
    assert set(world.entra) == {SECOND_KEY}
    times = {type(a).__name__: t for t, a in world.log}
    assert times["Remove"] - times["Publish"] <= MINUTE
    assert world.condition("Ready") == ("True", "Published")
    assert world.condition("Reconciling") is None
    assert world.resource.status["observedGeneration"] == 2
    (removal,) = [a for _, a in world.log if isinstance(a, act.Remove)]
    assert removal.is_revocation


def test_until_it_is_closed_status_says_so() -> None:
    world = issued()
    world.run(20 * MINUTE)
    revoke(world, world.now)
    world.step_until(act.Publish)
    assert world.condition("Reconciling") == ("True", "Progressing")
    assert world.resource.status["observedGeneration"] == 1
    world.step()
    world.step_until(act.Remove)
    assert world.condition("Reconciling") == ("True", "Progressing")
    assert world.resource.status["observedGeneration"] == 1


def test_a_second_apply_and_a_revert_do_nothing() -> None:
    world = revoking(NOW + 3 * MINUTE)
    world.run(HOUR)
    asked = world.current_spec
    for wanted in (asked, SPEC, asked):
        world.change(wanted)
        world.run(20 * MINUTE)
    assert world.count(act.Mint) == 2
    assert world.count(act.Remove) == 1


def test_a_time_in_the_future_waits_for_it() -> None:
    world = revoking(NOW + HOUR + 7 * SECOND)
    world.run(NOW + HOUR - world.now)
    assert world.count(act.Mint) == 1
    world.run(2 * MINUTE)
    assert world.published == SECOND_KEY
    assert set(world.entra) == {SECOND_KEY}


def test_it_is_obeyed_at_most_every_ten_minutes() -> None:
    world = issued()
    for _ in range(20):
        revoke(world, world.now)
        world.run(3 * MINUTE)
    publishes = [t for t, a in world.log if isinstance(a, act.Publish)]
    waits = [b - a for a, b in pairwise(publishes)]
    assert waits
    assert min(waits) >= 10 * MINUTE


def test_a_stranded_one_goes_as_well() -> None:
    world = issued()
    world.run(10 * MINUTE)
    world.target = None  # deleted together with what it recorded
    revoke(world, world.now)
    world.run(HOUR)
    assert world.published == SECOND_KEY
    assert set(world.entra) == {SECOND_KEY}


def test_what_replaced_one_that_leaked_later_is_not_counted_against_the_emergency() -> None:
    world = issued(World(spec=replace(SPEC, lifetime=90 * DAY, rotation=rotation())))
    for _ in range(3):
        world.run(20 * MINUTE)
        asked = rotation(retire_when=RetireWhen.EXPIRED, rotate_issued_before=world.now)
        world.change(replace(world.current_spec, rotation=asked))
        world.run(20 * MINUTE)
    assert is_at_limit(facts(world.observe()))
    revoke(world, world.now)
    world.run(HOUR)
    assert len(world.entra) == 1
    assert world.condition("Ready") == ("True", "Published")


# --- without a successor -------------------------------------------------------------------


def test_without_a_proven_successor_nothing_is_revoked_and_a_person_is_called() -> None:
    world = issued()
    world.answer = lambda key: NOT_YET if key != FIRST else None
    revoke(world, world.now)
    world.run(HOUR)
    assert FIRST in world.entra
    assert world.published == FIRST
    assert world.count(act.Remove) == 0
    assert world.condition("Stalled") == ("True", "RevocationBlocked")
    assert world.condition("Ready") == ("True", "RotationFailing")
    world.answer = lambda _: None
    world.run(2 * HOUR)
    assert FIRST not in world.entra
    assert world.condition("Stalled") is None
    assert world.condition("Ready") == ("True", "Published")


@pytest.mark.parametrize("fault", ["withdrawn", "unreachable"])
def test_what_is_in_the_way_of_a_revocation_stalls_it(fault: str) -> None:
    world = issued()
    world.grant = problem() if fault == "withdrawn" else world.grant
    world.read_answer = "fails" if fault == "unreachable" else ""
    world.run(15 * MINUTE)
    revoke(world, world.now)
    world.run(MINUTE)
    passes_by_itself = fault == "unreachable"
    assert (world.condition("Stalled") is None) is passes_by_itself
    assert (world.condition("Reconciling") is not None) is passes_by_itself
    world.run(3 * MINUTE)
    assert world.condition("Stalled") == ("True", "RevocationBlocked")
    stalled = [c for c in world.resource.status["conditions"] if c["type"] == "Stalled"]
    assert "revokeIssuedBefore" in stalled[0]["message"]
    assert world.count(act.Remove) == 0


def test_a_successor_that_stops_signing_in_keeps_the_leak_and_says_so() -> None:
    world = revoking(NOW + 3 * MINUTE)
    world.step_until(act.Publish)
    world.step()
    world.answer = lambda key: UNREACHABLE if key == SECOND_KEY else None
    world.run(10 * MINUTE)
    assert world.count(act.Remove) == 0
    assert world.condition("Stalled") == ("True", "RevocationBlocked")
    world.answer = lambda _: None
    world.run(10 * MINUTE)
    assert set(world.entra) == {SECOND_KEY}
    assert world.condition("Stalled") is None


def test_a_suspended_resource_revokes_nothing() -> None:
    world = issued()
    world.change(replace(SPEC, suspend=True))
    revoke(world, world.now)
    world.run(HOUR)
    assert set(world.entra) == {FIRST}
    assert world.count(act.Mint) == 1


# --- what it concerns ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (leaked(), True),
        (leaked(listed=(credential(),)), False),
        (leaked(NOW), True),
        (leaked(NOW + SECOND), False),
        (observation(), False),
        (replace(leaked(), target=None), True),
        (replace(leaked(), target=None, application=application()), False),
    ],
    ids=[
        "an older one is listed",
        "none is",
        "what is published is older",
        "the time lies ahead",
        "nothing is asked for",
        "nothing is published, but an older one is listed",
        "there is nothing at all",
    ],
)
def test_a_revocation_is_open(o: Observation, expected: bool) -> None:
    assert is_revoking(facts(o)) is expected


def test_both_times_may_be_given_and_the_later_past_one_counts() -> None:
    asked = rotation(rotate_issued_before=NOW + HOUR, revoke_issued_before=ISSUED + SECOND)
    assert needs_successor(facts(observation(resource=resource(spec(rotation=asked)))))
    asked = rotation(rotate_issued_before=ISSUED + SECOND, revoke_issued_before=NOW + HOUR)
    assert needs_successor(facts(observation(resource=resource(spec(rotation=asked)))))


def test_it_looks_again_when_patience_ends() -> None:
    o = leaked(memory=Memory(published_proof=proof(ATTEMPT, PROVEN)))
    young = replace(o, resource=replace(o.resource, last_applied_time=NOW - MINUTE))
    assert next_look(facts(young)) <= patience_ends(young) == NOW + MINUTE


# --- broken on purpose ---------------------------------------------------------------------


def close_a_leak() -> None:
    world = revoking(NOW + 3 * MINUTE)
    world.answer = lambda key: NOT_YET if key != FIRST else None
    world.run(20 * MINUTE)
    world.answer = lambda _: None
    world.run(2 * HOUR)


def revokes_at_once(f: Facts) -> Action | None:
    found = (c for c in f.ours.values() if needs.is_revoked(f, c.start))
    entry = next((c for c in found if not f.is_pending(c)), None)
    return Remove(entry.key_id, f.attempt_of(entry), None, is_revocation=True) if entry else None


def revokes_what_does_not_sign_in(f: Facts) -> Action | None:
    if f.published is None or needs.is_revoked(f, f.published.not_before):
        return None
    found = [r.key_id for r in f.retiring if r.key_id in f.ours]
    revoked = (k for k in found if needs.is_revoked(f, f.ours[k].start))
    return reading_rules.first_due(removal_rules._removal(f, KeyId(k), None) for k in revoked)


def test_as_it_is_it_keeps_every_promise() -> None:
    close_a_leak()


def test_revoking_without_a_successor_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = tuple(
        revokes_at_once if r is older_credential_is_revoked else r for r in lifecycle.RULES
    )
    monkeypatch.setattr(lifecycle, "RULES", rules)
    with pytest.raises(BrokenPromiseError, match="published one stays"):
        close_a_leak()


def test_revoking_before_the_successor_signs_in_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = tuple(
        revokes_what_does_not_sign_in if r is older_credential_is_revoked else r
        for r in lifecycle.RULES
    )
    monkeypatch.setattr(lifecycle, "RULES", rules)
    world = revoking(NOW + 3 * MINUTE)
    world.step_until(act.Publish)
    world.step()
    world.answer = lambda _: UNREACHABLE
    world.now += MINUTE
    with pytest.raises(BrokenPromiseError, match="before the successor signs in"):
        world.run(HOUR)
