"""Each promise of the core has a deliberately broken rule that the checks are shown to catch."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appcredential.domain import lifecycle
from appcredential.domain import revocation as revocations
from appcredential.domain.actions import Action, Mint, Publish, Remove, SignInPending
from appcredential.domain.facts import assessment, retirement
from appcredential.domain.facts import revocation as revocation_facts
from appcredential.domain.facts import successor as needs
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.published import is_published
from appcredential.domain.facts.retirement import retire_time
from appcredential.domain.lifecycle import GATES
from appcredential.domain.observed.observation import Observation
from appcredential.domain.revocation import decide_revocation
from appcredential.domain.revocation_actions import RevokeCredential
from appcredential.domain.rules import reading as reading_rules
from appcredential.domain.rules import removal as removal_rules
from appcredential.domain.rules import target as target_rules
from appcredential.domain.rules.gates_deletion import revocation_is_scheduled
from appcredential.domain.rules.revocation import owner_is_present_or_unknown, revocation_is_not_due
from appcredential.domain.spec.model import KeyId
from tests.domain.test_scheduled_revocations import revocation, seen
from tests.domain.worlds.driver import World
from tests.domain.worlds.loop import BrokenPromiseError
from tests.domain.worlds.test_scenarios import FIRST, SPEC, issued
from tests.support.breaking import in_rules, with_rule
from tests.support.builders import (
    HOUR,
    MINUTE,
    NOT_YET,
    NOW,
    OTHER_OWNER,
    application,
    credential,
    problem,
)

THEIRS = KeyId("key-theirs")


def issue() -> None:
    world = World(spec=SPEC)
    world.step_until(SignInPending)
    world.seen = None  # so that the new one is listed
    world.run(HOUR)


def rotate() -> None:
    world = issued()
    world.run(6 * HOUR)


def withdraw_and_rotate() -> None:
    world = issued()
    world.grant = problem()
    world.run(6 * HOUR)


def withdraw_before_publish() -> None:
    world = World(spec=SPEC)
    world.step_until(Publish)
    world.grant = problem()
    world.run(HOUR)


def refuse_the_first() -> None:
    world = World(spec=SPEC, answer=lambda key: NOT_YET if key == FIRST else None)
    world.run(HOUR)


def delete_and_apply_again() -> None:
    world = issued()
    world.delete()
    world.run(MINUTE)
    world.apply_again("another-uid")
    world.target = world.pending = None
    world.run(HOUR)


def remove_a_neighbours() -> None:
    world = issued()
    world.entra[THEIRS] = credential(THEIRS, owner=OTHER_OWNER, end=NOW + 5 * HOUR)
    world.run(12 * HOUR)


def lose_the_published_key_while_it_retires() -> None:
    world = issued()
    world.run(4 * HOUR + 10 * MINUTE)
    world.answer = lambda key: NOT_YET if key != FIRST else None
    del world.entra[world.published]
    world.run(90 * MINUTE)


SCENES = (
    issue,
    rotate,
    withdraw_and_rotate,
    withdraw_before_publish,
    refuse_the_first,
    delete_and_apply_again,
    remove_a_neighbours,
    lose_the_published_key_while_it_retires,
)


@pytest.mark.parametrize("scene", SCENES)
def test_the_rules_as_they_are_keep_every_promise(scene: Callable[[], None]) -> None:
    scene()


def test_retiring_before_the_overlap_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    in_rules(monkeypatch, "retire_time", lambda _, r: r.since)
    with pytest.raises(BrokenPromiseError, match="overlap"):
        rotate()


def test_retiring_without_a_survivor_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def reckless(facts: Facts) -> Action | None:
        due = (r for r in facts.retiring if facts.now >= retire_time(facts, r))
        return reading_rules.first_due(
            removal_rules._removal(facts, r.key_id, r.cause) for r in due
        )

    with_rule(monkeypatch, "retirement_is_due", reckless)
    # What Entra says of the successor would hold it until that, too, had been there for long.
    monkeypatch.setattr(retirement, "replaced_since", lambda _facts, entry: entry.since)
    with pytest.raises(BrokenPromiseError, match="lives longer"):
        lose_the_published_key_while_it_retires()


def test_removing_without_our_exact_marker_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def any_unknown(facts: Facts) -> Action | None:
        known = facts.published.key_id if facts.published is not None else ""
        found = (c for c in facts.application.credentials if c.key_id != known)
        return next((Remove(c.key_id, facts.attempt_of(c), None) for c in found), None)

    with_rule(monkeypatch, "abandoned_attempt_is_listed", any_unknown)
    with pytest.raises(BrokenPromiseError, match="not ours"):
        remove_a_neighbours()


def test_taking_any_marker_for_ours_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def any_marker(_: Observation, c: object) -> bool:
        return c is not None

    monkeypatch.setattr(assessment, "_is_ours", any_marker)
    with pytest.raises(BrokenPromiseError, match="not ours"):
        remove_a_neighbours()


def test_publishing_what_did_not_sign_in_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(facts: Facts) -> Action | None:
        return Publish() if facts.successor is not None else None

    with_rule(monkeypatch, "successor_is_publishable", hasty)
    with pytest.raises(BrokenPromiseError, match="only what signed in"):
        refuse_the_first()


def test_publishing_without_a_grant_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Facts, "is_granted", property(lambda _: True))
    with pytest.raises(BrokenPromiseError, match="published without a grant"):
        withdraw_before_publish()


def test_minting_without_a_grant_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(facts: Facts) -> Action | None:
        needed = facts.pending is None and needs.needs_successor(facts)
        return Mint(1, (), facts.lifetime) if needed else None

    with_rule(monkeypatch, "successor_is_needed", greedy)
    with pytest.raises(BrokenPromiseError, match="issued without a grant"):
        withdraw_and_rotate()


def test_working_on_while_a_revocation_is_open_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        lifecycle, "GATES", tuple(g for g in GATES if g is not revocation_is_scheduled)
    )
    with pytest.raises(BrokenPromiseError, match="deletion is open"):
        delete_and_apply_again()


def test_removing_the_pending_one_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def every_unpublished(facts: Facts) -> Action | None:
        found = (c for k, c in facts.ours.items() if not is_published(facts, k))
        return next((Remove(c.key_id, facts.attempt_of(c), None) for c in found), None)

    with_rule(monkeypatch, "credential_is_stranded", every_unpublished)
    with pytest.raises(BrokenPromiseError, match="pending one stays"):
        issue()


def test_a_revocation_that_acts_while_its_owner_lives_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    observation = seen(revocation(), owner_absent_since=None)
    assert not isinstance(decide_revocation(observation), RevokeCredential)
    waiting = {owner_is_present_or_unknown, revocation_is_not_due}
    eager = tuple(rule for rule in revocations.REVOCATION_RULES if rule not in waiting)
    monkeypatch.setattr(revocations, "REVOCATION_RULES", eager)
    assert isinstance(decide_revocation(observation), RevokeCredential)


def test_a_revocation_that_removes_a_neighbours_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    observation = seen(revocation(), application=application(credential(owner=OTHER_OWNER)))
    assert not isinstance(decide_revocation(observation), RevokeCredential)
    monkeypatch.setattr(revocation_facts, "_is_revoked", lambda _o, _c: True)
    assert isinstance(decide_revocation(observation), RevokeCredential)


def test_a_rule_that_matches_for_ever_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def stubborn(facts: Facts) -> Action | None:
        t = facts.target
        same = t is not None and t.value is not None
        return target_rules.write_target(facts, "again") if same else None

    with_rule(monkeypatch, "target_rendering_differs", stubborn)
    with pytest.raises(AssertionError, match="livelock"):
        rotate()
