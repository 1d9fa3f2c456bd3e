"""What holds for every decision, and that each promise is shown to catch a rule that breaks it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appcredential.domain import actions as act
from appcredential.domain import lifecycle
from appcredential.domain import proof as signin
from appcredential.domain.conditions import Condition, ConditionType, Reason
from appcredential.domain.facts import assessment
from appcredential.domain.facts import restart as restart_facts
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.successor import needs_successor
from appcredential.domain.lifecycle import GATES
from appcredential.domain.marker import parse_marker
from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.observation import Observation
from appcredential.domain.observed.target import Pending, PendingState, Retiring
from appcredential.domain.rules import issuing as issuing_rules
from appcredential.domain.rules import removal as removal_rules
from appcredential.domain.rules import target as target_rules
from appcredential.domain.spec.model import Mode
from tests.domain.worlds.loop import BrokenPromiseError
from tests.domain.worlds.observations import observe
from tests.domain.worlds.promises import AGAIN, PROMISES, check
from tests.support import breaking
from tests.support.breaking import Rule
from tests.support.builders import DAY

pytestmark = pytest.mark.walk

Break = Callable[[pytest.MonkeyPatch], None]

FEDERATED = {
    act.ReadFederated,
    act.CreateFederated,
    act.PatchFederated,
    act.DeleteFederated,
    act.ProveFederated,
    act.AnnotateServiceAccount,
    act.WriteOutput,
}
"""Of a type with a world of its own: tests/domain/worlds/federated_world.py."""
MANY = 8000
"""How many observations are looked at for one that shows a broken rule."""


@settings(derandomize=True, max_examples=800, deadline=None)
@given(seed=st.integers(0, 2**32))
@example(seed=0)
@example(seed=1205)
@example(seed=2559)
@example(seed=4101)
@example(seed=7007)
@example(seed=8952)
@example(seed=10889)
@example(seed=11194)
def test_every_decision_keeps_every_promise(seed: int) -> None:
    check(observe(seed), (*PROMISES, *AGAIN))


def test_the_observations_reach_every_kind_of_action() -> None:
    wanted = set(act.Action.__args__) - {act.Hold}  # what a gate says; never an action to do
    wanted -= FEDERATED
    for seed in range(MANY):
        wanted.discard(type(lifecycle.decide(observe(seed)).action))
        if not wanted:
            return
    assert not wanted


def test_they_are_the_same_every_time() -> None:
    assert observe(7) == observe(7)
    assert observe(7) != observe(8)


# --- broken on purpose ---------------------------------------------------------------------


def patch(owner: object, name: str, *, to: Any) -> Break:
    return lambda m: m.setattr(owner, name, to)


def patch_rules(name: str, *, to: Any) -> Break:
    return lambda m: breaking.in_rules(m, name, to)


def patch_status(name: str, *, to: Any) -> Break:
    return lambda m: breaking.within(m, "status", name, to)


def with_rule(name: str, broken: Rule) -> Break:
    return lambda m: breaking.with_rule(m, name, broken)


def without(name: str) -> Break:
    """Leave a rule or a gate out."""
    if any(g.__name__ == name for g in GATES):
        return patch(lifecycle, "GATES", to=tuple(g for g in GATES if g.__name__ != name))
    return with_rule(name, lambda _: None)


def ours_in_any_cluster(observation: Observation, c: Credential) -> bool:
    marker = parse_marker(c.display_name)
    return marker is not None and marker.is_usable_by(
        observation.identity, observation.resource.owner
    )


def what_it_may_use(observation: Observation, c: Credential) -> bool:
    marker, identity = parse_marker(c.display_name), observation.identity
    owner = observation.resource.owner
    return marker is not None and (
        marker.is_removable_by(identity, owner) or marker.is_adopted_by(identity, owner)
    )


def anybodys(_: Observation, c: Credential) -> bool:
    return parse_marker(c.display_name) is not None


def even_the_unmarked(_o: Observation, _c: Credential) -> bool:
    return True


def never_sleeps_well(facts: Facts) -> datetime:
    return facts.now


def without_the_floor(facts: Facts, r: Retiring) -> datetime:
    return r.since + (facts.schedule.overlap if facts.schedule is not None else DAY)


def without_a_proof(facts: Facts, r: Retiring) -> act.Action | None:
    return removal_rules._removal(facts, r.key_id, r.cause)


def any_intent(facts: Facts) -> act.Action | None:
    p = facts.pending
    return act.Fence("") if p is not None and p.state is PendingState.INTENT else None


def any_failure(facts: Facts, p: Pending) -> bool:
    proof = facts.memory.pending_proof
    return proof is not None and proof.attempt == p.attempt and proof.tries_failed > 3


def mints_beside(facts: Facts) -> act.Action | None:
    ok = facts.is_granted and facts.is_fresh and not facts.is_paused and needs_successor(facts)
    return (
        act.Mint(facts.pending.attempt_number + 1 if facts.pending else 1, (), facts.lifetime)
        if ok
        else None
    )


def repeats_its_number(facts: Facts) -> act.Action | None:
    found = issuing_rules.successor_is_needed(facts)
    return replace(found, attempt_number=1) if isinstance(found, act.Mint) else found


def forgets_the_attempt(facts: Facts) -> act.Action | None:
    p = facts.pending
    unneeded = p is not None and p.state is PendingState.ABANDONED and facts.target is not None
    return act.DeletePending("") if unneeded and not needs_successor(facts) else None


def tidies_up(facts: Facts) -> act.Action | None:
    tidy = facts.successor is not None and facts.has_valid_published
    return act.DeletePending("") if tidy else None


def begins_anew(facts: Facts) -> act.Action | None:
    anew = tuple(replace(r, since=facts.now) for r in facts.retiring)
    return None if anew == facts.retiring else target_rules.write_target(facts, "", retiring=anew)


def forgets_orphans(facts: Facts) -> act.Action | None:
    t = facts.target
    return (
        target_rules.write_target(facts, "", abandoned=())
        if t is not None and t.abandoned
        else None
    )


def looks_at_the_first(facts: Facts) -> act.Action | None:
    found = next(iter(facts.ours), None)
    return (
        target_rules.write_target(facts, "")
        if facts.retiring and found == facts.retiring[0].key_id
        else None
    )


def shows_the_value(_o: Observation, t: Any, _p: Any) -> dict[str, str]:
    return {"keyId": _p.key_id, "value": t.value.reveal() if t.value is not None else ""}


def both_at_once(*_: object) -> list[Any]:
    kinds = (ConditionType.STALLED, ConditionType.RECONCILING)
    reason = Reason.PROGRESSING
    return [Condition(type=kind, status="True", reason=reason, message="") for kind in kinds]


BROKEN: list[tuple[str, Break, str]] = [
    (
        "the published one is not told apart",
        patch_rules("is_published", to=lambda _f, _k: False),
        "the published stays",
    ),
    (
        "the pending one is not told apart",
        patch(Facts, "is_pending", to=lambda _f, _c: False),
        "the pending one stays",
    ),
    (
        "a cloned cluster's counts as ours",
        patch(assessment, "_is_ours", to=ours_in_any_cluster),
        "nothing of a cloned cluster",
    ),
    (
        "what is adopted counts as its own",
        patch(assessment, "_is_ours", to=what_it_may_use),
        "nothing of another cluster",
    ),
    (
        "another resource's counts as ours",
        patch(assessment, "_is_ours", to=anybodys),
        "nothing of another resource",
    ),
    (
        "another cluster's counts as ours",
        patch(assessment, "_is_ours", to=anybodys),
        "nothing of another cluster",
    ),
    (
        "a portal's counts as ours",
        patch(assessment, "_is_ours", to=even_the_unmarked),
        "nothing without our marker",
    ),
    ("any read will do", patch(Facts, "is_fresh", to=True), "rests on an old read"),
    ("Entra's wish is not heard", patch(Facts, "is_paused", to=False), "left alone"),
    (
        "the overlap is not waited for",
        patch_rules("retire_time", to=lambda _f, r: r.since),
        "the overlap is kept",
    ),
    (
        "the spec's Expired is not read",
        patch_rules("retire_time", to=lambda f, _r: f.now),
        "Expired is never early",
    ),
    (
        "the floor after a publish is not kept",
        patch_rules(
            "retire_time",
            to=lambda f, r: r.since + (f.schedule.overlap if f.schedule else DAY),
        ),
        "ten minutes of a publish",
    ),
    (
        "any survivor will do",
        patch_rules("_may_retire", to=lambda f, _r: f.published is not None),
        "lives longer",
    ),
    (
        "no survivor will do",
        patch_rules(
            "_proven_removal", to=lambda f, r: removal_rules._removal(f, r.key_id, r.cause)
        ),
        "signed in just now",
    ),
    (
        "whatever retires may go",
        patch_rules("real_end", to=lambda f, r: f.entra_now - DAY),
        "Expired is never early|the overlap is kept",
    ),
    (
        "stranded counts as orphaned",
        patch(Facts, "is_abandoned", to=lambda _f, _c: True),
        "only when retiring|Expired is never early|the overlap is kept",
    ),
    (
        "no proof is asked for",
        patch_rules("_is_proven", to=lambda _f, _p: True),
        "its own proof counts",
    ),
    ("one success proves it", patch(Facts, "proof_count", to=1), "often enough"),
    (
        "an old proof counts",
        patch(signin.Proof, "proves", to=lambda p, _n, *, count, max_age: p.successes >= count),
        "only a young proof",
    ),
    (
        "an unproven one is published at once",
        patch_rules("unproven_publish_time", to=lambda f, _p: f.now),
        "settles first",
    ),
    ("the grant is not read", patch(Facts, "is_granted", to=True), "published without a grant"),
    ("the grant is not read", patch(Facts, "is_granted", to=True), "issued without a grant"),
    ("the grant is not read", patch(Facts, "is_granted", to=True), "no sign-in without a grant"),
    ("a copy is a P too", without("pending_secret_is_a_copy"), "no copy is published"),
    (
        "a used P is a P too",
        without("pending_secret_is_done"),
        "nothing older|nothing that retires",
    ),
    ("given up is not for good", without("pending_secret_is_done"), "nothing given up"),
    ("a damaged P is a P too", without("successor_is_useless"), "only an intact one|a value to"),
    (
        "issuing never ends",
        patch_rules("needs_successor", to=lambda _f: True),
        "before it is due",
    ),
    ("two at a time", with_rule("successor_is_needed", mints_beside), "one successor at a time"),
    ("a number is used twice", with_rule("successor_is_needed", repeats_its_number), "no attempt"),
    (
        "the ceilings are not read",
        patch(assessment, "allowed_lifetime", to=lambda *_: 90 * DAY),
        "no longer than",
    ),
    ("intents are fenced", with_rule("intent_was_interrupted", any_intent), "mint in flight"),
    (
        "any failure counts against it",
        patch_rules("_will_never_sign_in", to=any_failure),
        "only refusals",
    ),
    ("P is tidied up", with_rule("pending_secret_is_done", tidies_up), "on its way is kept"),
    (
        "P is forgotten",
        with_rule("pending_secret_is_unneeded", forgets_the_attempt),
        "what was fenced is noted first",
    ),
    (
        "no journal",
        patch_rules("carried_attempts", to=lambda _f, _p: ()),
        "what was fenced is noted",
    ),
    (
        "entries are dropped",
        patch_rules("_is_dropped", to=lambda _f, _r: True),
        "what retires is not forgotten",
    ),
    ("the overlap begins anew", with_rule("target_rendering_differs", begins_anew), "begun anew"),
    (
        "orphans are dropped",
        with_rule("target_rendering_differs", forgets_orphans),
        "given up is not",
    ),
    (
        "whoever was not restarted goes on",
        patch_rules("is_restart_open", to=lambda _f: False),
        "until they are restarted",
    ),
    ("it restarts at once", patch_rules("is_restart_safe", to=lambda _f: True), "new pods read"),
    ("no window is read", patch_rules("restart_opening", to=lambda _f: None), "the windows"),
    ("any sign-in will do", patch_rules("signs_in", to=lambda _f, _a: True), "new pods read signs"),
    ("two are restarted", patch(restart_facts, "_first", to=lambda _w, _p: None), "one after"),
    ("failures are nothing", patch(restart_facts, "_stops", to=lambda *_: iter(())), "a failure"),
    ("no gate 0", without("effects_are_blocked"), "while blocked"),
    ("no gate 1", without("resource_is_being_deleted"), "while being deleted"),
    ("no gate 2", without("deletion_is_unprepared"), "before the finalizer"),
    ("no record", patch_rules("_may_issue", to=lambda _o: False), "issued unrecorded"),
    ("no gate 3", without("revocation_is_scheduled"), "while a deletion is open"),
    (
        "suspended is not read",
        patch(Facts, "observes", to=property(lambda facts: facts.spec.mode is Mode.OBSERVE)),
        "while suspended",
    ),
    ("no gate 4", without("spec_tenant_or_grant_is_unusable"), "not one call"),
    (
        "whatever waits for another's Secret is given up",
        patch_rules("_is_unpublished", to=lambda _f, _p: True),
        "the pending one stays|only when retiring",
    ),
    ("no gate 5", without("secret_is_not_ours_to_write"), "a foreign Secret|cannot be written"),
    (
        "it signs in though nobody asked",
        patch(Facts, "requires_proof", to=True),
        "where none is wanted",
    ),
    ("it never sleeps", patch_rules("next_look", to=never_sleeps_well), "it never spins"),
    (
        "it sleeps for good",
        patch_rules("next_look", to=lambda f: f.now + timedelta(days=999)),
        "it never sleeps for good",
    ),
    (
        "expiry is not read",
        patch_status("valid_published", to=lambda o: o.target and o.target.published),
        "Ready is true only",
    ),
    ("the value is told", patch_status("_credential", to=shows_the_value), "no value"),
    ("both at once", patch_status("abnormal", to=both_at_once), "passes by itself"),
    ("status is written again", patch(lifecycle, "needs_write", to=lambda *_: True), "once"),
    (
        "the order counts",
        with_rule("target_rendering_differs", looks_at_the_first),
        "the order of a list",
    ),
]


@pytest.mark.parametrize(
    ("broken", "told"), [b[1:] for b in BROKEN], ids=[f"{b[0]}: {b[2]}" for b in BROKEN]
)
def test_a_broken_rule_is_caught(monkeypatch: pytest.MonkeyPatch, broken: Break, told: str) -> None:
    broken(monkeypatch)
    with pytest.raises(BrokenPromiseError, match=told):
        hunt(told)


def hunt(told: str) -> None:
    """Look for an observation that shows the broken promise of these words."""
    promises = AGAIN if told in {"once", "the order of a list"} else PROMISES
    for seed in range(MANY):
        try:
            check(observe(seed), promises)
        except AssertionError as error:
            if isinstance(error, BrokenPromiseError) and re.search(told, str(error)):
                raise
