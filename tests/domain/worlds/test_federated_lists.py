"""Lists of repositories and entities: each combination is a federated credential of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appcredential.domain import actions as act
from appcredential.domain.facts.trust_room import Room
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.spec.git_hub import GITHUB_ISSUER, github_subjects
from appcredential.domain.spec.git_hub_source import (
    EntityType,
    GitHubEntity,
    GitHubSource,
    SubjectFormat,
)
from appcredential.domain.spec.trusts import MAX_CREDENTIALS, Trust, retire_time_of
from tests.domain.worlds.federated_world import FederatedWorld
from tests.domain.worlds.loop import BrokenPromiseError
from tests.support.builders import HOUR, MINUTE, SECOND, problem
from tests.support.federated import AUDIENCE, GITHUB, OTHER, federated_spec, listed, workflows

TWO_BY_THREE = workflows(2, 3)
OVERLAP = 20 * MINUTE


def world_of(source: GitHubSource, foreign: int = 0) -> FederatedWorld:
    """Return a world whose application holds some federated credentials of others."""
    settings = LifecycleSettings(federated_overlap=OVERLAP)
    world = FederatedWorld(spec=federated_spec(source), settings=settings)
    others = [Trust("https://x", str(n), "a") for n in range(foreign)]
    world.put(*(listed(f"t{n}", trust=t, owner=None) for n, t in enumerate(others)))
    return world


def established(source: GitHubSource, foreign: int = 0) -> FederatedWorld:
    """Return a world whose resource is Ready."""
    world = world_of(source, foreign)
    world.run(10 * MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")
    world.log.clear()
    return world


def message(world: FederatedWorld, kind: str = "Stalled") -> str:
    (found,) = [c for c in world.resource.status["conditions"] if c["type"] == kind]
    return str(found["message"])


def subjects(world: FederatedWorld) -> list[str]:
    """Return the subjects of what is ours, in the order in which it was made."""
    return [c.subject for c in world.entra.values() if world.is_ours(c)]


def problems(world: FederatedWorld) -> dict[str, str]:
    """Return the reasons in status of what Entra does not trust, by subject."""
    found = world.resource.status.get("federatedIdentityProblems", [])
    return {entry["subject"]: entry["reason"] for entry in found}


def test_each_combination_is_made_and_told() -> None:
    world = established(TWO_BY_THREE)
    assert subjects(world) == github_subjects(TWO_BY_THREE)
    assert subjects(world)[:2] == [
        "repo:contoso@1/r1@1:ref:refs/heads/b1",
        "repo:contoso@1/r1@1:ref:refs/heads/b2",
    ]
    assert len({c.name for c in world.entra.values()}) == 6
    told = world.resource.status["federatedIdentities"]
    assert [t["subject"] for t in told] == github_subjects(TWO_BY_THREE)
    assert problems(world) == {}
    world.run(HOUR)
    assert world.names() == []


def test_progress_is_counted() -> None:
    world = world_of(TWO_BY_THREE)
    world.run(MINUTE)
    assert message(world, "Ready").startswith("6 of 6 federated credentials exist")
    assert world.condition("Reconciling") == ("True", "Progressing")


def test_a_list_of_one_is_the_same_as_one() -> None:
    world = established(replace(GITHUB, subject_format=SubjectFormat.IMMUTABLE))
    world.change(federated_spec(replace(GITHUB, subject_format=SubjectFormat.IMMUTABLE)))
    world.run(HOUR)
    assert world.names() == []


# --- counted before the first ---------------------------------------------------------------


def test_the_twenty_first_keeps_all_of_a_list_away() -> None:
    world = world_of(workflows(6, 3), foreign=3)
    world.run(HOUR)
    assert world.count(act.CreateFederated) == 0
    assert world.condition("Stalled") == ("True", "QuotaExceeded")
    expected = "needs 18 federated credentials, the application has 3 of others, and 20 is all"
    assert expected in message(world)
    del world.entra["t0"]
    world.run(10 * MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")
    assert len(world.entra) == MAX_CREDENTIALS


def test_to_count_each_time_only_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    is_enough = property(lambda found: found.listed < MAX_CREDENTIALS)
    monkeypatch.setattr(Room, "is_enough", is_enough)
    with pytest.raises(BrokenPromiseError, match="counted before the first"):
        world_of(workflows(6, 3), foreign=3).run(HOUR)


def test_room_that_somebody_takes_meanwhile_stops_the_rest() -> None:
    world = world_of(workflows(6, 3))
    for _ in range(4):
        world.step_until(act.CreateFederated)
        world.step()
    others = [Trust("https://x", str(n), "a") for n in range(5)]
    world.put(*(listed(f"late{n}", trust=t, owner=None) for n, t in enumerate(others)))
    world.now += MINUTE  # what was read before is old
    world.run(HOUR)
    assert len(subjects(world)) == 4
    assert "14 cannot be created" in message(world)
    assert len(world.resource.status["federatedIdentities"]) == 4


def test_another_list_that_does_not_fit_beside_the_former_says_how() -> None:
    world = established(workflows(4, 3))
    other = replace(workflows(4, 3), organization="fabrikam")
    world.change(federated_spec(other))
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "QuotaExceeded")
    assert "12 more are this resource's former ones, which go " in message(world)
    assert "first ask only for some of what exists" in message(world)
    assert subjects(world) == github_subjects(workflows(4, 3))
    world.change(federated_spec(workflows(1, 3)))
    world.run(HOUR)
    assert subjects(world) == github_subjects(workflows(1, 3))
    world.change(federated_spec(other))
    world.run(HOUR)
    assert sorted(subjects(world)) == sorted(github_subjects(other))


def test_one_alone_that_does_not_fit_beside_the_former_is_not_told_to_ask_for_less() -> None:
    world = established(workflows(1, 1), foreign=19)
    world.change(federated_spec(replace(workflows(1, 1), organization="fabrikam")))
    world.run(5 * MINUTE)
    assert world.condition("Stalled") == ("True", "QuotaExceeded")
    assert "1 more is this resource's former one, which goes " in message(world)
    assert "first ask" not in message(world)
    world.change(federated_spec(workflows(1, 2)))
    world.run(5 * MINUTE)
    assert world.condition("Stalled") == ("True", "QuotaExceeded")
    assert "former" not in message(world)
    assert subjects(world) == github_subjects(workflows(1, 1))


def test_what_was_edited_needs_no_more_room() -> None:
    world = established(workflows(6, 3), foreign=2)
    edited = next(c for c in world.entra.values() if world.is_ours(c))
    world.put(replace(edited, subject="edited"))
    world.run(2 * HOUR)
    assert world.names() == ["PatchFederated"]
    assert world.condition("Ready") == ("True", "Trusted")


def test_an_edit_into_another_one_that_is_asked_for_stays_in_use() -> None:
    world = established(TWO_BY_THREE)
    one, two, *_ = world.entra.values()
    del world.entra[two.id]
    world.put(replace(one, subject=two.subject))
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Trusted")
    assert world.names() == ["CreateFederated"]
    assert world.entra[one.id].subject == two.subject
    made = next(c for c in world.entra.values() if c.subject == one.subject)
    assert made.name != one.name
    # It happens to this one, too: the third has a name of its own again.
    world.put(replace(made, subject="lost", description="lost"))
    world.log.clear()
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Trusted")
    assert len({c.name for c in world.entra.values()}) == len(world.entra)


# --- one of them ----------------------------------------------------------------------------


def test_one_that_is_refused_does_not_hold_the_others_up() -> None:
    world, bad = world_of(TWO_BY_THREE), github_subjects(TWO_BY_THREE)[0]
    world.not_taken = {bad}
    world.run(MINUTE)
    assert subjects(world) == github_subjects(TWO_BY_THREE)[1:]
    assert problems(world) == {bad: "CredentialRefused"}
    assert world.condition("Stalled") == ("True", "CredentialRefused")
    assert world.condition("Ready") == ("False", "CredentialRefused")
    assert message(world).startswith("5 of 6 federated credentials exist as the spec asks. Not: ")
    assert bad in message(world)
    world.not_taken = set()
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Trusted")
    assert problems(world) == {}


def test_it_is_not_stalled_while_others_are_being_made() -> None:
    world = world_of(TWO_BY_THREE)
    world.not_taken = {github_subjects(TWO_BY_THREE)[0]}
    world.step_until(act.CreateFederated)
    world.step()
    world.memory = world.memory.awaits_turn(world.now + 5 * SECOND)
    world.run()
    assert world.condition("Ready") == ("False", "CredentialRefused")
    assert world.condition("Stalled") is None
    assert message(world, "Ready").startswith("0 of 6")


def test_several_are_named_and_the_rest_counted() -> None:
    world = world_of(workflows(3, 3))
    first, *others = github_subjects(workflows(3, 3))
    world.not_taken = set(others[:-1])
    world.put(listed("theirs", trust=Trust(GITHUB_ISSUER, first, AUDIENCE), owner=None))
    world.run(5 * MINUTE)
    assert subjects(world) == others[-1:]
    reasons = dict.fromkeys(others[:-1], "CredentialRefused")
    assert problems(world) == {first: "CredentialConflict", **reasons}
    assert f"{others[0]} (CredentialRefused)" in message(world)
    assert "and 2 more" in message(world)
    mark = message(world).rsplit(": ", 1)[1]
    world.put(replace(world.entra["theirs"], description=mark))
    world.run(5 * MINUTE)
    assert first in subjects(world)


def test_long_subjects_do_not_push_the_remedy_out_of_the_message() -> None:
    long = tuple(GitHubEntity(type=EntityType.BRANCH, name=f"{n:b>255}") for n in range(8))
    source = replace(workflows(1, 1), organization="o" * 99, entities=long)
    world = world_of(source)
    world.not_taken = set(github_subjects(source)[1:])
    theirs = Trust(GITHUB_ISSUER, github_subjects(source)[0], AUDIENCE)
    world.put(listed("theirs", trust=theirs, owner=None))
    world.run(MINUTE)
    assert message(world).endswith(" shop/orders")
    assert "and 2 more" in message(world)


@pytest.mark.parametrize("source", [workflows(1, 1), workflows(4, 5)])
def test_a_list_that_is_refused_costs_no_more_than_a_single_trust(source: GitHubSource) -> None:
    world = world_of(source)
    world.not_taken = set(github_subjects(source))
    world.run(5 * HOUR)
    assert world.entra == {}
    first_round = len(world.not_taken)
    assert world.count(act.CreateFederated) - first_round <= 5 * HOUR / (10 * MINUTE)
    world.not_taken = set()
    world.run(4 * HOUR)
    assert world.condition("Ready") == ("True", "Trusted")


def test_a_refused_repair_does_not_hold_the_others_up() -> None:
    world = established(TWO_BY_THREE)
    one, two, *_ = world.entra.values()
    world.put(replace(one, audiences=("api://edited",)), replace(two, audiences=("api://edited",)))
    world.not_taken = {one.subject}
    world.run(2 * HOUR)
    assert world.entra[two.id] == two
    assert problems(world) == {one.subject: "CredentialRefused"}
    world.not_taken = set()
    world.run(HOUR)
    assert world.entra[one.id] == one


def test_another_spec_is_tried_at_once() -> None:
    world = world_of(TWO_BY_THREE)
    world.not_taken = set(github_subjects(TWO_BY_THREE))
    world.run(10 * MINUTE)
    world.not_taken = set()
    world.change(federated_spec(workflows(1, 3)))
    world.run(10 * SECOND)
    assert subjects(world) == github_subjects(workflows(1, 3))


def test_what_keeps_the_others_away_is_said_first() -> None:
    world, (first, *_) = world_of(TWO_BY_THREE), github_subjects(TWO_BY_THREE)
    world.not_taken = {first}
    world.step_until(act.CreateFederated)
    world.step()
    others = [Trust("https://x", str(n), "a") for n in range(18)]
    world.put(*(listed(f"late{n}", trust=t, owner=None) for n, t in enumerate(others)))
    world.now += MINUTE  # what was read before is old
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "QuotaExceeded")
    assert problems(world) == {first: "CredentialRefused"}


def test_what_keeps_it_from_being_tried_again_is_said() -> None:
    world, (first, *_) = world_of(workflows(1, 2)), github_subjects(workflows(1, 2))
    world.not_taken = {first}
    world.run(MINUTE)
    others = [Trust("https://x", str(n), "a") for n in range(19)]
    world.put(*(listed(f"late{n}", trust=t, owner=None) for n, t in enumerate(others)))
    world.not_taken = set()  # as its message asks
    world.run(5 * MINUTE)
    assert world.condition("Stalled") == ("True", "CredentialRefused")
    world.run(HOUR)
    assert world.condition("Stalled") == ("True", "QuotaExceeded")
    del world.entra["late0"]
    world.run(5 * MINUTE)
    assert world.condition("Ready") == ("True", "Trusted")


# --- changed --------------------------------------------------------------------------------


def test_what_is_taken_out_retires_and_what_stays_is_left_alone() -> None:
    world = established(TWO_BY_THREE)
    before = dict(world.entra)
    world.change(federated_spec(workflows(3, 2)))
    world.run(OVERLAP - 5 * MINUTE)
    added = set(github_subjects(workflows(3, 2))) - set(github_subjects(TWO_BY_THREE))
    assert set(subjects(world)) == added | set(github_subjects(TWO_BY_THREE))
    retiring = {c.subject for c in world.entra.values() if retire_time_of(c.description)}
    assert retiring == set(github_subjects(TWO_BY_THREE)) - set(github_subjects(workflows(3, 2)))
    world.run(10 * MINUTE)
    assert sorted(subjects(world)) == sorted(github_subjects(workflows(3, 2)))
    kept = [c for c in before.values() if c.subject in github_subjects(workflows(3, 2))]
    assert len(kept) == 4
    assert all(world.entra[c.id] == c for c in kept)


def test_nothing_taken_out_goes_while_one_that_was_added_is_refused() -> None:
    world = established(TWO_BY_THREE)
    world.not_taken = set(github_subjects(workflows(3, 1))) - set(github_subjects(TWO_BY_THREE))
    world.change(federated_spec(workflows(3, 1)))
    world.run(2 * OVERLAP)
    assert subjects(world) == github_subjects(TWO_BY_THREE)
    assert world.count(act.DeleteFederated) == 0


def test_a_withdrawn_grant_keeps_all_and_makes_none() -> None:
    world = established(TWO_BY_THREE)
    world.grant = problem()
    world.change(federated_spec(workflows(3, 3)))
    world.run(2 * OVERLAP)
    assert subjects(world) == github_subjects(TWO_BY_THREE)
    assert world.condition("Stalled") == ("True", "GrantWithdrawn")
    assert problem().message in message(world)
    assert world.names() == []


@pytest.mark.parametrize("steps", range(1, 24))
def test_a_restart_after_any_step_leaves_nothing_behind(steps: int) -> None:
    """Two are made, two go: the process ends after each single step on the way."""
    world = established(workflows(2, 2))
    world.change(federated_spec(workflows(3, 1)))
    for _ in range(steps):
        world.step()
        if world.count(act.DeleteFederated) == 2:
            break
    world.restart()
    world.run(HOUR)
    assert sorted(subjects(world)) == sorted(github_subjects(workflows(3, 1)))
    assert world.condition("Ready") == ("True", "Trusted")
    assert world.count(act.CreateFederated) == 1


def test_from_a_list_to_another_source_and_back() -> None:
    world = established(TWO_BY_THREE)
    world.change(federated_spec(OTHER))
    world.run(HOUR)
    world.change(federated_spec(TWO_BY_THREE))
    world.run(HOUR)
    assert subjects(world) == github_subjects(TWO_BY_THREE)
    assert world.condition("Ready") == ("True", "Trusted")
