"""When a claim on the cluster may be acted by: nobody else does so any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest

from appcredential.domain.claim import STALE, Claim
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

    def restarted(self) -> ClusterClaim:
        settings = ClaimSettings(
            own=OWN, namespace="default", replaced=self.replaced, patience=PATIENCE
        )
        self.claim = ClusterClaim(self.kube, self.clock, settings)
        return self.claim

    def put(self, holder: str) -> None:
        self.kube.put(PATH, {"spec": {"holderIdentity": holder}})

    @property
    def holder(self) -> str:
        return str(self.kube.objects[PATH]["spec"]["holderIdentity"])


async def test_a_free_cluster_is_served_at_once() -> None:
    scene = Scene()
    await scene.claim.look(take=True)
    assert (scene.holder, scene.claim.is_held, scene.claim.problem) == (str(OWN), True, "")


async def test_a_standby_only_looks() -> None:
    scene = Scene()
    await scene.claim.look(take=False)
    assert PATH not in scene.kube.objects
    assert not scene.claim.is_held


async def test_a_claim_that_another_had_is_acted_by_once_that_one_has_seen_it() -> None:
    """Whoever deletes the Lease does not stop the process that held it."""
    scene = Scene()
    scene.put(OTHER)
    await scene.claim.look(take=True)
    assert "another installation" in scene.claim.problem
    del scene.kube.objects[PATH]
    await scene.claim.look(take=True)
    assert scene.holder == str(OWN)
    assert not scene.claim.is_held
    scene.clock.advance(PATIENCE)
    assert scene.claim.is_held


async def test_a_restart_shortens_no_wait() -> None:
    scene = Scene(replaced=OTHER)
    scene.put(OTHER)
    await scene.claim.look(take=True)
    scene.clock.advance(timedelta(seconds=5))
    claim = scene.restarted()
    await claim.look(take=True)
    assert not claim.is_held
    scene.clock.advance(timedelta(seconds=14))
    assert not claim.is_held
    scene.clock.advance(timedelta(seconds=1))
    assert claim.is_held


async def test_a_restart_long_after_waits_for_nothing() -> None:
    scene = Scene(replaced=OTHER)
    scene.put(OTHER)
    await scene.claim.look(take=True)
    scene.clock.advance(timedelta(days=1))
    claim = scene.restarted()
    await claim.look(take=True)
    assert claim.is_held


async def test_a_time_that_lies_ahead_counts_as_now() -> None:
    scene = Scene()
    spec = {"holderIdentity": str(OWN), "acquireTime": "2099-01-01T00:00:00.0Z"}
    scene.kube.put(PATH, {"spec": {**spec, "leaseTransitions": 1}})
    await scene.claim.look(take=True)
    assert not scene.claim.is_held
    scene.clock.advance(PATIENCE)
    await scene.claim.look(take=True)
    assert scene.claim.is_held


async def test_two_that_may_replace_each_other_do_not_go_on_doing_so() -> None:
    scene = Scene(replaced=OTHER)
    scene.put(OTHER)
    await scene.claim.look(take=True)
    scene.put(OTHER)  # the other one takes it back
    await scene.claim.look(take=True)
    assert scene.holder == OTHER
    assert "another installation" in scene.claim.problem


async def test_who_cannot_look_stops_before_another_begins() -> None:
    scene = Scene()
    await scene.claim.look(take=True)
    scene.kube.refuse("GET", PATH, "down", status=503, reason="ServiceUnavailable")
    scene.clock.advance(PATIENCE)
    with pytest.raises(UnavailableError):
        await scene.claim.look(take=True)
    assert scene.claim.problem == ""
    scene.clock.advance(timedelta(seconds=1))
    assert scene.claim.problem == STALE
