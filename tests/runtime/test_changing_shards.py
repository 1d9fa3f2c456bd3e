"""While the number of shards changes, no two processes act on one namespace, and none is forgotten.

Whole rollouts in virtual time: pods of the former and of the next number side by side, pods that
crash, pods that reach no API server, and clocks that differ.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from appcredential.domain.claim import Record, has_to_wait
from appcredential.kube import claim_wait
from appcredential.kube.claim import ClusterClaim
from appcredential.kube.claim_wait import ClaimWait
from appcredential.runtime.effect_guard import EffectGuard
from tests.support.shard_scene import (
    CLAIM,
    LONG,
    NAMESPACES,
    OWN,
    RENEW,
    SETTINGS,
    SLOW,
    Scene,
    dice_of,
)

REQUEST: Final = 20
"""Seconds after which a request ends without an answer; it may have been served until then."""
CHANGES: Final = ((1, 2), (2, 1), (2, 3), (3, 1), (1, 16))


@pytest.mark.parametrize(("former", "count"), CHANGES)
async def test_a_change_has_no_two_act_at_once_and_leaves_nobody_out(
    former: int, count: int
) -> None:
    scene = Scene(dice_of(former * 100 + count), skewed=timedelta(minutes=4))
    await scene.settled(former)
    await scene.roll_out(count)
    await scene.pass_time(LONG)
    assert scene.clashes == []
    scene.assert_each_is_served_once()


@pytest.mark.parametrize("seed", range(20))
async def test_nor_does_one_in_which_much_goes_wrong(seed: int) -> None:
    scene = Scene(dice_of(seed), skewed=timedelta(minutes=4))
    former, count = scene.dice.choice(CHANGES[:4])
    await scene.settled(former)
    await scene.roll_out(count, rough=True)
    await scene.pass_time(LONG)
    assert scene.clashes == []
    scene.assert_each_is_served_once()


async def test_the_former_leader_of_all_keeps_the_shards_waiting() -> None:
    """No process of the next number writes it as long as one without shards leads."""
    scene = Scene()
    (former,) = await scene.settled(1, replicas=1)
    for number in range(2):
        scene.start(number, 2)
    await scene.pass_time(LONG)
    assert {name for names in scene.served().values() for name in names} == {former.name}
    assert scene.kube.objects[CLAIM]["spec"]["holderIdentity"] == str(OWN)
    scene.crash(former)
    await scene.pass_time(LONG)
    assert scene.kube.objects[CLAIM]["spec"]["holderIdentity"] == f"2 shards of {OWN}"
    scene.assert_each_is_served_once()
    assert scene.clashes == []


async def test_a_crash_in_the_middle_of_a_change_is_made_up_for() -> None:
    scene = Scene()
    for former in await scene.settled(2):
        await scene.end(former)
    first = scene.start(0, 3)
    await scene.pass_time(2 * RENEW)
    assert scene.kube.objects[CLAIM]["spec"]["holderIdentity"] == f"3 shards of {OWN}"
    scene.crash(first)
    for number in range(3):
        scene.start(number, 3)
    await scene.pass_time(LONG)
    scene.assert_each_is_served_once()
    assert scene.clashes == []


async def test_a_claim_that_was_restored_or_deleted_is_written_again_and_waited_for() -> None:
    scene = Scene()
    old = dict((await _claimed(scene, 3))["spec"])
    await scene.roll_out(2)
    await scene.pass_time(LONG)
    scene.kube.put(CLAIM, {"spec": old})
    await scene.pass_time(2 * RENEW)
    assert scene.served() == {namespace: [] for namespace in NAMESPACES}
    await scene.pass_time(LONG)
    scene.assert_each_is_served_once()
    del scene.kube.objects[CLAIM]
    await scene.pass_time(2 * RENEW)
    assert scene.served() == {namespace: [] for namespace in NAMESPACES}
    await scene.pass_time(LONG)
    scene.assert_each_is_served_once()
    assert scene.clashes == []


async def _claimed(scene: Scene, count: int) -> dict[str, Any]:
    await scene.settled(count)
    return scene.kube.objects[CLAIM]


async def test_a_shard_without_the_right_to_the_claim_does_nothing() -> None:
    """Without shards it would work on; here another number may be recorded."""
    scene = Scene()
    await scene.settled(2)
    refusal = scene.kube.refuse("GET", CLAIM, "no")
    await scene.pass_time(2 * RENEW)
    assert scene.served() == {namespace: [] for namespace in NAMESPACES}
    assert "may not read and write the Lease" in scene.pods[0].claim.problem
    scene.kube.refusals.remove(refusal)
    await scene.pass_time(LONG)
    scene.assert_each_is_served_once()


async def test_without_shards_there_is_no_write_but_the_first() -> None:
    scene = Scene()
    await scene.settled(1)
    assert scene.kube.count("PUT POST", "appcredential-claim") == 0
    assert scene.kube.count("POST", CLAIM.rpartition("/")[0]) == 1
    assert scene.kube.objects[CLAIM]["spec"]["holderIdentity"] == str(OWN)
    assert scene.kube.count("GET", "appcredential-shard") == 0


# --- other settings, writes that are late, and what a person writes ------------------------------


async def with_other_settings(late: int) -> list[str]:
    """Have leaseDuration fall together with another number, while a former one cannot look."""
    scene = Scene(dice_of(late), settings=SLOW)
    former = await scene.settled(2, replicas=1)
    await scene.pass_time(late)
    scene.settings = SETTINGS
    scene.start(0, 3)
    former[1].is_blind = True
    await scene.end(former[0])
    await scene.pass_time(2 * RENEW)
    assert scene.kube.objects[CLAIM]["spec"]["holderIdentity"] == f"3 shards of {OWN}"
    for number in range(3):  # they have never seen what was recorded before
        scene.start(number, 3)
    await scene.pass_time(2 * LONG)
    former[1].is_blind = False
    await scene.pass_time(LONG)
    await scene.end(former[1])
    await scene.pass_time(LONG)
    scene.assert_each_is_served_once()
    return scene.clashes


async def with_a_late_write(late: int) -> list[str]:
    """Have the new number take effect late; then a former one sees nothing, and new ones start."""
    scene = Scene(dice_of(late))
    former = await scene.settled(2, replicas=1)
    scene.kube.delay("PUT", CLAIM)
    writer = scene.start(0, 3)
    await scene.end(former[0])
    for _ in range(LONG):
        if not scene.kube.late:
            await scene.pass_time(1)
    scene.crash(writer)
    await scene.pass_time(late)
    scene.kube.arrive()
    former[1].is_blind = True
    for number in range(3):
        scene.start(number, 3)
    await scene.pass_time(LONG)
    await scene.end(former[1])
    await scene.pass_time(LONG)
    scene.assert_each_is_served_once()
    return scene.clashes


async def with_a_number_by_hand() -> list[str]:
    """Have a person write another number, as that of a claim that replaced none."""
    scene = Scene()
    await scene.settled(1, replicas=1)
    for number in range(2):
        scene.start(number, 2)
    await scene.pass_time(100)
    spec = scene.kube.objects[CLAIM]["spec"]
    assert spec["leaseTransitions"] == 0
    scene.kube.put(CLAIM, {"spec": {**spec, "holderIdentity": f"2 shards of {OWN}"}})
    await scene.pass_time(LONG)
    return scene.clashes


async def with_a_restored_number() -> list[str]:
    """Have the claim restored from before there were shards, just before one shard is recorded."""
    scene = Scene()
    (alone,) = await scene.settled(1, replicas=1)
    backup = dict(scene.kube.objects[CLAIM]["spec"])
    both = [scene.start(number, 2) for number in range(2)]
    await scene.end(alone)
    await scene.pass_time(LONG)
    again = scene.start(0, 1)
    await scene.pass_time(RENEW)
    await scene.end(both[0])
    scene.kube.put(CLAIM, {"spec": backup})
    await scene.pass_time(LONG)
    assert again.guard.problem() is None
    return scene.clashes


@pytest.mark.parametrize("late", range(0, 60, 10))
async def test_settings_that_change_with_the_number_have_no_two_act_at_once(late: int) -> None:
    assert await with_other_settings(late) == []


@pytest.mark.parametrize("late", [0, 10, REQUEST - 1, REQUEST])
async def test_a_number_that_is_recorded_late_is_not_believed(late: int) -> None:
    assert await with_a_late_write(late) == []


async def test_a_number_that_a_person_wrote_or_restored_is_waited_for() -> None:
    assert await with_a_number_by_hand() == []
    assert await with_a_restored_number() == []


# --- deliberately broken --------------------------------------------------------------------------


@pytest.mark.parametrize("broken", ["number", "patience", "mint"])
async def test_the_world_catches_a_process_that_does_not_wait(
    monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """The number that is recorded, or the wait after it, means nothing, or nothing at an issue."""
    if broken == "number":
        monkeypatch.setattr(ClusterClaim, "waits", "")
    elif broken == "patience":
        monkeypatch.setattr(ClaimWait, "is_over", property(lambda _: True))
    else:
        monkeypatch.setattr(EffectGuard, "allows_mint", _asks_the_lease_alone)
    clashes: list[str] = []
    for seed in range(6):
        scene = Scene(dice_of(seed))
        await scene.settled(2)
        await scene.roll_out(3)
        clashes += scene.clashes
    assert clashes


def _asks_the_lease_alone(guard: EffectGuard) -> bool:
    return not guard.stopping and guard.remaining() >= guard.mint_margin.total_seconds()


async def test_the_world_catches_a_patience_that_is_not_carried_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = property(lambda wait: int(wait._patience.total_seconds()))
    monkeypatch.setattr(ClaimWait, "seconds", own)
    assert any([await with_other_settings(late) for late in range(0, 60, 10)])


async def test_the_world_catches_a_late_write_that_is_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    note = ClaimWait.note

    def counts_from_the_time_in_it(wait: ClaimWait, record: Record, now: datetime) -> None:
        is_first = wait._before is None
        note(wait, record, now)
        if is_first and record.written is not None:
            wait._begin -= (now - record.written).total_seconds()

    monkeypatch.setattr(ClaimWait, "note", counts_from_the_time_in_it)
    assert await with_a_late_write(REQUEST)


async def test_the_world_catches_one_that_trusts_what_the_lease_says_of_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def is_told(before: Record | None, latest: Record, **given: Any) -> bool:
        return latest.is_replaced and has_to_wait(before, latest, **given)

    monkeypatch.setattr(claim_wait, "has_to_wait", is_told)
    assert await with_a_number_by_hand()
    assert await with_a_restored_number()
