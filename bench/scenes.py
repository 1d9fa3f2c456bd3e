"""What is measured, in this order, on one installation: each scene returns its figures."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from bench.counters import Requests
from bench.figures import Figure, quantile
from bench.fleet import Kind, Member
from bench.installation import GROUP, Installation, condition, resources

Value = tuple[str, float, float | None]
"""What, the value, the most that is wanted."""

_WRITES_A_SECOND: Final = 20.0
"""Of Graph, for one application and tenant: Microsoft's published quota."""
_PATIENCE: Final = 900.0
_CHANGES: Final = 20
_DEPTH: Final = "appcredential_workqueue_depth"
_RESUMED: Final = "appcredential_resumed_resources"


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene; `play` returns its values."""

    name: str
    play: Callable[[Installation, Say], list[Value]]


Say = Callable[[str], None]


def play(site: Installation, seconds: float, say: Say) -> Iterator[Figure]:
    """Play all scenes.

    Args:
        site: an installation without resources.
        seconds: for how long the steady state is watched.
        say: tells how far it is.
    """
    scenes = (
        Scene("applied at once", _apply),
        Scene("steady state", partial(_steady, seconds=seconds)),
        Scene("one change", _change),
        Scene("behind its back", partial(_truth, seconds=max(seconds, 90))),
        Scene("restart", _restart),
        Scene("all deleted", _delete),
    )
    for scene in scenes:
        say(scene.name)
        for what, value, target in scene.play(site, say):
            yield Figure(scene.name, what, value, target, str(site.fleet.kind), site.fleet.size)


def _apply(site: Installation, say: Say) -> list[Value]:
    size, idle, cpu = site.fleet.size, site.memory(), site.cpu()
    before, began = Requests.of(site.metrics()), time.monotonic()
    wall, ready = datetime.now(UTC), _Ready(site, say)
    with site.watched() as peaks:
        site.apply(site.fleet.members())
        applied = time.monotonic() - began
        end = ready.wait(size, began)
    asked = Requests.of(site.metrics()).since(before)
    spent = site.cpu() - cpu
    after = sorted(max(0.0, (at - wall).total_seconds()) for at in ready.times())
    whole = end - began
    writes = asked.graph_writes or 1
    return [
        ("created, s", applied, None),
        ("first Ready, s", quantile(after, 0), _first_target(size)),
        ("p50 Ready, s", quantile(after, 0.5), whole / 2),
        ("p99 Ready, s", quantile(after, 0.99), None),
        ("all Ready, s", whole, writes / _WRITES_A_SECOND / 0.9 + 5),
        ("share of the write quota", writes / whole / _WRITES_A_SECOND, None),
        ("Graph writes each", writes / size, 1.0),
        ("Graph reads each", asked.graph_reads / size, 1.0),
        ("sign-ins each", asked.graph["token"] / size, None),
        ("429 and 409 of Graph", asked.answers["429"] + asked.answers["409"], 0),
        ("Kubernetes reads each", asked.reads / size, 5.5),
        ("Kubernetes writes each", asked.writes / size, 8.0),
        ("Events each", asked.events / size, 2.0),
        ("CPU each, ms", 1000 * spent / size, 40.0),
        ("RSS idle, MiB", idle, None),
        ("RSS peak, MiB", peaks.memory, None),
        ("/livez max, s", peaks.stall, 1.0),
    ]


def _first_target(size: int) -> float:
    return 10.0 if size > 1000 else 6.0


class _Ready:
    """Waits until resources are Ready: by the operator's metrics, as seldom as will do."""

    def __init__(self, site: Installation, say: Say) -> None:
        self._site, self._say = site, say

    def wait(self, size: int, began: float) -> float:
        """Return when all were Ready, or nan."""
        told = time.monotonic()
        while (now := time.monotonic()) - began < _PATIENCE + size / 4:
            number = self._number()
            if number >= size:
                return now
            if now - told > 10:
                told = now
                self._say(f"{number} of {size} are Ready after {now - began:.0f} s")
            time.sleep(1 + size / 1000)
        return math.nan

    def _number(self) -> int:
        return sum(
            int(value)
            for sample, value in self._site.metrics().items()
            if sample.startswith("appcredential_ready_status{") and 'condition="True"' in sample
        )

    def times(self) -> list[datetime]:
        """Return when each became Ready, to the second."""
        found = (condition(document, "Ready") for document in self._site.listed())
        return [
            datetime.fromisoformat(ready["lastTransitionTime"])
            for ready in found
            if ready.get("status") == "True"
        ]


def _steady(site: Installation, say: Say, seconds: float) -> list[Value]:
    _settle(site, say)
    before, cpu, began = Requests.of(site.metrics()), site.cpu(), time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    asked = Requests.of(site.metrics()).since(before)
    return [
        ("Graph reads an hour", asked.graph_reads * 3600 / passed, 200.0),
        ("sign-ins an hour", asked.graph["token"] * 3600 / passed, None),
        ("Graph writes", asked.graph_writes, 0),
        ("Kubernetes reads a second", asked.reads / passed, 25.0),
        ("Kubernetes writes", asked.writes, 0),
        ("CPU, share of a core", (site.cpu() - cpu) / passed, None),
        ("RSS settled, MiB", site.memory(), 200.0),
    ]


def _settle(site: Installation, say: Say) -> None:
    """Wait until no more is written for ten seconds; at most two minutes."""
    say("waiting until it is quiet")
    quiet, last = time.monotonic(), Requests.of(site.metrics()).writes
    end = quiet + 120
    while time.monotonic() < min(quiet + 10, end):
        time.sleep(1)
        now = Requests.of(site.metrics()).writes
        if now != last:
            quiet, last = time.monotonic(), now


def _change(site: Installation, _: Say) -> list[Value]:
    """Change one resource after the other, and wait until status shows the generation."""
    seen = []
    for number in range(_CHANGES):
        member = site.fleet.member(number * max(1, site.fleet.size // _CHANGES) % site.fleet.size)
        path = f"{resources(member.namespace)}/{member.name}"
        changed = site.get(path)
        changed["spec"]["deletionGracePeriod"] = f"{number + 1}h"
        began = time.monotonic()
        site.send("PUT", path, changed)
        seen.append(_until(partial(_is_observed, site, member), began, 30))
    return [("p50, s", quantile(seen, 0.5), None), ("p99, s", quantile(seen, 0.99), 1.0)]


def _is_observed(site: Installation, member: Member) -> bool:
    document = site.state(member)
    generation = document["metadata"]["generation"]
    return bool((document.get("status") or {}).get("observedGeneration") == generation)


def _until(holds: Callable[[], bool], began: float, seconds: float) -> float:
    """Return after how many seconds something held; nan if it did not in time."""
    while time.monotonic() - began < seconds:
        if holds():
            return time.monotonic() - began
        time.sleep(0.05)
    return math.nan


def _truth(site: Installation, say: Say, seconds: float) -> list[Value]:
    """Do behind the operator's back what people do, to one resource each, and wait.

    The grant comes last: a change of it has all reconciled that it names.
    """
    kept_in_secrets = [m for m in site.fleet.members() if m.kind is not Kind.FEDERATED]
    removed, gone, deleted, edited, withdrawn = (kept_in_secrets or site.fleet.members())[:5]
    deeds: dict[str, tuple[Member, Callable[[], object]]] = {
        "removal in the portal, s": (removed, lambda: _remove_in_portal(site, removed)),
        "deleted application, s": (gone, lambda: _delete_application(site, gone)),
    }
    if kept_in_secrets:
        deeds["deleted Secret, s"] = deleted, lambda: site.send("DELETE", _secret(deleted))
        deeds["edited Secret, s"] = edited, lambda: _edit_secret(site, edited)
    found = _noticed(site, deeds, seconds)
    say("withdrawing a grant")
    last = {"withdrawn grant, s": (withdrawn, lambda: _withdraw(site, withdrawn))}
    found |= _noticed(site, last, seconds)
    target = 60.0 if site.fleet.size <= 300 else 600.0
    return [(what, value, target) for what, value in found.items()]


def _noticed(
    site: Installation, deeds: Mapping[str, tuple[Member, Callable[[], object]]], seconds: float
) -> dict[str, float]:
    """Do all deeds; return after how many seconds each showed in status, nan for not in time."""
    before = {what: _told(site, member) for what, (member, _) in deeds.items()}
    began = time.monotonic()
    for _, deed in deeds.values():
        deed()
    found = dict.fromkeys(deeds, math.nan)
    while any(map(math.isnan, found.values())) and time.monotonic() - began < seconds:
        for what, (member, _) in deeds.items():
            if math.isnan(found[what]) and _told(site, member) != before[what]:
                found[what] = time.monotonic() - began
        time.sleep(0.25)
    return found


def _told(site: Installation, member: Member) -> list[tuple[str, ...]]:
    """Return what the conditions of a resource say, and which credential it has."""
    document = site.state(member)
    status = document.get("status") or {}
    conditions = status.get("conditions") or ()
    told = [(c["type"], c["status"], c["reason"], c["message"]) for c in conditions]
    return [*told, (str(status.get("credential")), str(status.get("pending")))]


def _remove_in_portal(site: Installation, member: Member) -> None:
    credential = site.state(member)["status"].get("credential") or {}
    kind = {Kind.SECRET: "passwords", Kind.CERTIFICATE: "keys"}.get(member.kind)
    path = f"/applications/{member.client_id}"
    if kind is not None:
        site.stack.emulator.call("DELETE", f"{path}/{kind}/{credential['keyId']}")
        return
    (trust,) = site.stack.emulator.call("GET", path)["federatedIdentityCredentials"]
    site.stack.emulator.call("DELETE", f"{path}/federatedIdentityCredentials/{trust['id']}")


def _delete_application(site: Installation, member: Member) -> None:
    site.stack.emulator.call("DELETE", f"/applications/{member.client_id}")


def _secret(member: Member) -> str:
    return f"/api/v1/namespaces/{member.namespace}/secrets/{member.name}"


def _edit_secret(site: Installation, member: Member) -> None:
    path = _secret(member)
    changed = site.get(path)
    # All of it: a key that is not the credential would be repaired, and status say nothing.
    changed["data"] = dict.fromkeys(changed["data"], "YnkgaGFuZA==")
    site.send("PUT", path, changed)


def _withdraw(site: Installation, member: Member) -> None:
    for grant in site.get(f"{GROUP}/applicationgrants")["items"]:
        named = grant["spec"]["applications"]["clientIds"]
        if member.client_id in named:
            named.remove(member.client_id)
            site.send("PUT", f"{GROUP}/applicationgrants/{grant['metadata']['name']}", grant)


def _restart(site: Installation, say: Say) -> list[Value]:
    """Stop the operator and start it; it goes on once it knows when each resource is due.

    What it reads until then is counted, and what it has read once it has looked at all of them.
    """
    began = time.monotonic()
    site.restart()
    site.stack.operator.wait_until_ready(120)
    ready = time.monotonic() - began
    whole = _until(lambda: _all_known(site), began, _PATIENCE)
    known = Requests.of(site.metrics())
    say("waiting until all were looked at")
    looked = _until(lambda: _all_looked_at(site), began, _PATIENCE)
    _settle(site, say)
    asked = Requests.of(site.metrics())
    return [
        ("until /readyz, s", ready, None),
        ("all known, s", whole, 30.0),
        ("Graph reads until then", known.graph_reads, 50.0),
        ("Kubernetes reads until then", known.reads, 100.0),
        ("all looked at, s", looked, None),
        ("Graph reads", asked.graph_reads, None),
        ("Kubernetes reads", asked.reads, None),
        ("Kubernetes writes", asked.writes, 0),
    ]


def _all_known(site: Installation) -> bool:
    """Return whether each resource was passed, or waits for its first look."""
    metrics = site.metrics()
    known = metrics.get('appcredential_reconciles_total{kind="appcredentials"}', 0)
    known += metrics.get(_RESUMED, 0)
    leads = metrics.get("appcredential_leader") == 1
    waiting = sum(v for name, v in metrics.items() if name.startswith(_DEPTH))
    return leads and known >= site.fleet.size and not waiting


def _all_looked_at(site: Installation) -> bool:
    return _all_known(site) and site.metrics().get(_RESUMED) == 0


def _delete(site: Installation, say: Say) -> list[Value]:
    size, before, began = site.fleet.size, Requests.of(site.metrics()), time.monotonic()
    for namespace in site.fleet.namespaces:
        site.send("DELETE", resources(namespace))
    told = began
    while site.get(f"{GROUP}/appcredentials?limit=1").get("items"):
        if time.monotonic() - began > _PATIENCE:
            return [("all gone, s", math.nan, None)]
        if time.monotonic() - told > 15:
            told = time.monotonic()
            say("resources are left")
        time.sleep(0.5)
    asked = Requests.of(site.metrics()).since(before)
    return [
        ("all gone, s", time.monotonic() - began, None),
        ("Kubernetes reads each", asked.reads / size, 4.0),
        ("Kubernetes writes each", asked.writes / size, 2.0),
    ]
