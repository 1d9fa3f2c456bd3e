"""When a claim on the cluster may be acted by: nobody else does so any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.domain.claim import LATE, RECENT, STALE, Claim
from appcredential.errors import UnavailableError
from appcredential.kube.claim import ClaimSettings, ClusterClaim
from tests.support.api_server import ApiServer
from tests.support.clock import HandClock

PATH: Final = "/apis/coordination.k8s.io/v1/namespaces/default/leases/appcredential-claim"
OWN: Final = Claim(namespace="entra", installation="appcredential", cluster_id="uid")
OTHER: Final = "old/appcredential@uid"
PATIENCE: Final = timedelta(seconds=20)


class Scene:
    """One installation and the Lease."""

    def __init__(self, replaced: str = "") -> None:
        self.kube = ApiServer()
        self.clock = HandClock()
        self.replaced = replaced
        self.claim = self.restarted()

    def restarted(self, **changed: Any) -> ClusterClaim:
        """Begin anew, with these settings in place of the usual ones."""
        settings = ClaimSettings(
            own=OWN, namespace="default", replaced=self.replaced, patience=PATIENCE
        )
        self.claim = ClusterClaim(self.kube, self.clock, replace(settings, **changed))
        return self.claim

    async def look(self, *, leads: bool = True) -> None:
        await self.claim.look(may_take=lambda: leads)

    @property
    def spec(self) -> dict[str, Any]:
        return dict(self.kube.objects[PATH]["spec"])

    def put(self, holder: str) -> None:
        self.kube.put(PATH, {"spec": {"holderIdentity": holder}})

    @property
    def holder(self) -> str:
        return str(self.kube.objects[PATH]["spec"]["holderIdentity"])


async def test_a_free_cluster_is_served_at_once() -> None:
    scene = Scene()
    await scene.look()
    assert (scene.holder, scene.claim.is_held, scene.claim.problem) == (str(OWN), True, "")


async def test_a_standby_only_looks() -> None:
    scene = Scene()
    await scene.look(leads=False)
    assert PATH not in scene.kube.objects
    assert not scene.claim.is_held


async def test_a_claim_that_another_had_is_acted_by_once_that_one_has_seen_it() -> None:
    """Whoever deletes the Lease does not stop the process that held it."""
    scene = Scene()
    scene.put(OTHER)
    await scene.look()
    assert "another installation" in scene.claim.problem
    del scene.kube.objects[PATH]
    await scene.look()
    assert scene.holder == str(OWN)
    assert not scene.claim.is_held
    scene.clock.advance(PATIENCE)
    assert scene.claim.is_held


async def test_a_restart_shortens_no_wait() -> None:
    """The time in the Lease is from before it was written, which may have taken long."""
    scene = Scene(replaced=OTHER)
    scene.put(OTHER)
    await scene.look()
    scene.clock.advance(timedelta(seconds=5))
    claim = scene.restarted()
    await scene.look()
    scene.clock.advance(PATIENCE - timedelta(seconds=1))
    assert not claim.is_held
    scene.clock.advance(timedelta(seconds=1))
    assert claim.is_held


async def test_a_write_that_takes_effect_late_is_waited_for_in_full() -> None:
    scene = Scene(replaced=OTHER)
    scene.put(OTHER)
    await scene.look()
    scene.clock.advance(PATIENCE + LATE)  # the other one saw it just now
    claim = scene.restarted()
    await scene.look()
    assert not claim.is_held
    claim = scene.restarted()
    scene.clock.advance(timedelta(seconds=1))
    await scene.look()
    assert claim.is_held


async def test_a_restart_long_after_waits_for_nothing() -> None:
    scene = Scene(replaced=OTHER)
    scene.put(OTHER)
    await scene.look()
    scene.clock.advance(timedelta(days=1))
    claim = scene.restarted()
    await scene.look()
    assert claim.is_held


async def test_a_time_that_lies_ahead_counts_as_now() -> None:
    scene = Scene()
    spec = {"holderIdentity": str(OWN), "acquireTime": "2099-01-01T00:00:00.0Z"}
    scene.kube.put(PATH, {"spec": {**spec, "leaseTransitions": 1}})
    await scene.look()
    assert not scene.claim.is_held
    scene.clock.advance(PATIENCE)
    await scene.look()
    assert scene.claim.is_held


async def test_two_that_may_replace_each_other_do_not_go_on_doing_so() -> None:
    scene = Scene(replaced=OTHER)
    scene.put(OTHER)
    await scene.look()
    scene.put(OTHER)  # the other one takes it back
    await scene.look()
    assert scene.holder == OTHER
    assert "another installation" in scene.claim.problem


async def test_who_cannot_look_stops_before_another_begins() -> None:
    scene = Scene()
    await scene.look()
    scene.kube.refuse("GET", PATH, "down", status=503, reason="ServiceUnavailable")
    scene.clock.advance(PATIENCE)
    with pytest.raises(UnavailableError):
        await scene.look()
    assert scene.claim.problem == ""
    scene.clock.advance(timedelta(seconds=1))
    assert scene.claim.problem == STALE


async def test_a_shard_that_cannot_look_begins_nothing_that_would_outlast_the_wait_of_others() -> (
    None
):
    """Who writes another number acts when the patience is over, whether this one has seen it."""
    scene = Scene()
    longest = timedelta(seconds=8)
    claim = scene.restarted(shards=2, longest=longest)
    await scene.look()
    scene.clock.advance(PATIENCE)
    await scene.look()
    assert (claim.is_held, claim.may_act) == (True, True)
    scene.clock.advance(PATIENCE - longest)
    assert claim.may_act
    scene.clock.advance(timedelta(seconds=1))
    assert (claim.waits, claim.may_act, claim.problem) == (STALE, False, "")


async def test_a_shard_counts_from_when_its_question_left() -> None:
    """The answer may have been on its way for long."""
    scene = Scene()
    claim = scene.restarted(shards=2)
    await scene.look()
    scene.clock.advance(PATIENCE)

    def be_slow(_method: str, _path: str) -> None:
        scene.clock.advance(timedelta(seconds=15))

    scene.kube.before = be_slow
    await scene.look()
    assert claim.may_act
    scene.clock.advance(timedelta(seconds=6))
    assert claim.waits == STALE


# --- other settings of others -------------------------------------------------------------------

LONG: Final = 3 * PATIENCE


async def test_whoever_acted_with_a_longer_patience_is_waited_for() -> None:
    scene = Scene()
    scene.restarted(shards=2, patience=LONG)
    await scene.look()
    assert scene.spec["leaseDurationSeconds"] == LONG.total_seconds()
    scene.clock.advance(timedelta(days=1))
    writer = scene.restarted(shards=3)
    await scene.look()
    assert scene.spec["leaseDurationSeconds"] == LONG.total_seconds()
    fresh = scene.restarted(shards=3)
    await scene.look(leads=False)
    scene.clock.advance(LONG - timedelta(seconds=1))
    assert (writer.is_held, fresh.is_held) == (False, False)
    for scene.claim in (writer, fresh):
        await scene.look()
    scene.clock.advance(timedelta(seconds=1))
    assert (writer.may_act, fresh.may_act) == (True, True)


async def test_one_acts_no_longer_by_a_look_than_others_wait_for() -> None:
    """Its own patience is longer; until that is recorded, it does without."""
    scene = Scene()
    scene.restarted(shards=2)
    await scene.look()
    scene.clock.advance(timedelta(days=1))
    patient = scene.restarted(shards=2, patience=LONG)
    await scene.look(leads=False)
    scene.clock.advance(PATIENCE)
    assert patient.may_act
    scene.clock.advance(timedelta(seconds=1))
    assert patient.waits == STALE
    before = scene.spec
    await scene.look()
    assert scene.spec == {**before, "leaseDurationSeconds": LONG.total_seconds()}
    scene.clock.advance(LONG)
    assert patient.may_act, "a longer patience is no change that others wait for"


@pytest.mark.parametrize(("shards", "writes"), [(1, 0), (2, 1)])
async def test_what_an_earlier_release_wrote_stays_without_shards(shards: int, writes: int) -> None:
    scene = Scene()
    text = str(OWN) if shards == 1 else f"{shards} shards of {OWN}"
    scene.put(text)
    claim = scene.restarted(shards=shards)
    for _ in range(3):
        await scene.look()
    assert scene.kube.count("PUT", PATH) == writes
    scene.clock.advance(PATIENCE)
    assert claim.may_act


async def test_a_patience_that_may_not_be_recorded_stops_nothing() -> None:
    scene = Scene()
    await scene.look()
    scene.kube.refuse("PUT", PATH, "no")
    claim = scene.restarted(patience=LONG)
    await scene.look()
    assert claim.may_act


# --- what a person wrote, and writes that are late ------------------------------------------------


@pytest.mark.parametrize("deleted", [False, True])
async def test_another_number_is_waited_for_whatever_the_lease_says_of_it(*, deleted: bool) -> None:
    scene = Scene()
    scene.put(f"2 shards of {OWN}")
    await scene.look(leads=False)
    if deleted:
        del scene.kube.objects[PATH]
        await scene.look()
        assert scene.spec["leaseTransitions"] == 1
    else:
        spec = {"holderIdentity": str(OWN), "leaseTransitions": 0}
        scene.kube.put(PATH, {"spec": spec})
        await scene.look()
    assert not scene.claim.may_act
    scene.clock.advance(PATIENCE)
    assert scene.claim.may_act


async def test_a_shard_waits_after_it_started_though_no_other_claim_was_replaced() -> None:
    scene = Scene()
    scene.put(f"2 shards of {OWN}")
    scene.restarted(shards=2)
    await scene.look(leads=False)
    assert scene.claim.waits == RECENT
    scene.clock.advance(PATIENCE)
    await scene.look(leads=False)
    assert scene.claim.waits == ""


async def test_nothing_is_written_long_after_it_was_read() -> None:
    scene = Scene()
    scene.put(f"2 shards of {OWN}")

    def be_slow(_method: str, _path: str) -> None:
        scene.clock.advance(timedelta(seconds=6))

    scene.kube.before = be_slow
    await scene.look()
    assert scene.holder == f"2 shards of {OWN}"


async def test_nothing_is_written_by_whoever_lost_the_lease_meanwhile() -> None:
    scene = Scene()
    leads = [True]
    scene.kube.before = lambda _method, _path: leads.clear()
    await scene.claim.look(may_take=lambda: bool(leads))
    assert PATH not in scene.kube.objects
