"""A Secret goes from one AppCredential to another, and nobody who reads it notices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from appcredential.domain import actions as act
from appcredential.domain import lifecycle
from appcredential.domain.facts import assessment
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.takeover import Claim, claim
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import PendingState
from appcredential.domain.rules import gates_secret
from appcredential.domain.spec.model import AppCredentialSpec, KeyId
from tests.domain.worlds.loop import BrokenPromiseError
from tests.domain.worlds.neighbours import NEW, OLD, Neighbours
from tests.domain.worlds.test_scenarios import FIRST, SECOND_KEY, SPEC
from tests.support.builders import HOUR, MINUTE, NOT_YET

pytestmark = pytest.mark.walk

NEW_FIRST: Final = KeyId("new-1")


def heir(name: str = OLD.name) -> AppCredentialSpec:
    return replace(SPEC, secret=replace(SPEC.secret, take_over_from=name))


def begun(old: AppCredentialSpec = SPEC, new: AppCredentialSpec | None = None) -> Neighbours:
    """Return a namespace in which the old one is published, and the new one is just applied."""
    pair = Neighbours(old, new or heir())
    pair.run(10 * MINUTE)
    assert pair.owner == str(OLD)
    pair.is_watched = True
    pair.apply_new()
    return pair


def handed_over() -> Neighbours:
    """Return one in which the Secret has gone to the new one."""
    pair = begun()
    pair.run(10 * MINUTE)
    assert pair.owner == str(NEW)
    return pair


def test_a_secret_is_handed_over_once_and_for_good() -> None:
    pair = handed_over()
    assert pair.new.published == NEW_FIRST
    assert pair.new.condition("Ready") == ("True", "Published")
    assert pair.old.condition("Ready") == ("False", "SecretTakenOver")
    assert pair.old.condition("Stalled") == ("True", "SecretTakenOver")
    assert set(pair.old.entra) == {FIRST, NEW_FIRST}
    told = pair.old.resource.status
    assert "application" in told
    assert not {"credential", "secretRef", "renewalTime", "retiring"} & set(told)
    pair.run(5 * HOUR)
    assert pair.seen == [str(OLD), str(NEW)]
    assert pair.old.count(act.Mint) == 1
    assert pair.old.count(act.Remove) == 0
    assert pair.new.condition("Ready") == ("True", "Published")


def test_the_new_one_says_that_it_is_not_there_yet() -> None:
    pair = begun()
    pair.until(lambda: pair.new.pending is not None, 10 * MINUTE)
    assert pair.new.condition("Ready") == ("False", "Progressing")
    assert pair.new.condition("Reconciling") == ("True", "Progressing")
    assert "secretRef" not in pair.new.resource.status
    assert pair.old.condition("Ready") == ("True", "Published")


def test_workloads_that_read_it_are_given_only_what_signed_in_often_enough() -> None:
    pair = handed_over()
    tries = sum(isinstance(a, act.SignInPending) for _, a in pair.new.log)
    assert tries >= 5


def test_as_long_as_the_new_one_is_not_proven_the_old_one_lives_on() -> None:
    pair = begun()
    pair.new.answer = lambda _: NOT_YET
    pair.run(4 * HOUR + 30 * MINUTE)
    assert pair.owner == str(OLD)
    assert pair.old.published == SECOND_KEY
    pair.new.answer = lambda _: None
    pair.run(6 * HOUR)
    assert pair.owner == str(NEW)
    assert pair.new.condition("Ready") == ("True", "Published")


def test_the_old_one_is_applied_again_edited_and_suspended_meanwhile() -> None:
    pair = begun()
    pair.until(lambda: pair.new.pending is not None, 10 * MINUTE)
    pair.change(pair.old, SPEC)
    pair.run(MINUTE)
    pair.change(pair.old, replace(SPEC, suspend=True))
    pair.run(20 * MINUTE)
    assert pair.owner == str(NEW)
    assert pair.old.condition("Ready") == ("False", "Suspended")
    pair.change(pair.old, SPEC)
    pair.run(20 * MINUTE)
    assert pair.old.condition("Stalled") == ("True", "SecretTakenOver")
    assert pair.old.count(act.Mint) == 1


def test_a_successor_of_the_old_one_that_came_too_late_is_never_published() -> None:
    pair = begun()
    pair.old.answer = lambda key: NOT_YET if key == SECOND_KEY else None
    asked = replace(SPEC.rotation, rotate_issued_before=pair.now)
    pair.change(pair.old, replace(SPEC, rotation=asked))
    pair.run(12 * MINUTE)
    assert pair.owner == str(NEW)
    pair.old.answer = lambda _: None
    pair.run(2 * HOUR)
    assert pair.seen == [str(OLD), str(NEW)]


def test_deleting_the_old_one_leaves_a_ticket_and_the_secret() -> None:
    pair = handed_over()
    pair.delete(pair.old)
    assert pair.old.names()[-3:] == ["ReadCrd", "ScheduleRevocation", "ReleaseFinalizer"]
    pair.run(5 * HOUR)
    assert pair.owner == str(NEW)
    assert pair.new.condition("Ready") == ("True", "Published")
    pair.apply_again(pair.old)
    pair.run(HOUR)
    assert pair.owner == str(NEW)
    assert pair.old.condition("Stalled") == ("True", "SecretTakenOver")


def test_deleting_the_old_one_too_early_costs_nothing_within_its_grace() -> None:
    pair = begun()
    pair.until(lambda: pair.new.pending is not None, 10 * MINUTE)
    pair.delete(pair.old)
    pair.run(10 * MINUTE)
    assert pair.owner == str(NEW)
    assert pair.new.condition("Ready") == ("True", "Published")


def test_deleting_the_new_one_before_it_published_changes_nothing() -> None:
    pair = begun()
    pair.until(lambda: pair.new.pending is not None, 10 * MINUTE)
    pair.delete(pair.new)
    assert "ScheduleRevocation" in pair.new.names()
    pair.run(5 * HOUR)
    assert pair.seen == [str(OLD)]
    assert pair.old.condition("Ready") == ("True", "Published")


def test_deleting_the_new_one_gives_the_secret_back() -> None:
    pair = handed_over()
    pair.delete(pair.new)
    pair.run(MINUTE)
    assert pair.owner == str(NEW)
    pair.run(20 * MINUTE)
    assert pair.owner == str(OLD)
    assert pair.old.condition("Ready") == ("True", "Published")
    pair.apply_again(pair.new)
    pair.run(30 * MINUTE)
    assert pair.owner == str(NEW)


def test_going_back_is_asked_for_in_the_same_way() -> None:
    pair = handed_over()
    pair.change(pair.new, SPEC)
    pair.change(pair.old, heir(NEW.name))
    pair.run(30 * MINUTE)
    assert pair.owner == str(OLD)
    assert pair.new.condition("Stalled") == ("True", "SecretTakenOver")
    assert pair.target is not None
    assert FIRST in {r.key_id for r in pair.target.retiring}  # it was published once: full overlap
    pair.run(5 * HOUR)
    assert pair.seen == [str(OLD), str(NEW), str(OLD)]


def test_two_that_name_each_other_come_to_rest() -> None:
    pair = begun(heir(NEW.name), heir())
    pair.run(5 * HOUR)
    assert pair.seen == [str(OLD), str(NEW)]
    pair.change(pair.old, replace(heir(NEW.name), lifetime=5 * HOUR))
    pair.run(5 * HOUR)
    assert pair.seen == [str(OLD), str(NEW), str(OLD)]


def test_a_renamed_resource_inherits_its_secret() -> None:
    pair = begun(new=SPEC)
    pair.run(10 * MINUTE)
    assert pair.new.condition("Stalled") == ("True", "SecretConflict")
    assert pair.new.count(act.Mint) == 0
    pair.delete(pair.old)
    pair.run(MINUTE)
    assert pair.new.count(act.Mint) == 0
    pair.run(20 * MINUTE)
    assert pair.owner == str(NEW)
    assert pair.new.condition("Ready") == ("True", "Published")


def test_it_names_somebody_who_does_not_have_it() -> None:
    pair = begun(new=heir("third"))
    pair.run(5 * HOUR)
    assert pair.seen == [str(OLD)]
    assert pair.new.condition("Stalled") == ("True", "SecretConflict")
    assert pair.new.count(act.Mint) == 0


def test_it_names_somebody_who_never_existed() -> None:
    pair = Neighbours(SPEC, heir("third"))
    pair.old.resource = replace(pair.old.resource, spec=replace(SPEC, suspend=True))
    pair.apply_new()
    pair.run(10 * MINUTE)
    assert pair.owner == str(NEW)


def test_a_secret_made_by_hand_is_adopted() -> None:
    pair = begun()
    assert pair.target is not None
    by_hand = replace(
        pair.target,
        owner="",
        published=None,
        value=None,
        annotations={"appcredential.io/adopt": str(NEW)},
    )
    pair.delete(pair.old)
    pair.is_watched, pair.target = False, by_hand
    pair.run(10 * MINUTE)
    assert pair.owner == str(NEW)
    assert pair.target is not None
    assert pair.target.taken_from == ()


def test_a_restart_after_any_action_loses_nothing() -> None:
    length = len(handed_over().new.log)
    for cut in range(length):
        pair = begun()
        for _ in range(cut):
            pair.turn(pair.new)
            pair.new.step()
            pair.target, pair.now = pair.new.target, max(pair.now, pair.new.now)
        pair.old.restart()
        pair.new.restart()
        pair.run(HOUR)
        assert pair.owner == str(NEW), cut
        assert pair.new.condition("Ready") == ("True", "Published"), cut
        assert pair.old.condition("Stalled") == ("True", "SecretTakenOver"), cut
        assert len(pair.new.entra) == 2, cut


def test_keys_that_were_handed_over_go_when_their_time_is_over() -> None:
    raw = replace(SPEC, secret=replace(SPEC.secret, labels={"team": "shop"}))
    pair = begun(replace(raw, secret=replace(raw.secret, preset="Raw")))  # type: ignore[arg-type]
    pair.run(10 * MINUTE)
    assert pair.owner == str(NEW)
    assert pair.target is not None
    assert {"clientSecret", "AZURE_CLIENT_SECRET"} <= set(pair.target.data)
    assert "team" not in pair.target.labels
    pair.run(HOUR)
    assert "clientSecret" not in pair.target.data
    assert "AZURE_CLIENT_SECRET" in pair.target.data
    assert pair.target.handed_over is None


# --- broken on purpose ---------------------------------------------------------------------


def take_from_a_third() -> None:
    begun(new=heir("third")).run(HOUR)


def lose_it_and_renew() -> None:
    handed_over().run(6 * HOUR)


def hand_over_while_refused() -> None:
    pair = begun()
    pair.new.answer = lambda _: NOT_YET
    pair.run(HOUR)


SCENES = (take_from_a_third, lose_it_and_renew, hand_over_while_refused)


@pytest.mark.parametrize("scene", SCENES)
def test_as_it_is_it_keeps_every_promise(scene: Callable[[], None]) -> None:
    scene()


def claims(monkeypatch: pytest.MonkeyPatch, broken: Callable[[Observation], Claim]) -> None:
    monkeypatch.setattr(assessment, "claim", broken)
    monkeypatch.setattr(gates_secret, "claim", broken)


def test_taking_any_secret_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(observation: Observation) -> Claim:
        return Claim.OURS if claim(observation) is Claim.OURS else Claim.TAKES

    claims(monkeypatch, greedy)
    with pytest.raises(BrokenPromiseError, match="only by who may"):
        take_from_a_third()


def test_working_on_after_it_was_taken_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(observation: Observation) -> Claim:
        return Claim.OURS if claim(observation) is Claim.LOST else claim(observation)

    claims(monkeypatch, forgetful)
    with pytest.raises(BrokenPromiseError, match="never touched"):
        lose_it_and_renew()


def test_taking_it_before_the_proof_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(f: Facts) -> act.Action | None:
        held = f.pending
        is_minted = held is not None and held.state is PendingState.MINTED
        return act.Publish() if is_minted else None

    rules = tuple(hasty if r.__name__ == "successor_is_publishable" else r for r in lifecycle.RULES)
    monkeypatch.setattr(lifecycle, "RULES", rules)
    with pytest.raises(BrokenPromiseError, match="only what signed in"):
        hand_over_while_refused()
