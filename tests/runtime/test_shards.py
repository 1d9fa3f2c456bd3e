"""Whole operators as shards of one installation, on an API server in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.domain.claim import RECENT
from tests.runtime.test_claims import CLAIM, acts, holder
from tests.runtime.test_loops import LEASE, Running, installed, until
from tests.support.api_server import ApiServer
from tests.support.revocation_documents import REVOCATIONS, revocation_document

QUICK: Final[dict[str, Any]] = {
    "lease_duration": timedelta(seconds=1),
    "effect_margin": timedelta(0),
    "mint_margin": timedelta(0),
    "ticket_absence": timedelta(hours=1),
}


def shard(kube: ApiServer, patch: pytest.MonkeyPatch, number: int, count: int = 2) -> Running:
    return Running(kube, patch, shards=count, shard=number, pod_name=f"pod-{number}", **QUICK)


async def test_they_act_side_by_side_each_with_a_lease_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kube = installed()
    for namespace in ("shop", "billing", "orders"):  # of the shards 0, 1 and 1
        name, ticket = revocation_document({"namespace": namespace})
        kube.put(f"{REVOCATIONS}/{name}", ticket)
    both = [shard(kube, monkeypatch, number) for number in range(2)]
    await until(lambda: all(map(acts, both)))
    assert holder(kube).startswith("2 shards of appcredential-system/appcredential@")
    for path in (LEASE, f"{LEASE}-shard-1"):
        assert kube.objects[path]["spec"]["holderIdentity"].startswith("pod-")
    assert [one.operator._open_revocations.count for one in both] == [1, 2]
    assert kube.count("POST", CLAIM.rpartition("/")[0]) == 1
    assert kube.count("PUT", CLAIM) == 0
    for one in both:
        assert await one.stop() == 0


async def test_one_that_counts_another_number_is_ready_and_does_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A rolling update waits until it is ready: only then do those that count as before go."""
    caplog.set_level("INFO")
    kube = installed()
    former = Running(kube, monkeypatch, pod_name="former", **QUICK)
    await until(lambda: acts(former))
    second = shard(kube, monkeypatch, 1)
    await until(second.operator._lease.is_leader)
    await until(lambda: second.operator._readyz() == "")
    looks = kube.count("GET", CLAIM)
    await until(lambda: kube.count("GET", CLAIM) >= looks + 10)
    assert not acts(second)
    assert acts(former)
    assert second.metrics.registry.get_sample_value("appcredential_leader") == 0
    assert "this process counts 2 (APPCREDENTIAL_SHARDS)" in second.operator._claim.waits
    another = ("WARNING", second.operator._claim.waits)
    assert "is 1, says the Lease default/appcredential-claim, and this process" in another[1]
    assert waits(caplog) == [another]
    await former.stop()
    first = shard(kube, monkeypatch, 0)
    await until(lambda: acts(first) and acts(second))
    assert set(waits(caplog)) <= {another, ("INFO", RECENT)}
    assert waits(caplog).count(("INFO", RECENT)) == 2, "once by each of both"
    for one in (first, second):
        await one.stop()


def waits(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(r.levelname, vars(r)["problem"]) for r in caplog.records if r.message == "waits"]


async def test_all_is_read_anew_after_the_number_was_another_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kube = installed()
    running = shard(kube, monkeypatch, 0)
    await until(lambda: acts(running))
    term, lists = running.operator._terms.begun, kube.count("GET", "/appcredentials")
    found = kube.objects[CLAIM]
    text = str(found["spec"]["holderIdentity"]).replace("2 shards", "3 shards")
    kube.put(CLAIM, {**found, "spec": {**found["spec"], "holderIdentity": text}})
    await until(lambda: not acts(running))
    await until(lambda: acts(running))
    assert running.operator._terms.begun > term
    assert kube.count("GET", "/appcredentials") > lists
    assert holder(kube).startswith("2 shards of ")
    await running.stop()


async def test_one_that_may_not_have_its_lease_is_not_ready_and_names_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As with a Role of a single operator: a rollout stops there, and the former go on."""
    kube = installed()
    lease = f"{LEASE}-shard-1"
    refusal = kube.refuse("GET PUT", lease, "no")
    running = shard(kube, monkeypatch, 1)
    await until(lambda: "appcredential-system/appcredential-shard-1" in running.operator._readyz())
    looks = kube.count("GET", lease)
    await until(lambda: kube.count("GET", lease) >= looks + 10)
    told = [vars(r).get("problem", "") for r in caplog.records if r.message == "not ready"]
    assert [problem for problem in told if "appcredential-shard-1" in problem] == [
        running.operator._lease.problem
    ]
    kube.refusals.remove(refusal)
    await until(lambda: running.operator._readyz() == "")
    await running.stop()


async def test_nobody_is_shown_as_the_leader_by_a_lease_that_ran_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kube = installed()
    running = Running(kube, monkeypatch, **QUICK)
    await until(lambda: leads(running) == 1)
    kube.refuse("GET PUT", LEASE, "down", status=503, reason="ServiceUnavailable")
    await until(lambda: leads(running) == 0)
    await running.stop()


def leads(running: Running) -> float | None:
    return running.metrics.registry.get_sample_value("appcredential_leader")


@pytest.mark.parametrize(("count", "rate"), [(1, 20), (2, 10), (4, 5)])
async def test_each_looks_at_its_own_objects_with_its_part_of_the_rate(
    monkeypatch: pytest.MonkeyPatch, count: int, rate: int
) -> None:
    running = shard(installed(), monkeypatch, 0, count)
    (looks,) = [loop for loop in running.operator._loops if loop.name == "looks"]
    assert looks._job.__self__._budget.per_second == rate  # type: ignore[attr-defined]
    await running.stop()
