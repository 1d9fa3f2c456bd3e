"""Two installations in one cluster: the second touches nothing until it is told to follow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.domain.marker import ClusterIdentity
from tests.runtime.test_loops import LEASE, Running, installed, until
from tests.support.api_server import ApiServer
from tests.support.builders import IDENTITY, SYSTEM_UID

CLAIM: Final = "/apis/coordination.k8s.io/v1/namespaces/default/leases/appcredential-claim"
OURS: Final = f"appcredential-system/appcredential@{SYSTEM_UID}"
OTHERS: Final = f"entra/appcredential@{SYSTEM_UID}"
ROUNDS: Final = 5
WRITES: Final = "POST PUT PATCH DELETE"


def holder(kube: ApiServer) -> str:
    return str(kube.objects[CLAIM]["spec"]["holderIdentity"])


def claimed(by: str) -> ApiServer:
    kube = installed()
    kube.put(CLAIM, {"spec": {"holderIdentity": by}})
    return kube


def acts(running: Running) -> bool:
    return running.operator._guard.problem() is None


async def refused(kube: ApiServer, running: Running) -> str:
    """Wait until it looked at the claim several times; return what it says."""
    await until(lambda: kube.count("GET", CLAIM) >= ROUNDS)
    assert not acts(running)
    assert not running.operator._lease.is_leader()
    assert kube.count(WRITES, "/") == 0, "it touched something"
    assert kube.count("GET", LEASE) == 0
    assert running.operator._livez() == ""
    return running.operator._readyz()


async def test_the_first_one_claims_the_cluster_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = installed()
    running = Running(kube, monkeypatch)
    await until(lambda: acts(running))
    assert holder(kube) == OURS
    written = kube.objects[CLAIM]["metadata"]["resourceVersion"]
    await until(lambda: kube.count("GET", CLAIM) >= ROUNDS)
    assert kube.objects[CLAIM]["metadata"]["resourceVersion"] == written
    await running.stop()
    assert holder(kube) == OURS, "a restart must not open a gap for another installation"
    again = Running(kube, monkeypatch)
    await until(lambda: acts(again))
    assert kube.objects[CLAIM]["metadata"]["resourceVersion"] == written
    await again.stop()


@pytest.mark.parametrize(
    "changed", [{"namespace": "entra"}, {"installation": "second"}], ids=["namespace", "name"]
)
async def test_another_installation_is_refused_and_touches_nothing(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]
) -> None:
    kube = claimed(OURS)
    running = Running(kube, monkeypatch, **changed)
    told = await refused(kube, running)
    assert "served by another installation, appcredential-system/appcredential" in told
    await running.stop()
    assert kube.count(WRITES, "/") == 0


async def test_another_id_is_refused_and_touches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = claimed(OURS)
    running = Running(kube, monkeypatch, ClusterIdentity.of(SYSTEM_UID, "blue"))
    told = await refused(kube, running)
    assert f"set APPCREDENTIAL_CLUSTER_ID to {SYSTEM_UID}" in told
    await running.stop()


async def test_replicas_of_one_installation_are_not_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kube = installed()
    one = Running(kube, monkeypatch, pod_name="one")
    await until(lambda: acts(one))
    other = Running(kube, monkeypatch, pod_name="other")
    await until(lambda: other.operator._readyz() == "")
    assert not other.operator._lease.is_leader()
    assert acts(one)
    await one.stop()
    await until(lambda: acts(other))
    await other.stop()


async def test_one_that_is_told_to_follow_waits_until_the_other_has_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kube = installed()
    quick: dict[str, Any] = {"lease_duration": timedelta(seconds=1), "effect_margin": timedelta(0)}
    one = Running(kube, monkeypatch, **quick)
    await until(lambda: acts(one))
    second = Running(kube, monkeypatch, namespace="entra", replace_claim=OURS, **quick)
    await until(lambda: holder(kube) == OTHERS)
    assert not acts(second)
    await until(lambda: not acts(one))
    assert "another installation, entra/appcredential" in one.operator._readyz()
    await until(lambda: acts(second))
    assert not acts(one)
    await one.stop()
    await second.stop()
    # What stays in its settings has no effect any more.
    kube.put(CLAIM, {"spec": {"holderIdentity": "third/appcredential@x"}})
    later = Running(kube, monkeypatch, namespace="entra", replace_claim=OURS)
    await until(lambda: "third/appcredential" in later.operator._readyz())
    await later.stop()


async def test_another_id_may_be_begun_with_on_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = claimed(OURS)
    quick: dict[str, Any] = {"lease_duration": timedelta(seconds=1), "effect_margin": timedelta(0)}
    blue = ClusterIdentity.of(SYSTEM_UID, "blue")
    running = Running(kube, monkeypatch, blue, replace_claim=OURS, **quick)
    await until(lambda: acts(running))
    assert holder(kube) == "appcredential-system/appcredential@blue"
    await running.stop()


async def test_two_that_begin_at_once_do_not_both_act(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = installed()
    both = [Running(kube, monkeypatch, namespace=name) for name in ("one", "two")]
    await until(lambda: any(map(acts, both)))
    await until(lambda: kube.count("GET", CLAIM) >= 4 * ROUNDS)
    assert sorted(map(acts, both)) == [False, True]
    for running in both:
        await running.stop()


async def test_a_claim_that_was_deleted_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = installed()
    running = Running(kube, monkeypatch)
    await until(lambda: acts(running))
    del kube.objects[CLAIM]
    await until(lambda: CLAIM in kube.objects)
    assert holder(kube) == OURS
    await until(lambda: acts(running))
    await running.stop()


async def test_without_the_right_to_read_it_nothing_is_done_at_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A Role that was just made takes a moment."""
    kube = installed()
    refusal = kube.refuse("GET", CLAIM, "no")
    running = Running(kube, monkeypatch)
    told = await refused(kube, running)
    assert "may not read and write the Lease default/appcredential-claim" in told
    kube.refusals.remove(refusal)
    await until(lambda: acts(running))
    assert holder(kube) == OURS
    await running.stop()


@pytest.mark.parametrize("methods", ["GET", "POST"])
async def test_the_roles_of_an_earlier_release_do_not_stop_renewals(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, methods: str
) -> None:
    kube = installed()
    refusal = kube.refuse(methods, CLAIM if methods == "GET" else CLAIM.rpartition("/")[0], "no")
    if methods == "POST":
        kube.put(LEASE, {"spec": {}})  # that one exists: only the claim is to be created
    quick: dict[str, Any] = {"lease_duration": timedelta(seconds=1), "effect_margin": timedelta(0)}
    running = Running(kube, monkeypatch, **quick)
    await until(lambda: acts(running))
    assert CLAIM not in kube.objects
    told = [r for r in caplog.records if r.message == "works without a claim on the cluster"]
    assert len(told) == 1
    kube.refusals.remove(refusal)
    await until(lambda: CLAIM in kube.objects)
    assert holder(kube) == OURS
    assert acts(running)
    await running.stop()


async def test_a_right_that_is_taken_opens_no_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a refused installation has read of the claim counts on."""
    kube = claimed(OTHERS)
    quick: dict[str, Any] = {"lease_duration": timedelta(seconds=1), "effect_margin": timedelta(0)}
    running = Running(kube, monkeypatch, **quick)
    await refused(kube, running)
    kube.refuse("GET", CLAIM, "no")
    begun = running.operator._clock.monotonic()
    await until(lambda: running.operator._clock.monotonic() > begun + 1.5)
    told = await refused(kube, running)
    assert "another installation, entra/appcredential" in told
    await running.stop()


async def test_an_outage_later_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = installed()
    running = Running(kube, monkeypatch)
    await until(lambda: acts(running))
    looks = kube.count("GET", CLAIM)
    refusal = kube.refuse("GET", CLAIM, "down", status=503, reason="ServiceUnavailable")
    await until(lambda: kube.count("GET", CLAIM) >= looks + ROUNDS)
    assert acts(running)
    kube.refusals.remove(refusal)
    assert IDENTITY.cluster_id == SYSTEM_UID
    await running.stop()
