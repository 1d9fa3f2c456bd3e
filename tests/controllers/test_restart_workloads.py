"""`spec.rotation.restart` through the real controllers: who is restarted, when, and when not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from appcredential.domain.facts import publication, restart
from appcredential.domain.rules import restart as rule
from appcredential.errors import AppCredentialError
from tests.support.api_server import copied
from tests.support.builders import DAY, HOUR, MINUTE, NOT_YET, OWNER, SECOND
from tests.support.restarted import Restarted
from tests.support.workloads import RESTARTED_AT, Fleet, path_of
from tests.support.world import TARGET, World

SINCE: Final = "appcredential.io/restart-since"
USING: Final = {"workloads": "UsingSecret"}
APPS: Final = "/apis/apps/v1/namespaces/shop/"


class Restarting(World):
    """A resource that rotates daily, and the workloads that use its Secret."""

    async def start(self, *names: str, restart: Any = USING, **rotation: Any) -> None:
        self.api.now = self.clock.now
        self.fleet = Fleet(self.api)
        for name in names:
            self.fleet.put(name)
        self.rotation = {"renewBefore": "24h", "overlap": "2h", "restart": restart, **rotation}
        self.put_resource(OWNER, lifetime="2d", rotation=self.rotation)
        await self.publish()
        self.first: str = self.status["credential"]["keyId"]

    async def rotate(self) -> None:
        """Wait for the successor, no longer than until it is published."""
        for _ in range(200):
            wait = await self.look()
            if self.status["credential"]["keyId"] != self.first:
                return
            self.clock.advance(wait or SECOND)
        raise AssertionError("it is never published")

    async def pass_(self, length: timedelta) -> None:
        """Let the operator and the controllers of workloads work for so long."""
        end = self.clock.now() + length
        while True:
            try:
                wait = await self.look()
            except AppCredentialError:  # the queue tries again later
                wait = 20 * SECOND
            self.fleet.step()
            left = end - self.clock.now()
            if left <= timedelta(0):
                return
            self.clock.advance(min(max(wait or SECOND, SECOND), left, 20 * SECOND))

    def stamp(self, name: str, kind: str = "Deployment") -> str:
        metadata = self.api.objects[path_of(kind, name)]["spec"]["template"]["metadata"]
        return str(metadata.get("annotations", {}).get(RESTARTED_AT, ""))

    @property
    def is_open(self) -> bool:
        return SINCE in self.api.objects[TARGET]["metadata"]["annotations"]

    @property
    def is_listed(self) -> bool:
        """Whether Entra still has the first credential."""
        return self.first not in self.entra.removed

    @property
    def patches(self) -> int:
        return self.api.count("PATCH", APPS)

    def notes(self, reason: str) -> list[str]:
        return [e["note"] for e in self.events if e["reason"] == reason]


async def rotated(*names: str, **more: Any) -> Restarting:
    world = Restarting()
    await world.start(*names, **more)
    await world.rotate()
    return world


async def test_after_a_renewal_all_are_restarted_one_after_the_other() -> None:
    world = await rotated("a", "b", "c")
    world.fleet.put("other", pod_spec={"containers": []})
    await world.pass_(2 * MINUTE)
    assert world.patches == 0
    assert world.is_open
    await world.pass_(3 * MINUTE)
    assert world.fleet.restarted[:1] == ["a"]
    assert world.status["restart"]["workloads"] == 3
    assert world.status["restart"]["waitingFor"].startswith("Deployment/")
    await world.pass_(15 * MINUTE)
    assert world.fleet.restarted == ["a", "b", "c"]
    assert world.fleet.at_once == 1
    assert world.patches == 3
    assert not world.is_open
    assert "restart" not in world.status
    assert len(world.notes("Restarted")) == 3
    assert len(world.notes("RestartComplete")) == 1
    assert world.is_listed
    await world.pass_(2 * HOUR)
    assert not world.is_listed, "no pod from before is left"
    assert world.patches == 3


async def test_the_first_issue_restarts_nothing() -> None:
    world = Restarting()
    await world.start("a")
    await world.pass_(HOUR)
    assert not world.is_open
    assert world.api.count("GET", "/apis/apps") == 0, "nothing is listed, either"


async def test_nothing_is_listed_once_it_is_complete() -> None:
    world = await rotated("a")
    await world.pass_(20 * MINUTE)
    before = world.api.count("GET", "/apis/apps")
    await world.pass_(4 * HOUR)
    assert world.api.count("GET", "/apis/apps") == before


async def test_every_kind_is_restarted_and_a_missing_kind_is_left_out() -> None:
    world = Restarting()
    await world.start("a")
    world.fleet.put("b", "StatefulSet")
    world.fleet.put("c", "DaemonSet")
    await world.rotate()
    await world.pass_(20 * MINUTE)
    assert set(world.fleet.restarted) == {"a", "b", "c"}
    assert not world.is_open


async def test_rollouts_of_argo_are_restarted() -> None:
    world = await rotated()
    world.fleet.put("canary", "Rollout")
    await world.pass_(10 * MINUTE)
    assert world.fleet.restarted == ["canary"]
    assert not world.is_open


async def test_labels_select_instead() -> None:
    world = await rotated("a", restart={"matchLabels": {"team": "shop", "tier": "web"}})
    world.fleet.put("b", labels={"team": "shop", "tier": "web"}, pod_spec={})
    world.fleet.put("c", labels={"team": "shop"})
    await world.pass_(20 * MINUTE)
    assert world.fleet.restarted == ["b"]


async def test_a_rollout_that_fails_stops_the_rest_until_it_is_mended() -> None:
    world = Restarting()
    await world.start("a", "b", retireWhen="OverlapElapsed")
    world.fleet.broken.add("a")
    await world.rotate()
    await world.pass_(4 * HOUR)
    assert world.fleet.restarted == ["a"]
    assert world.is_listed, "b may still use it"
    assert (world.ready["status"], world.ready["reason"]) == ("True", "RestartStopped")
    assert "Deployment/a" in world.ready["message"]
    assert len(world.notes("RestartStopped")) == 1
    assert world.status["restart"]["waitingFor"] == "a person: see Ready"
    assert world.status["retiring"][0]["waitingFor"] == "the restart of workloads"
    world.fleet.broken.clear()
    await world.pass_(HOUR)
    assert world.fleet.restarted == ["a", "b"]
    assert world.ready["reason"] == "Published"
    assert not world.is_listed


async def test_what_it_replaces_goes_at_its_end_whatever_stops_the_restart() -> None:
    world = Restarting()
    await world.start("a")
    world.fleet.broken.add("a")
    await world.rotate()
    await world.pass_(26 * HOUR)
    assert not world.is_listed


async def test_another_process_goes_on_and_restarts_nothing_twice() -> None:
    held = await rotated("a", "b")
    await held.pass_(4 * MINUTE)
    assert held.fleet.restarted == ["a"]

    class Successor(Restarted, Restarting):
        pass

    world = Successor(held)
    world.fleet, world.first = held.fleet, held.first
    assert not await world.begin(), "a restart is open"
    await world.pass_(20 * MINUTE)
    assert world.fleet.restarted == ["a", "b"]
    assert not world.is_open


async def test_a_renewal_during_a_restart_has_all_restarted_once_more() -> None:
    world = await rotated("a", "b")
    await world.pass_(4 * MINUTE)
    assert world.fleet.restarted == ["a"]
    asked = f"{world.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    rotation = {**world.rotation, "rotateIssuedBefore": asked}
    world.put_resource(OWNER, lifetime="2d", rotation=rotation)
    await world.pass_(40 * MINUTE)
    assert world.fleet.restarted[-2:] == ["a", "b"]
    assert not world.is_open


async def test_a_restart_by_hand_counts() -> None:
    world = await rotated("a")
    await world.pass_(2 * MINUTE)
    path = path_of("Deployment", "a")
    found = copied(world.api.objects[path])
    stamp = f"{world.clock.now():%Y-%m-%dT%H:%M:%S}+00:00"
    template = found["spec"]["template"]["metadata"]
    template["annotations"] = {"kubectl.kubernetes.io/restartedAt": stamp}
    world.api.put(path, found)
    await world.pass_(20 * MINUTE)
    assert world.patches == 0
    assert not world.is_open


async def test_without_the_right_status_says_so() -> None:
    world = Restarting()
    refusal = world.api.refuse("GET", "/daemonsets", "no")
    await world.start("a")
    await world.rotate()
    await world.pass_(5 * HOUR)
    assert world.is_listed
    assert (world.ready["status"], world.ready["reason"]) == ("True", "RestartForbidden")
    assert "rbac.restarts" in world.ready["message"]
    assert len(world.notes("RestartForbidden")) == 1
    assert world.api.count("GET", "/daemonsets") < 40
    world.api.refusals.remove(refusal)
    await world.pass_(HOUR)
    assert world.fleet.restarted == ["a"]
    assert world.ready["reason"] == "Published"


async def test_a_patch_that_is_refused_is_told() -> None:
    world = Restarting()
    world.api.refuse("PATCH", "/deployments", "no")
    await world.start("a")
    await world.rotate()
    await world.pass_(HOUR)
    assert world.ready["reason"] == "RestartForbidden"
    assert world.patches < 10


@pytest.mark.parametrize(
    ("status", "reason", "message"),
    [
        (422, "Invalid", "no"),
        (403, "Forbidden", 'admission webhook "kyverno" denied the request: no'),
        (
            403,
            "Forbidden",
            "ValidatingAdmissionPolicy 'ours' with binding 'ours' denied request: no",
        ),
    ],
)
async def test_admission_that_refuses_is_told(status: int, reason: str, message: str) -> None:
    world = Restarting()
    world.api.refuse("PATCH", "/deployments", message, status=status, reason=reason)
    await world.start("a")
    await world.rotate()
    await world.pass_(HOUR)
    assert world.ready["reason"] == "RestartStopped"
    assert "refuses to restart Deployment/a" in world.ready["message"]


@pytest.mark.parametrize(("status", "reason"), [(500, "InternalError"), (429, "TooManyRequests")])
async def test_a_restart_that_fails_for_now_is_tried_again(status: int, reason: str) -> None:
    world = Restarting()
    refusal = world.api.refuse("PATCH", "/deployments", "no", status=status, reason=reason)
    await world.start("a", "b")
    await world.rotate()
    await world.pass_(10 * MINUTE)
    assert 0 < world.patches < 40
    assert world.ready["reason"] == "Published", "nobody took anything back"
    world.api.refusals.remove(refusal)
    await world.pass_(30 * MINUTE)
    assert world.fleet.restarted == ["a", "b"]
    assert world.notes("RestartStopped") == []
    assert not world.is_open


async def test_a_restart_whose_answer_is_lost_is_seen() -> None:
    world = Restarting()
    await world.start("a", "b")
    await world.rotate()
    world.api.delay("PATCH", path_of("Deployment", "a"))
    for _ in range(60):
        await world.pass_(5 * SECOND)
        world.api.arrive()
        world.fleet.step()
    await world.pass_(20 * MINUTE)
    assert world.fleet.restarted == ["a", "b"]
    assert world.fleet.at_once == 1
    assert world.notes("RestartStopped") == []


async def test_a_workload_that_changed_meanwhile_is_looked_at_again() -> None:
    world = await rotated("a")
    path, left = path_of("Deployment", "a"), [3]

    def scale(method: str, where: str) -> None:
        if method == "PATCH" and where == path and left[0] > 0:
            left[0] -= 1
            world.api.put(path, copied(world.api.objects[path]))

    world.api.before = scale
    await world.pass_(20 * MINUTE)
    assert left == [0]
    assert world.fleet.restarted == ["a"]
    assert not world.is_open


async def test_an_outage_passes() -> None:
    world = Restarting()
    refusal = world.api.refuse("GET", "/deployments", "no", status=500, reason="InternalError")
    await world.start("a")
    await world.rotate()
    await world.pass_(20 * MINUTE)
    assert world.ready["reason"] == "Published"
    assert world.status["restart"]["waitingFor"] == "a list of the workloads"
    world.api.refusals.remove(refusal)
    await world.pass_(10 * MINUTE)
    assert world.fleet.restarted == ["a"]


async def test_what_others_take_back_is_restarted_once() -> None:
    world = await rotated("a", "b")
    path = path_of("Deployment", "a")

    def take_back(method: str, where: str) -> None:
        found = copied(world.api.objects[path])
        if method == "GET" and found["spec"]["template"]["metadata"].get("annotations"):
            found["spec"]["template"]["metadata"]["annotations"] = {}
            world.api.put(path, found)

    world.api.before = take_back
    await world.pass_(3 * HOUR)
    assert world.patches == 1, "it is not fought over"
    assert world.ready["reason"] == "RestartStopped"
    assert "took back the restart of Deployment/a" in world.ready["message"]
    assert world.is_listed


async def test_a_selector_that_matches_everything_restarts_nothing() -> None:
    world = Restarting()
    await world.start(restart={"matchLabels": {"team": "shop"}})
    for number in range(500):
        world.fleet.put(f"w{number}", labels={"team": "shop"})
    await world.rotate()
    await world.pass_(10 * MINUTE)
    assert world.patches == 0
    assert world.ready["reason"] == "RestartStopped"
    assert "more than 100 workloads" in world.ready["message"]


async def test_more_workloads_than_are_read_restart_nothing() -> None:
    world = Restarting()
    await world.start("a")
    for number in range(2001):
        world.api.put(path_of("Deployment", f"w{number}"), {"spec": {"template": {"spec": {}}}})
    await world.rotate()
    await world.pass_(5 * MINUTE)
    assert world.patches == 0
    assert "more than 2000 workloads" in world.ready["message"]


@pytest.mark.parametrize("field", [{"suspend": True}, {"mode": "Observe"}])
async def test_who_is_suspended_or_observed_restarts_nothing(field: dict[str, Any]) -> None:
    world = await rotated("a")
    world.put_resource(OWNER, lifetime="2d", rotation=world.rotation, **field)
    await world.pass_(HOUR)
    assert world.patches == 0
    assert world.api.count("GET", "/apis/apps") == 0


async def test_who_is_granted_no_more_restarts_nothing() -> None:
    world = await rotated("a")
    world.put_grant("shop-apps", client_ids=())
    await world.pass_(HOUR)
    assert world.patches == 0
    assert world.status["restart"]["waitingFor"] == "a grant"


async def test_who_asks_for_no_restart_any_more_gets_none() -> None:
    world = await rotated("a")
    del world.rotation["restart"]
    world.put_resource(OWNER, lifetime="2d", rotation=world.rotation)
    await world.pass_(HOUR)
    assert world.patches == 0
    assert not world.is_open


async def test_a_restart_waits_for_a_window() -> None:
    hour = World().clock.now() + 27 * HOUR
    window = {"from": f"{hour:%H}:00", "to": f"{hour + HOUR:%H}:00"}
    world = Restarting()
    await world.start("a", "b")
    await world.rotate()
    world.rotation["windows"] = [window]
    world.put_resource(OWNER, lifetime="2d", rotation=world.rotation)
    await world.pass_(10 * MINUTE)
    assert world.patches == 0
    assert world.status["restart"]["waitingFor"] == "the next of rotation.windows"


async def test_a_leak_restarts_outside_windows() -> None:
    world = Restarting()
    await world.start("a")
    now = world.clock.now()
    rotation = {**world.rotation, "revokeIssuedBefore": f"{now + MINUTE:%Y-%m-%dT%H:%M:%SZ}"}
    later = now + 12 * HOUR
    rotation["windows"] = [{"from": f"{later:%H}:00", "to": f"{later + HOUR:%H}:00"}]
    world.put_resource(OWNER, lifetime="2d", rotation=rotation)
    await world.pass_(30 * MINUTE)
    assert not world.is_listed
    assert world.fleet.restarted == ["a"]
    assert any("gone from Entra" in note for note in world.notes("WindowOverridden"))


# --- broken on purpose ----------------------------------------------------------------------


async def waits_for_kubelets() -> None:
    world = await rotated("a")
    await world.pass_(100 * SECOND)
    assert world.patches == 0, "too early: a pod may read the former value"


async def begins_with_the_second() -> None:
    world = Restarting()
    await world.start("a")
    await world.pass_(HOUR)
    assert world.patches == 0, "the first issue replaces nothing"


async def one_at_a_time() -> None:
    world = await rotated("a", "b", "c")
    await world.pass_(30 * MINUTE)
    assert world.fleet.at_once == 1, "one at a time"


async def stops() -> None:
    world = Restarting()
    await world.start("a", "b")
    world.fleet.broken.add("a")
    await world.rotate()
    await world.pass_(2 * HOUR)
    assert world.fleet.restarted == ["a"], "a rollout that fails stops the rest"


async def believes_no_time_ahead() -> None:
    world = Restarting()
    await world.start()
    ahead = f"{world.clock.now() + 9 * DAY:%Y-%m-%dT%H:%M:%SZ}"
    world.fleet.put("a", stamps={RESTARTED_AT: ahead})
    await world.rotate()
    await world.pass_(20 * MINUTE)
    assert world.fleet.restarted == ["a"], "a forged time is no restart"
    assert not world.is_open


async def keeps_what_may_be_used() -> None:
    world = Restarting()
    await world.start("a", retireWhen="OverlapElapsed")
    world.fleet.broken.add("a")
    await world.rotate()
    await world.pass_(4 * HOUR)
    assert world.is_listed, "removed although the restart has failed"


async def restarts_nothing_for_a_doubtful_one() -> None:
    world = await rotated("a")
    await world.pass_(MINUTE)
    world.entra.sign_in_result = NOT_YET
    await world.pass_(10 * MINUTE)
    assert world.patches == 0, "what new pods would read is in doubt"


def at_once_after_the_publish(m: pytest.MonkeyPatch) -> None:
    m.setattr(restart, "_DELAY", timedelta(0))
    m.setattr(restart, "surely_read", lambda _f, since, _a: since)
    m.setattr(restart, "last_time", lambda _f, entry: entry.since)


def for_the_first_issue(m: pytest.MonkeyPatch) -> None:
    m.setattr(publication, "_restart_since", lambda _f, _s, now: now)


def all_at_once(m: pytest.MonkeyPatch) -> None:
    m.setattr(restart, "_first", lambda _w, _p: None)


def whatever_fails(m: pytest.MonkeyPatch) -> None:
    m.setattr(restart, "_stops", lambda _f, _c, _l: iter(()))


def any_time(m: pytest.MonkeyPatch) -> None:
    m.setattr(restart, "_believed", lambda _f, w: iter(w.stamps))


def without_a_sign_in(m: pytest.MonkeyPatch) -> None:
    m.setattr(rule, "signs_in", lambda _f, _a: True)


def complete_when_begun(m: pytest.MonkeyPatch) -> None:
    real = restart.restart_plan

    def plan(facts: Any) -> Any:
        found = real(facts)
        if found is None or not found.stopped_by:
            return found
        return restart.Plan(workloads=found.workloads, restarted=found.workloads)

    m.setattr(rule, "restart_plan", plan)


CAUGHT: Final = r"too early|replaces|one at|stops|forged|although|doubt"
Break = Callable[[pytest.MonkeyPatch], None]
STORIES: Final[list[tuple[Callable[[], Any], Break]]] = [
    (waits_for_kubelets, at_once_after_the_publish),
    (begins_with_the_second, for_the_first_issue),
    (one_at_a_time, all_at_once),
    (stops, whatever_fails),
    (believes_no_time_ahead, any_time),
    (keeps_what_may_be_used, complete_when_begun),
    (restarts_nothing_for_a_doubtful_one, without_a_sign_in),
]


@pytest.mark.parametrize(("story", "broken"), STORIES)
async def test_a_broken_restart_is_caught(
    monkeypatch: pytest.MonkeyPatch, story: Callable[[], Any], broken: Break
) -> None:
    await story()
    broken(monkeypatch)
    with pytest.raises(AssertionError, match=CAUGHT):
        await story()
