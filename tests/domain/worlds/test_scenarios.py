"""Whole chains: what happens from the first apply to the last removal, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from appcredential.domain import actions as act
from appcredential.domain.conditions import Reason
from appcredential.domain.facts.deletion import name_of, revocation_name, scheduled_revocation
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import Owner
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.observed.target import PendingState
from appcredential.domain.proof import SignInClass, SignInResult
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    DeletionPolicy,
    KeyId,
    RetireWhen,
    VerificationMode,
)
from tests.domain.worlds import loop
from tests.domain.worlds.driver import World
from tests.support.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOT_YET,
    NOW,
    SECOND,
    problem,
    rotation,
    spec,
)

SHORT = rotation(renew_before=2 * HOUR, overlap=HOUR)
SPEC = spec(lifetime=6 * HOUR, rotation=SHORT)
FIRST, SECOND_KEY, THIRD = KeyId("key-1"), KeyId("key-2"), KeyId("key-3")


def issued(world: World | None = None) -> World:
    """Return a world in which the first credential is published and all is quiet."""
    world = world if world is not None else World(spec=SPEC)
    world.run(2 * MINUTE)
    assert world.published == FIRST
    return world


def test_first_issue_step_by_step() -> None:
    world = World(spec=SPEC)
    world.run(2 * MINUTE)
    names = world.names()
    assert names[:3] == ["AddFinalizer", "ReadApplication", "Mint"]
    tries = names.count("SignInPending")
    assert names[3:] == ["SignInPending"] * tries + ["Publish", "DeletePending"]
    assert tries >= 3
    assert world.condition("Ready") == ("True", "Published")
    assert world.condition("Verified") == ("True", "Proven")
    assert world.resource.status["observedGeneration"] == 1


def test_the_first_status_says_reconciling_and_no_generation() -> None:
    world = World(spec=SPEC)
    world.run(2 * MINUTE)
    first = world.statuses[0]
    assert first["observedGeneration"] == -1
    assert [c["type"] for c in first["conditions"]][-1] == "Reconciling"


def test_quiet_hours_write_nothing_and_read_once_an_hour() -> None:
    world = issued()
    before = len(world.log)
    world.run(3 * HOUR)
    assert [type(a) for _, a in world.log[before:]] == [act.ReadApplication] * 3


def test_rotation_publishes_before_it_retires() -> None:
    world = issued()
    world.run(6 * HOUR)
    assert world.published == SECOND_KEY
    assert set(world.entra) == {SECOND_KEY}
    times = {type(a).__name__: t for t, a in world.log}
    assert times["Remove"] - times["Publish"] >= HOUR
    world.run(DAY)
    assert len(world.entra) <= 2
    assert {c[0] for c in [world.condition("Ready")] if c} == {"True"}
    assert all(c["type"] != "Reconciling" for s in world.statuses[3:] for c in s["conditions"])


def test_a_restart_after_any_action_loses_nothing() -> None:
    plain = issued()
    plain.run(6 * HOUR)
    for cut in range(len(plain.log)):
        world = World(spec=SPEC)
        for _ in range(cut):
            world.step()
        world.restart()
        world.run(2 * HOUR)
        assert world.condition("Ready") == ("True", "Published"), cut
        assert len(world.entra) <= 2, cut


@pytest.mark.parametrize("fault", ["lost", "crash"])
def test_an_interrupted_mint_is_fenced_and_its_orphan_removed(fault: str) -> None:
    world = World(spec=SPEC, mint_answers=[fault])
    world.run(10 * MINUTE)
    assert world.published == SECOND_KEY
    assert set(world.entra) == {SECOND_KEY}
    removed = [a for _, a in world.log if isinstance(a, act.Remove)]
    assert [(a.key_id, a.cause) for a in removed] == ([(FIRST, None)] if fault == "lost" else [])
    assert world.names()[2:4] == ["Mint", "Fence"]
    assert world.pending is None


def test_an_interrupted_mint_waits_longer_each_time() -> None:
    world = World(spec=SPEC, mint_answers=["crash"] * 4)
    world.run(2 * HOUR)
    mints = [t for t, a in world.log if isinstance(a, act.Mint)]
    waits = [b - a for a, b in pairwise(mints)]
    assert len(waits) == 4
    for number, wait in enumerate(waits):
        assert MINUTE * 2**number <= wait <= MINUTE * 2**number * 1.1 + SECOND


def test_many_interrupted_mints_end_in_one_journal_and_quiet() -> None:
    # More attempts than T's list holds; then the user withdraws what made them needed.
    world = issued()
    world.mint_answers = ["crash"] * 20
    world.change(replace(SPEC, rotation=replace(SHORT, rotate_issued_before=NOW + MINUTE)))
    world.run(HOUR + 15 * MINUTE)
    world.change(SPEC)
    world.run(MINUTE)
    assert world.pending is None
    assert world.target is not None
    assert len(world.target.abandoned) == 5
    assert world.published == FIRST


def test_another_holders_intent_is_left_alone_for_a_minute() -> None:
    world = World(spec=SPEC, mint_answers=["crash"])
    world.step_until(act.Fence)
    assert world.pending is not None
    world.pending = replace(world.pending, holder="operator-1/2")
    fenced = world.now
    world.run(90 * SECOND)
    times = [t for t, a in world.log if isinstance(a, act.Fence)]
    assert len(times) == 1
    assert MINUTE - SECOND <= times[0] - fenced <= MINUTE


def test_a_deleted_target_is_issued_anew_and_the_old_one_kept_for_the_overlap() -> None:
    world = issued()
    world.run(10 * MINUTE)
    world.target = None
    lost = world.now
    world.run(5 * MINUTE)
    assert world.published == SECOND_KEY
    assert world.target is not None
    (entry,) = world.target.retiring
    assert (entry.key_id, str(entry.cause)) == (FIRST, "Stranded")
    world.run(5 * HOUR)
    removed = next(t for t, a in world.log if isinstance(a, act.Remove) and a.key_id == FIRST)
    assert removed - lost >= HOUR


def test_losing_both_secrets_does_not_reset_the_backoff() -> None:
    world = issued()
    world.run(10 * MINUTE)
    for _ in range(3):
        world.target = world.pending = None
        world.restart()
        world.run(10 * SECOND)
    mints = [t for t, a in world.log if isinstance(a, act.Mint)]
    assert len(mints) == 2


def test_an_edit_of_the_target_is_repaired_and_a_foreign_key_kept() -> None:
    world = issued()
    assert world.target is not None
    edited = {
        **world.target.data,
        "AZURE_TENANT_ID": world.target.data["AZURE_CLIENT_ID"],
        "theirs": world.target.data["AZURE_CLIENT_ID"],
    }
    world.target = replace(world.target, data=edited, labels={})
    world.run()
    assert world.names()[-1] == "WriteTarget"
    assert world.target.data["AZURE_TENANT_ID"].reveal() == "11111111-1111-1111-1111-111111111111"
    assert "theirs" in world.target.data
    assert world.published == FIRST


def test_a_damaged_value_is_replaced_by_a_new_credential() -> None:
    world = issued()
    world.run(10 * MINUTE)
    assert world.target is not None
    world.target = replace(world.target, value=None, data={})
    world.run(2 * MINUTE)
    assert world.published == SECOND_KEY
    assert [r.key_id for r in world.target.retiring] == [FIRST]


def test_a_foreign_secret_is_never_touched() -> None:
    world = World(spec=SPEC)
    other = issued()
    assert other.target is not None
    world.target = foreign = replace(other.target, owner="shop/another")
    world.run(HOUR)
    assert world.target == foreign
    assert world.names() == ["AddFinalizer"]
    assert world.condition("Ready") == ("False", "SecretConflict")
    assert world.condition("Stalled") == ("True", "SecretConflict")


def test_a_deletion_leaves_a_ticket_and_never_asks_entra() -> None:
    world = issued()
    world.read_answer = "fails"
    before = len(world.names())
    world.delete()
    world.run(HOUR)
    assert world.names()[before:] == ["ReadCrd", "ScheduleRevocation", "ReleaseFinalizer"]
    assert world.released


def test_a_deletion_with_the_crd_leaves_no_ticket() -> None:
    world = issued()
    world.is_crd_deleted = True
    before = len(world.names())
    world.delete()
    world.run(HOUR)
    assert world.names()[before:] == ["ReadCrd", "ReleaseFinalizer"]


def test_a_ticket_of_an_earlier_life_is_replaced() -> None:
    world = issued()
    world.delete()
    world.schedule_revocation("earlier-uid")
    world.run(MINUTE)
    assert world.revocation_uid == "resource-uid"


def test_applying_again_cancels_the_ticket_and_keeps_the_credential() -> None:
    world = issued()
    world.delete()
    world.run(MINUTE)
    world.apply_again("another-uid")
    before = len(world.names())
    world.run(MINUTE)
    assert world.names()[before:] == ["AddFinalizer", "ReadApplication", "CancelRevocation"]
    assert world.published == FIRST
    assert world.condition("Ready") == ("True", "Published")


def applied_again_under_another_name() -> World:
    """Return a resource that was deleted to be revoked, and is back with another tenantRef."""
    world = issued()
    world.delete()
    world.run(MINUTE)
    world.apply_again("another-uid")
    again = replace(SPEC, tenant="second", deletion_policy=DeletionPolicy.RETAIN)
    world.resource = replace(world.resource, spec=again)
    world.run(MINUTE)
    return world


def test_applying_again_under_another_name_of_the_directory_cancels_the_ticket() -> None:
    world = applied_again_under_another_name()
    assert world.revocations == {}
    world.delete()
    world.run(MINUTE)
    (left,) = world.revocations.values()
    assert (left.tenant, left.policy) == ("second", DeletionPolicy.RETAIN)


def test_a_deletion_replaces_the_ticket_of_an_earlier_life_under_another_name() -> None:
    world = applied_again_under_another_name()
    world.delete()
    earlier = replace(scheduled_revocation(world.observe()), tenant="default", resource_uid="first")
    world.revocations[name_of(earlier)] = earlier
    world.run(MINUTE)
    (left,) = world.revocations.values()
    assert (left.tenant, left.resource_uid) == ("second", "another-uid")


def test_tickets_that_are_found_by_the_name_of_the_tenant_are_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def by_name(
        scheduled: Mapping[str, Revocation], owner: Owner, spec: AppCredentialSpec, **_: object
    ) -> dict[str, Revocation]:
        name = revocation_name(owner, spec.tenant, spec.client_id, spec.type)
        return {name: scheduled[name]} if name in scheduled else {}

    monkeypatch.setattr(loop, "own_revocations", by_name)
    world = applied_again_under_another_name()
    assert [left.policy for left in world.revocations.values()] == [DeletionPolicy.REVOKE]


def test_suspend_stops_everything_and_still_reports() -> None:
    world = issued()
    world.change(replace(SPEC, suspend=True))
    before = len(world.names())
    world.run(5 * HOUR)
    assert set(world.names()[before:]) == {"ReadApplication"}
    assert world.condition("Ready") == ("True", "Suspended")
    assert world.resource.status["observedGeneration"] == 2
    world.run(2 * HOUR)
    assert world.condition("Ready") == ("False", "Expired")
    assert world.condition("Expiring") == ("True", "Expired")
    world.change(SPEC)
    world.run(2 * MINUTE)
    assert world.condition("Ready") == ("True", "Published")


def test_a_withdrawn_grant_issues_nothing_more_but_retires_what_is_due() -> None:
    world = issued()
    world.run(4 * HOUR + 10 * MINUTE)
    assert world.published == SECOND_KEY
    world.grant = problem()
    world.run(2 * HOUR)
    assert set(world.entra) == {SECOND_KEY}
    assert world.condition("Ready") == ("True", "Published")
    assert world.condition("Stalled") == ("True", "GrantWithdrawn")
    world.run(3 * HOUR)
    assert world.condition("Ready") == ("True", "RotationFailing")
    assert world.condition("Stalled") == ("True", "GrantWithdrawn")
    world.run(HOUR)
    assert world.condition("Ready") == ("False", "Expired")
    assert world.condition("Stalled") == ("True", "GrantWithdrawn")
    assert world.count(act.Mint) == 2


def test_a_grant_withdrawn_before_the_publish_holds_the_successor_back() -> None:
    world = World(spec=SPEC)
    world.step_until(act.Publish)
    world.grant = problem()
    world.run(HOUR)
    assert world.target is None
    assert world.condition("Stalled") == ("True", "GrantWithdrawn")


def test_never_granted_asks_nothing_and_stalls_after_two_minutes() -> None:
    world = World(spec=SPEC, grant=problem())
    world.run(MINUTE)
    assert world.condition("Reconciling") == ("True", "NotGranted")
    assert world.condition("Stalled") is None
    world.run(2 * MINUTE)
    assert world.condition("Stalled") == ("True", "NotGranted")
    assert world.condition("Reconciling") is None
    assert world.names() == ["AddFinalizer"]


def test_rotate_issued_before_renews_once() -> None:
    world = issued()
    world.run(30 * MINUTE)
    world.change(replace(SPEC, rotation=replace(SHORT, rotate_issued_before=world.now)))
    world.run(HOUR)
    assert world.published == SECOND_KEY
    assert world.count(act.Mint) == 2


def test_rotate_issued_before_in_the_future_waits_for_it() -> None:
    world = issued()
    moment = world.now + HOUR + 7 * SECOND
    world.change(replace(SPEC, rotation=replace(SHORT, rotate_issued_before=moment)))
    world.run(HOUR)
    assert world.count(act.Mint) == 1
    world.run(5 * MINUTE)
    mints = [t for t, a in world.log if isinstance(a, act.Mint)]
    assert len(mints) == 2
    assert timedelta(0) <= mints[1] - moment <= SECOND


def test_rotate_issued_before_is_obeyed_at_most_every_ten_minutes() -> None:
    world = issued()
    for _ in range(20):
        world.change(replace(SPEC, rotation=replace(SHORT, rotate_issued_before=world.now)))
        world.run(3 * MINUTE)
    publishes = [t for t, a in world.log if isinstance(a, act.Publish)]
    waits = [b - a for a, b in pairwise(publishes)]
    assert waits
    assert min(waits) >= 10 * MINUTE


def test_a_disabled_verification_never_proves_a_successor() -> None:
    unproven = replace(SPEC, verification=spec(verification=VerificationMode.DISABLED).verification)
    world = World(spec=unproven)
    world.run(MINUTE)
    assert world.names()[2:5] == ["Mint", "Publish", "DeletePending"]
    assert world.condition("Verified") == ("Unknown", "Disabled")
    world.run(5 * HOUR)
    mints = [t for t, a in world.log if isinstance(a, act.Mint)]
    publishes = [t for t, a in world.log if isinstance(a, act.Publish)]
    assert publishes[1] - mints[1] >= 30 * SECOND - SECOND
    assert world.count(act.SignInPending) == 0


@pytest.mark.parametrize(
    ("when", "earliest", "latest"),
    [
        (RetireWhen.OVERLAP_ELAPSED, HOUR, HOUR + 10 * MINUTE),
        (RetireWhen.EXPIRED, 2 * HOUR, 2 * HOUR + 30 * MINUTE),
    ],
)
def test_the_replaced_one_is_removed_when_the_spec_says(
    when: RetireWhen, earliest: timedelta, latest: timedelta
) -> None:
    rotating = replace(SHORT, retire_when=when)
    world = issued(World(spec=replace(SPEC, rotation=rotating)))
    world.run(9 * HOUR)
    first = next(t for t, a in world.log if isinstance(a, act.Remove))
    published = [t for t, a in world.log if isinstance(a, act.Publish)][1]
    assert earliest <= first - published <= latest


def test_one_retirement_costs_one_sign_in() -> None:
    world = issued()
    world.run(6 * HOUR)
    assert world.count(act.Remove) == 1
    assert world.count(act.SignInPublished) == 1


def test_nothing_is_removed_while_the_published_one_does_not_sign_in() -> None:
    world = issued()
    world.run(4 * HOUR + 10 * MINUTE)
    assert world.published == SECOND_KEY
    world.answer = lambda key: NOT_YET if key == SECOND_KEY else None
    world.run(HOUR + 30 * MINUTE)
    assert world.count(act.Remove) == 0
    assert world.count(act.SignInPublished) >= 3
    world.run(HOUR)
    (removed,) = [a for _, a in world.log if isinstance(a, act.Remove)]
    assert removed.key_id == FIRST  # expired by then


def test_an_unknown_application_stalls_after_three_reads_over_five_minutes() -> None:
    world = World(spec=SPEC, read_answer="missing")
    world.run(MINUTE)
    assert world.condition("Stalled") is None
    assert world.condition("Reconciling") == ("True", "ApplicationNotFound")
    world.run(6 * MINUTE)
    assert world.condition("Stalled") == ("True", "ApplicationNotFound")
    assert world.count(act.ReadApplication) < 10
    world.read_answer = ""
    world.run(10 * MINUTE)
    assert world.condition("Ready") == ("True", "Published")


def test_an_application_that_vanishes_keeps_what_is_published() -> None:
    world = issued()
    world.read_answer = "missing"
    world.run(2 * HOUR)
    assert world.published == FIRST
    assert world.condition("Ready") == ("False", "ApplicationNotFound")
    assert world.condition("Stalled") == ("True", "ApplicationNotFound")
    world.read_answer = ""
    world.run(10 * MINUTE)
    assert world.published == FIRST
    assert world.condition("Ready") == ("True", "Published")


def test_clocks_apart_stop_everything() -> None:
    world = World(spec=SPEC, skew=5 * MINUTE + SECOND)
    world.run(HOUR)
    assert world.names() == []
    assert world.condition("Stalled") == ("True", "ClockSkew")


@pytest.mark.parametrize("skew", [-4 * MINUTE, 4 * MINUTE])
def test_entras_clock_rules_renewal(skew: timedelta) -> None:
    world = issued(World(spec=SPEC, skew=skew))
    world.run(12 * HOUR)
    assert world.condition("Ready") == ("True", "Published")
    mints = [t for t, a in world.log if isinstance(a, act.Mint)]
    assert len(mints) in {3, 4}


@pytest.mark.parametrize("since", ["start", "stranded", "retiring"])
def test_a_failing_directory_is_asked_at_most_every_ten_seconds(since: str) -> None:
    world = World(spec=SPEC) if since == "start" else issued()
    if since == "stranded":
        world.run(10 * MINUTE)
        assert world.target is not None
        world.target = replace(world.target, retiring=(), annotations={})
    if since == "retiring":
        world.run(4 * HOUR + HOUR)
    world.read_answer = "fails"
    before = world.count(act.ReadApplication)
    world.run(10 * MINUTE)
    assert world.count(act.ReadApplication) - before <= 61
    world.read_answer = ""
    world.run(2 * HOUR)
    assert world.condition("Ready") == ("True", "Published")


def test_a_stale_list_without_the_published_key_changes_nothing() -> None:
    world = issued()
    world.hidden = {FIRST}
    world.run(HOUR + 10 * MINUTE)
    assert world.count(act.Mint) == 1
    assert world.count(act.SignInPublished) >= 1
    assert world.condition("Ready") == ("True", "CredentialMissing")
    world.hidden = set()
    world.run(HOUR)
    assert world.condition("Ready") == ("True", "Published")


def test_a_credential_removed_in_the_portal_is_replaced() -> None:
    world = issued()
    world.run(30 * MINUTE)
    del world.entra[FIRST]
    world.run(HOUR)
    assert world.published == SECOND_KEY
    assert ("False", "SignInRejected") in {
        (c["status"], c["reason"])
        for s in world.statuses
        for c in s["conditions"]
        if c["type"] == "Ready"
    }
    assert world.condition("Ready") == ("True", "Published")
    assert world.condition("Verified") == ("True", "Proven")
    world.run(HOUR)
    assert world.target is not None
    assert world.target.retiring == ()


def test_a_successor_that_never_signs_in_is_given_up_and_kept_for_the_overlap() -> None:
    world = issued()
    world.answer = lambda key: NOT_YET if key == SECOND_KEY else None
    world.run(4 * HOUR + 20 * MINUTE)
    assert world.condition("Verified") == ("False", "SignInRejected")
    assert world.condition("Ready") == ("True", "RotationFailing")
    world.run(40 * MINUTE)
    assert world.published == THIRD
    assert world.condition("Verified") == ("True", "Proven")
    given_up = next(t for t, a in world.log if isinstance(a, act.DeletePending | act.Fence))
    world.run(6 * HOUR)
    (removed,) = [t for t, a in world.log if isinstance(a, act.Remove) if a.key_id == SECOND_KEY]
    assert removed - given_up >= HOUR


def test_errors_of_the_network_give_no_successor_up() -> None:
    offline = SignInResult(SignInClass.TRANSIENT, Reason.TOKEN_ENDPOINT_UNAVAILABLE)
    world = World(spec=SPEC, answer=lambda _: offline)
    world.run(HOUR)
    world.answer = lambda _: NOT_YET
    world.run(6 * MINUTE)
    world.answer = lambda _: None
    world.run(10 * MINUTE)
    assert world.published == FIRST
    assert world.count(act.Fence) == 0


def test_a_flapping_list_after_a_removal_costs_few_reads() -> None:
    world = issued()
    world.run(4 * HOUR + 10 * MINUTE)
    assert world.target is not None
    assert [r.key_id for r in world.target.retiring] == [FIRST]
    world.hidden = {FIRST}
    world.run(44 * MINUTE)  # one resync misses it: noted as removed
    world.hidden = set()
    before = world.count(act.ReadApplication)
    world.run(8 * MINUTE)
    assert world.count(act.ReadApplication) - before <= 4


def test_a_successor_restored_from_a_backup_is_never_published() -> None:
    world = World(spec=SPEC)
    world.step_until(act.Publish)
    copy = world.pending
    assert copy is not None
    world.run(5 * HOUR)
    world.pending = replace(copy, uid="restored-uid")
    before = world.published
    world.step_until(act.DeletePending)
    world.run(MINUTE)
    assert world.published == before
    assert world.pending is None


def test_a_minted_successor_without_its_records_is_deleted() -> None:
    world = World(spec=SPEC)
    world.step_until(act.SignInPending)
    assert world.pending is not None
    assert world.pending.state is PendingState.MINTED
    world.pending = replace(world.pending, credential=None)
    world.run(5 * MINUTE)
    assert world.published == SECOND_KEY


def test_another_object_under_the_same_client_id_stalls() -> None:
    world = issued()
    assert world.target is not None
    world.target = replace(world.target, object_id="another-object")  # type: ignore[arg-type]
    before = len(world.names())
    world.run(10 * MINUTE)
    assert world.names()[before:] == []
    assert world.condition("Ready") == ("False", "ApplicationChanged")


def test_no_secret_value_reaches_a_status() -> None:
    world = issued()
    world.run(12 * HOUR)
    assert "canary" not in repr(world.statuses)


def test_ninety_days_by_default_renew_after_sixty() -> None:
    world = World(
        spec=spec(), settings=LifecycleSettings(secret_check=6 * HOUR, directory_resync=DAY)
    )
    world.run(2 * MINUTE)
    world.run(58 * DAY)
    assert world.published == FIRST
    world.run(2 * DAY)
    assert world.published == SECOND_KEY
    assert set(world.entra) == {FIRST, SECOND_KEY}
    world.run(16 * DAY)
    assert set(world.entra) == {SECOND_KEY}
