"""People edit the records in the Secrets: that may narrow what is done, and never widen it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from appcredential.domain import actions as act
from appcredential.domain import lifecycle
from appcredential.domain.facts import publication, retirement
from appcredential.domain.facts.facts import Facts
from appcredential.domain.observed.target import IssuedCredential, Pending, Target
from appcredential.domain.rules import issuing
from appcredential.domain.rules import pending as pending_rules
from appcredential.domain.secret.annotations import Name, credential_annotations
from tests.domain.worlds.driver import World
from tests.domain.worlds.loop import BrokenPromiseError
from tests.domain.worlds.test_scenarios import FIRST, SECOND_KEY, SHORT, SPEC, THIRD, issued
from tests.support import builders
from tests.support.builders import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    abandoned,
    application,
    attempt,
    retiring,
)

OVERLAP = HOUR


def held(world: World) -> Target:
    assert world.target is not None
    return world.target


def on_its_way(world: World) -> Pending:
    assert world.pending is not None
    return world.pending


def record(world: World) -> IssuedCredential:
    found = held(world).published
    assert found is not None
    return found


def edit_record(world: World, **changes: object) -> None:
    edited = replace(record(world), **changes)  # type: ignore[arg-type]
    written = {**credential_annotations(edited), Name.ATTEMPT: edited.attempt}
    annotations = {**held(world).annotations, **written}
    world.target = replace(held(world), published=edited, annotations=annotations)


def look(world: World) -> None:
    """Let the operator read the application, and work for a minute."""
    world.seen = world._last_read = None
    world.run(MINUTE)


def believe_all(m: pytest.MonkeyPatch) -> None:
    for user in (lifecycle, builders):
        m.setattr(user, "believed", lambda observation: observation)


# --- a time of issue that lies ahead ----------------------------------------------------------


def put_the_issue_ahead() -> World:
    world = issued()
    edit_record(world, not_before=world.now + 10 * HOUR)
    world.run(7 * HOUR + 30 * MINUTE)
    return world


def test_a_time_of_issue_that_lies_ahead_ends_no_renewal() -> None:
    world = put_the_issue_ahead()
    assert world.count(act.Mint) == 2
    assert world.published == SECOND_KEY
    assert len(world.entra) <= 2


def test_believing_it_mints_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    believe_all(monkeypatch)
    world = put_the_issue_ahead()
    assert world.count(act.Mint) > 3
    assert world.published == FIRST


def test_the_record_is_set_right() -> None:
    world = issued()
    edit_record(world, not_before=world.now + 10 * HOUR, expires=world.now + 90 * HOUR)
    look(world)
    made = world.entra[FIRST]
    assert (record(world).not_before, record(world).expires) == (made.start, made.end)
    assert world.count(act.Mint) == 1


@pytest.mark.parametrize(("ahead", "mints"), [(4 * MINUTE, 1), (10 * MINUTE, 2)])
def test_of_one_that_is_not_listed_it_counts_as_damage(ahead: timedelta, mints: int) -> None:
    """Up to the allowed skew it may be right."""
    world = issued()
    world.hidden = {FIRST}
    edit_record(world, not_before=world.now + ahead)
    look(world)
    assert world.count(act.Mint) == mints


def delete_each_pending_secret(world: World) -> None:
    for _ in range(30):
        world.run(SECOND)
        world.pending = None


def test_a_pending_secret_that_is_deleted_again_and_again_causes_no_burst() -> None:
    world = World(spec=SPEC)
    delete_each_pending_secret(world)
    assert world.count(act.Mint) == 1
    world.run(5 * MINUTE)
    assert world.published == SECOND_KEY


def test_a_mint_that_rests_on_an_older_read_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "mint_time", lambda facts: facts.now)
    before = Facts.memory.fget  # type: ignore[attr-defined]
    forgetful = property(lambda facts: replace(before(facts), issued=None))
    monkeypatch.setattr(Facts, "memory", forgetful)
    world = World(spec=SPEC)
    delete_each_pending_secret(world)
    assert world.count(act.Mint) > 5


# --- attempts that were never given up --------------------------------------------------------


def give_up_the_published(world: World) -> None:
    entry = abandoned(record(world).attempt, time=world.now)
    world.target = replace(held(world), abandoned=(entry,))


def give_up_the_published_in_p(world: World) -> None:
    world.step_until(act.Publish)
    entry = abandoned(record(world).attempt, time=world.now)
    world.pending = replace(on_its_way(world), abandoned=(entry,))


def give_up_the_pending_in_p(world: World) -> None:
    world.step_until(act.Publish)
    entry = abandoned(on_its_way(world).attempt, time=world.now)
    world.pending = replace(on_its_way(world), abandoned=(entry,))


def lose_the_target_beside_it(world: World) -> None:
    give_up_the_published_in_p(world)
    world.target = None


def take_it_out_of_the_list_too(world: World) -> None:
    world.step_until(act.Publish)
    former = record(world).attempt
    world.step()
    world.run(MINUTE)
    world.target = replace(held(world), retiring=(), abandoned=(abandoned(former, time=world.now),))


def damage_the_records_beside_it(world: World) -> None:
    entry = abandoned(record(world).attempt, time=world.now)
    world.target = replace(held(world), published=None, value=None, abandoned=(entry,))


FORGERIES = (
    give_up_the_published,
    give_up_the_published_in_p,
    give_up_the_pending_in_p,
    lose_the_target_beside_it,
    take_it_out_of_the_list_too,
    damage_the_records_beside_it,
)


@pytest.mark.parametrize("forge", FORGERIES)
def test_what_was_published_keeps_its_overlap(forge: Callable[[World], None]) -> None:
    world = issued()
    world.run(10 * MINUTE)
    forge(world)
    world.run(9 * HOUR)
    assert removal_of_first(world) >= OVERLAP
    assert world.condition("Ready") == ("True", "Published")


def removal_of_first(world: World) -> timedelta:
    """Return for how long the first credential was there beside its successor."""
    times = [t for t, a in world.log if isinstance(a, act.Publish)]
    removed = next(t for t, a in world.log if isinstance(a, act.Remove) and a.key_id == FIRST)
    return removed - times[1]


def test_removing_all_that_is_recorded_as_given_up_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        Facts, "is_abandoned", lambda facts, c: facts.attempt_of(c) in facts.abandoned_attempts
    )
    monkeypatch.setattr(publication, "_never_published", lambda _f, known, _s: known)
    world = issued()
    give_up_the_published(world)
    with pytest.raises(BrokenPromiseError, match="overlap"):
        world.run(9 * HOUR)


# --- a key id of another one ------------------------------------------------------------------


def test_a_key_id_counts_only_with_the_attempt_that_made_it() -> None:
    world = issued()
    world.run(4 * HOUR + 5 * MINUTE)
    assert world.published == SECOND_KEY
    edit_record(world, key_id=FIRST)
    look(world)
    leaked = world.entra[SECOND_KEY].start
    asked = replace(SHORT, revoke_issued_before=leaked)
    world.change(replace(SPEC, rotation=asked))
    world.run(11 * MINUTE)
    assert record(world).key_id == THIRD
    assert set(world.entra) == {SECOND_KEY, THIRD}
    assert SECOND_KEY in {r.key_id for r in held(world).retiring if r.removed is None}


def test_believing_a_key_id_alone_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    believe_all(monkeypatch)
    world = issued()
    world.run(4 * HOUR + 5 * MINUTE)
    edit_record(world, key_id=FIRST)
    look(world)
    assert SECOND_KEY in {r.key_id for r in held(world).retiring}


def test_a_pending_secret_that_names_another_key_is_never_published() -> None:
    world = issued()
    world.step_until(act.Publish)
    minted = on_its_way(world).credential
    assert minted is not None
    made_by = on_its_way(world).attempt
    world.seen = application(*world.entra.values(), read_time=world.now)
    world.pending = replace(on_its_way(world), credential=replace(minted, key_id=FIRST))
    world.run(10 * MINUTE)
    assert record(world).attempt != made_by
    assert world.published == THIRD
    assert {FIRST, SECOND_KEY} <= {r.key_id for r in held(world).retiring}


def test_a_key_id_of_another_one_beside_an_attempt_that_is_not_listed_is_damage() -> None:
    world = issued()
    world.run(10 * MINUTE)
    other = attempt("another-uid", 1)
    edit_record(world, attempt=other)
    look(world)
    world.run(5 * MINUTE)
    assert world.published == SECOND_KEY
    assert [r.key_id for r in held(world).retiring] == [FIRST]


# --- an entry that was there before -----------------------------------------------------------


def retire_the_published_long_ago(world: World) -> None:
    old = retiring(FIRST, since=NOW - 100 * HOUR, end=world.entra[FIRST].end)
    world.target = replace(held(world), retiring=(old,), value=None, data={})


def test_a_publish_begins_the_overlap_of_what_it_replaces() -> None:
    world = issued()
    world.run(3 * HOUR)
    retire_the_published_long_ago(world)
    world.run(HOUR)
    assert world.published == SECOND_KEY
    assert FIRST in world.entra
    world.run(6 * HOUR)
    assert removal_of_first(world) >= OVERLAP


def test_keeping_an_entry_that_was_there_before_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def as_it_was(facts: Facts, _successor: object, _now: object) -> object:
        return facts.retiring

    monkeypatch.setattr(publication, "_retiring", as_it_was)
    # What Entra says of the successor would make up for it.
    monkeypatch.setattr(retirement, "replaced_since", lambda _facts, entry: entry.since)
    world = issued()
    world.run(3 * HOUR)
    retire_the_published_long_ago(world)
    with pytest.raises(BrokenPromiseError, match="overlap"):
        world.run(6 * HOUR)


def test_nothing_goes_beside_a_foreign_credential_that_the_record_names() -> None:
    world = issued()
    world.run(4 * HOUR + 5 * MINUTE)
    theirs = replace(world.entra[SECOND_KEY], key_id=THIRD, display_name="made in the portal")
    world.entra[THIRD] = theirs
    edit_record(world, key_id=THIRD, attempt=attempt("nobody", 1))
    world.restart()
    world.run(100 * MINUTE)
    assert {SECOND_KEY, THIRD} <= set(world.entra)


# --- an etcd that was set back ----------------------------------------------------------------


def set_back_to_the_intent(world: World, *, process_began_after: timedelta) -> None:
    """Rotate, and set etcd back to the intent; another process begins so much after that."""
    world.mint_answers = ["lost"]
    world.step_until(act.Mint)
    world.step()
    made = SECOND_KEY
    intent, former = replace(on_its_way(world), holder="operator-1/2"), world.target
    world._workloads.superseded[made] = world.now + 10 * MINUTE  # until then pods hold it
    world.target, world.pending = former, intent
    world.now = intent.intent_time + process_began_after + MINUTE
    world.restart()
    world.started = intent.intent_time + process_began_after


def test_an_intent_of_long_before_this_process_may_have_been_published() -> None:
    world = issued()
    set_back_to_the_intent(world, process_began_after=20 * MINUTE)
    world.run(HOUR)
    assert SECOND_KEY in world.entra
    assert SECOND_KEY in {r.key_id for r in held(world).retiring}
    assert held(world).abandoned == ()


def test_an_intent_of_the_process_before_this_one_is_given_up() -> None:
    world = issued()
    set_back_to_the_intent(world, process_began_after=50 * SECOND)
    world._workloads.superseded.clear()
    world.run(HOUR)
    assert SECOND_KEY not in world.entra


def test_giving_up_every_intent_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending_rules, "_is_known_unpublished", lambda _f, _p: True)
    world = issued()
    set_back_to_the_intent(world, process_began_after=20 * MINUTE)
    with pytest.raises(BrokenPromiseError, match="overlap"):
        world.run(HOUR)
