"""`retireWhen: RolledOut`, the default, through the real controllers."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.domain import pod_secrets
from appcredential.domain.facts import retirement, rolled_out
from appcredential.domain.observed.pods import PodUsers
from appcredential.gather import pods as looks
from appcredential.kube import pods as adapter
from appcredential.kube.pods import KubePods
from tests.support.builders import DAY, HOUR, MINUTE, NOW, OWNER
from tests.support.pod_objects import pod, replica_set
from tests.support.restarted import Restarted
from tests.support.world import TARGET, World

RETIRING: Final = "appcredential.io/retiring"
PODS: Final = "/api/v1/namespaces/shop/pods"
OF_ORDERS: Final[dict[str, Any]] = {
    "owners": (replica_set("orders-7c5d"),),
    "labels": {"pod-template-hash": "7c5d"},
}
INIT: Final = {
    "initContainers": [
        {"name": "init", "envFrom": [{"secretRef": {"name": "orders-entra"}}]},
    ]
}


class Rotated(World):
    """A resource that rotates daily, whose old credential has a day more to live."""

    async def start(self, **spec: Any) -> None:
        rotation = {"renewBefore": "24h", "overlap": "2h", **spec.pop("rotation", {})}
        self.put_resource(OWNER, lifetime="2d", rotation=rotation, **spec)
        await self.publish()
        self.first: str = self.status["credential"]["keyId"]

    async def rotate(self) -> None:
        """Wait for the successor."""
        await self.until(
            lambda: self.status.get("credential", {}).get("keyId", self.first) != self.first, 200
        )

    async def pass_(self, length: timedelta) -> None:
        """Let the operator work for so long."""
        end = self.clock.now() + length
        while (wait := min(await self.look() or MINUTE, end - self.clock.now())) > timedelta(0):
            self.clock.advance(wait)

    def put_pod(self, name: str = "a", path: str = PODS, **fields: Any) -> None:
        self.api.put(f"{path}/{name}", pod(self.clock.now(), name=name, **{**OF_ORDERS, **fields}))

    @property
    def waiting_for(self) -> str:
        found = (e.get("waitingFor", "") for e in self.status.get("retiring", ()))
        return ", ".join(found)

    @property
    def is_listed(self) -> bool:
        """Whether Entra still has the first credential."""
        return self.first not in self.entra.removed

    def notes(self, reason: str) -> list[str]:
        return [e["note"] for e in self.events if e["reason"] == reason]

    @property
    def lists(self) -> int:
        return self.api.count("GET", PODS)


async def rotated(**fields: Any) -> Rotated:
    """Return a world with a new credential, and a pod from before that uses the Secret."""
    world = Rotated()
    await world.start()
    world.put_pod(**fields)
    await world.rotate()
    return world


async def test_a_pod_from_before_holds_it_until_it_goes() -> None:
    world = await rotated()
    await world.pass_(90 * MINUTE)
    assert world.lists == 0, "pods are looked at when the overlap is over"
    await world.pass_(6 * HOUR)
    assert world.is_listed
    assert world.waiting_for == "Deployment/orders: 1 pod, oldest 1d"
    assert world.ready["reason"] == "Published"
    (note,) = world.notes("RetirementWaits")
    assert "Deployment/orders: 1 pod" in note
    assert "Secret orders-entra" in note
    world.put_pod("b")
    del world.api.objects[f"{PODS}/a"]
    await world.pass_(90 * MINUTE)
    assert not world.is_listed
    assert len(world.notes("RetirementWaits")) == 1
    assert len(world.notes("Retired")) == 1


async def test_without_such_a_pod_it_goes_when_the_overlap_is_over() -> None:
    world = Rotated()
    await world.start()
    await world.rotate()
    world.clock.advance(2 * MINUTE)
    world.put_pod()
    await world.pass_(2 * HOUR + 5 * MINUTE)
    assert not world.is_listed
    assert 1 <= world.lists <= 2
    assert world.notes("RetirementWaits") == []


async def test_a_pod_that_stays_costs_a_look_an_hour_and_no_writes() -> None:
    world = await rotated()
    await world.pass_(8 * HOUR)
    lists, statuses = world.lists, world.api.count("PATCH", "/status")
    await world.pass_(8 * HOUR)
    assert world.lists - lists <= 9
    assert world.api.count("PATCH", "/status") - statuses <= 1  # it is a day older once


async def test_at_its_end_it_goes_whatever_pods_do() -> None:
    world = await rotated()
    await world.pass_(26 * HOUR)
    assert not world.is_listed


@pytest.mark.parametrize("status", [401, 403])
async def test_without_the_right_it_stays_and_status_says_so(status: int) -> None:
    world = Rotated()
    refusal = world.api.refuse("GET", "/pods", "no", status=status)
    await world.start()
    await world.rotate()
    await world.pass_(5 * HOUR)
    assert world.is_listed
    assert (world.ready["status"], world.ready["reason"]) == ("True", "PodsUnreadable")
    assert "rbac.readPods" in world.ready["message"]
    assert world.waiting_for == "its own end: pods cannot be read"
    assert len(world.notes("PodsUnreadable")) == 1
    assert "Stalled" not in world.conditions
    world.api.refusals.remove(refusal)
    await world.pass_(65 * MINUTE)
    assert not world.is_listed
    assert world.ready["reason"] == "Published"


async def test_an_outage_holds_it_and_passes() -> None:
    world = Rotated()
    refusal = world.api.refuse("GET", "/pods", "no", status=500, reason="InternalError")
    await world.start()
    await world.rotate()
    await world.pass_(3 * HOUR)
    assert world.is_listed
    assert world.waiting_for == "a list of the pods"
    assert world.ready["reason"] == "Published"
    world.api.refusals.remove(refusal)
    await world.pass_(HOUR)
    assert not world.is_listed
    assert world.waiting_for == ""


async def test_a_new_process_does_not_tell_again() -> None:
    world = await rotated()
    await world.pass_(4 * HOUR)
    world.states.forget(OWNER)
    await world.pass_(2 * HOUR)
    assert world.is_listed
    assert len(world.notes("RetirementWaits")) == 1


async def test_what_pods_hold_costs_a_new_process_one_list() -> None:
    held = await rotated()
    await held.pass_(8 * HOUR)
    world = Restarted(held)
    assert await world.begin()
    await world.live(2 * MINUTE)
    assert world.passes == 1
    assert world.states.of(OWNER).resumed is None
    assert world.states.of(OWNER).is_well
    assert world.entra.calls.count("read") == 0
    assert world.api.count("GET", PODS) == 1
    assert world.api.count("POST PUT PATCH DELETE", "") == 0


async def test_what_pods_held_no_more_is_read_before_it_goes() -> None:
    held = await rotated()
    await held.pass_(8 * HOUR)
    del held.api.objects[f"{PODS}/a"]
    world = Restarted(held)
    assert await world.begin()
    await world.live(5 * MINUTE, lambda: held.first in world.entra.removed)
    assert held.first in world.entra.removed
    assert world.entra.calls.count("read") >= 1


@pytest.mark.parametrize(("when", "goes"), [("OverlapElapsed", True), ("Expired", False)])
async def test_who_names_another_way_keeps_it(when: str, goes: bool) -> None:
    world = Rotated()
    await world.start(rotation={"retireWhen": when})
    world.put_pod()
    await world.rotate()
    await world.pass_(4 * HOUR)
    assert world.is_listed is not goes
    assert world.lists == 0


async def renamed() -> Rotated:
    """Return a world as after a deletion with Retain, and a creation with another `secret.name`."""
    world = Rotated()
    await world.start(deletionPolicy="Retain")
    world.put_pod()
    world.clock.advance(6 * HOUR)
    rotation = {"renewBefore": "24h", "overlap": "2h"}
    world.put_resource(OWNER, lifetime="2d", rotation=rotation, secret={"name": "orders-new"})
    world.states.forget(OWNER)
    await world.rotate()
    return world


async def test_what_the_secret_of_another_name_holds_stays_until_its_end() -> None:
    world = await renamed()
    await world.pass_(8 * HOUR)
    assert world.is_listed, "the pod still signs in with it"
    await world.pass_(42 * HOUR)
    assert not world.is_listed


async def upgraded() -> Rotated:
    """Return a world whose credential was replaced by a release that named no Secret."""
    world = Rotated()
    await world.start()
    await world.rotate()
    held = world.api.objects[TARGET]
    annotations = held["metadata"]["annotations"]
    entries = json.loads(annotations[RETIRING])
    assert [e.pop("secret") for e in entries] == ["orders-entra"]
    told = {**annotations, RETIRING: json.dumps(entries, separators=(",", ":"))}
    world.api.put(TARGET, {**held, "metadata": {**held["metadata"], "annotations": told}})
    world.states.forget(OWNER)
    return world


async def test_what_was_replaced_before_the_upgrade_stays_until_its_end() -> None:
    world = await upgraded()
    writes = world.api.count("PUT", TARGET)
    await world.pass_(8 * HOUR)
    assert world.is_listed, "it stays as it did"
    assert world.lists == 0
    assert world.api.count("PUT", TARGET) == writes
    await world.pass_(18 * HOUR)
    assert not world.is_listed


# --- a leak ---------------------------------------------------------------------------------


async def leak(world: Rotated) -> None:
    """Have the published credential revoked."""
    before = world.clock.now()
    rotation = {"renewBefore": "24h", "overlap": "2h"}
    leaked = f"{before:%Y-%m-%dT%H:%M:%SZ}"
    world.put_resource(OWNER, lifetime="2d", rotation={**rotation, "revokeIssuedBefore": leaked})
    await world.until(lambda: not world.is_listed, 200)
    assert world.clock.now() - before < HOUR


async def test_a_revocation_waits_for_no_pod_and_names_them() -> None:
    world = Rotated()
    await world.start()
    world.put_pod()
    world.clock.advance(HOUR)
    await leak(world)
    (event,) = [e for e in world.events if e["reason"] == "Revoked"]
    assert event["type"] == "Warning"
    assert "Deployment/orders: 1 pod" in event["note"]


async def test_a_revocation_that_no_pod_notices_is_no_warning() -> None:
    world = Rotated()
    await world.start()
    world.put_pod(phase="Succeeded")
    world.clock.advance(HOUR)
    await leak(world)
    (event,) = [e for e in world.events if e["reason"] == "Revoked"]
    assert event["type"] == "Normal"
    assert "od" not in event["note"].split("removed")[1]


async def test_a_revocation_goes_on_where_pods_cannot_be_read() -> None:
    world = Rotated()
    world.api.refuse("GET", "/pods", "no")
    await world.start()
    world.clock.advance(HOUR)
    await leak(world)
    (note,) = world.notes("Revoked")
    assert "could not be listed" in note


# --- broken on purpose ----------------------------------------------------------------------


async def holds(**fields: Any) -> None:
    world = await rotated(**fields)
    await world.pass_(8 * HOUR)
    assert world.is_listed, "a pod from before uses it"


async def ignores_others() -> None:
    world = Rotated()
    await world.start()
    world.put_pod(path="/api/v1/namespaces/other/pods")
    await world.rotate()
    await world.pass_(4 * HOUR)
    assert not world.is_listed, "pods of other namespaces do not count"


async def holds_what_is_unreadable() -> None:
    world = Rotated()
    world.api.refuse("GET", "/pods", "no")
    await world.start()
    await world.rotate()
    await world.pass_(8 * HOUR)
    assert world.is_listed, "a pod from before uses it"


async def holds_what_another_secret_holds() -> None:
    world = await renamed()
    await world.pass_(8 * HOUR)
    assert world.is_listed, "a pod of the former Secret uses it"


async def holds_what_went_before_the_upgrade() -> None:
    world = await upgraded()
    await world.pass_(8 * HOUR)
    assert world.is_listed, "who reads it elsewhere uses it"


def any_record(m: pytest.MonkeyPatch) -> None:
    for module in (retirement, rolled_out):
        m.setattr(module, "pods_decide", lambda _f, _r: True)


def other_namespace(m: pytest.MonkeyPatch) -> None:
    list_in = KubePods._whole_list
    m.setattr(KubePods, "_whole_list", lambda k, _, names: list_in(k, "other", names))


def without_terminating(m: pytest.MonkeyPatch) -> None:
    user = adapter._user

    def skips(found: Any, names: Any) -> Any:
        return None if "deletionTimestamp" in found["metadata"] else user(found, names)

    m.setattr(adapter, "_user", skips)


def without_init_containers(m: pytest.MonkeyPatch) -> None:
    m.setattr(pod_secrets, "_CONTAINERS", ("containers", "ephemeralContainers"))


def unreadable_is_none(m: pytest.MonkeyPatch) -> None:
    m.setattr(looks, "pods_problem", lambda _: defaultdict(lambda: PodUsers(users=())))


def with_finished(m: pytest.MonkeyPatch) -> None:
    m.setattr(adapter, "_FINISHED", frozenset())


async def ignores_the_finished() -> None:
    world = await rotated(phase="Failed")
    await world.pass_(4 * HOUR)
    assert not world.is_listed, "who has finished does not count"


Break = Callable[[pytest.MonkeyPatch], None]
STORIES: Final[list[tuple[Callable[[], Any], Break]]] = [
    (holds, other_namespace),
    (ignores_others, other_namespace),
    (lambda: holds(deleted=NOW + DAY), without_terminating),
    (lambda: holds(spec=INIT), without_init_containers),
    (holds_what_is_unreadable, unreadable_is_none),
    (ignores_the_finished, with_finished),
    (holds_what_another_secret_holds, any_record),
    (holds_what_went_before_the_upgrade, any_record),
]


@pytest.mark.parametrize(("story", "broken"), STORIES)
async def test_a_broken_look_at_pods_is_caught(
    monkeypatch: pytest.MonkeyPatch, story: Callable[[], Any], broken: Break
) -> None:
    await story()
    broken(monkeypatch)
    with pytest.raises(AssertionError, match=r"uses it|do not count|does not count"):
        await story()
