"""A fleet that is applied at once, and one that is due at once after an outage."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from bench.counters import Requests
from bench.figures import quantile
from bench.fleet import Kind, Member
from bench.installation import Installation, condition
from bench.scenes.scene import (
    WRITES_A_SECOND,
    Say,
    Value,
    asked,
    patience,
    settle,
    until,
)
from bench.scenes.truth import victims

_QUIET = 95.0
"""Seconds that a new trust is not used for, and those until it was looked at again."""
_PROOFS = 65.0
"""Seconds over which the sign-ins of a successor are spread, and one look."""


def apply(site: Installation, say: Say) -> list[Value]:
    """Create the whole fleet, and wait until all are Ready."""
    size, idle, cpu = site.fleet.size, site.memory(), site.cpu()
    before, began = Requests.of(site.metrics()), time.monotonic()
    wall = datetime.now(UTC)
    site.stall()
    with site.watched() as peaks:
        site.apply(site.fleet.members())
        applied = time.monotonic() - began
        whole = until(
            lambda: _ready(site) >= size,
            began,
            patience(size),
            step=1 + size / 1000,
            tell=lambda passed: say(f"{_ready(site)} of {size} are Ready after {passed:.0f} s"),
        )
    spent, stall = Requests.of(site.metrics()).since(before), site.stall()
    cpu = site.cpu() - cpu
    site.profile("applied at once")
    ready = _times(site, wall, "Ready")
    return [
        ("created, s", applied, None),
        *_order(site, ready, whole, spent),
        ("Graph writes each", spent.graph_writes / size, 1.0),
        ("Graph reads each", spent.graph_reads / size, 1.0),
        ("sign-ins each", spent.graph["token"] / size, None),
        ("Kubernetes reads each", spent.reads / size, 5.5),
        ("Kubernetes writes each", spent.writes / size, 8.0),
        ("Events each", spent.events / size, 2.0),
        ("CPU each, ms", 1000 * cpu / size, 40.0),
        ("RSS idle, MiB", idle, None),
        ("RSS peak, MiB", peaks.memory, None),
        ("event-loop stall, s", stall, None),
        ("/livez max, s", peaks.stall, 1.0),
        *asked(spent, size),
    ]


def _order(site: Installation, ready: list[float], whole: float, spent: Requests) -> list[Value]:
    """Return when the first, half and all were served, and how well the quota was used."""
    writes, size = spent.graph_writes, site.fleet.size
    refused = spent.answers["429"] + spent.answers["409"]
    rate = WRITES_A_SECOND * len(site.fleet.tenants)
    waits = _QUIET if site.fleet.kind in {Kind.FEDERATED, Kind.MIXED} else 0
    return [
        ("first Ready, s", quantile(ready, 0), waits * _is_federated(site) + _first(size)),
        ("p50 Ready, s", quantile(ready, 0.5), max(whole / 2, waits + 1)),
        ("p99 Ready, s", quantile(ready, 0.99), None),
        ("all Ready, s", whole, writes / rate / 0.9 + 5 + waits),
        ("share of the write quota", writes / whole / rate, None),
        ("429 and 409 of Graph", refused, 0),
    ]


def _first(size: int) -> float:
    return 10.0 if size > 1000 else 6.0


def _is_federated(site: Installation) -> bool:
    return site.fleet.kind is Kind.FEDERATED


def _ready(site: Installation) -> int:
    """Return how many are Ready, by the operator's metrics: a list would cost more."""
    return sum(
        int(value)
        for sample, value in site.metrics().items()
        if sample.startswith("appcredential_ready_status{") and 'condition="True"' in sample
    )


def _times(site: Installation, began: datetime, kind: str) -> list[float]:
    """Return after how many seconds a condition became True, of each, to the second."""
    found = (condition(document, kind) for document in site.listed())
    times = [
        datetime.fromisoformat(one["lastTransitionTime"])
        for one in found
        if one.get("status") == "True"
    ]
    return sorted(max(0.0, (at - began).total_seconds()) for at in times)


def storm(site: Installation, say: Say) -> list[Value]:
    """Start the operator after an outage in which every credential became due.

    `rotateIssuedBefore` makes them due. It renews one resource every ten minutes at most, which
    is switched off here: the fleet has just been issued.
    """
    well = {
        (d["metadata"]["namespace"], d["metadata"]["name"])
        for d in site.listed()
        if condition(d, "Ready").get("status") == "True"
    }
    kept_in_secrets = [m for m in site.fleet.members() if m.kind is not Kind.FEDERATED]
    # Five of them were harmed in another scene, and may be busy with that.
    harmed = victims(site)
    others = [m for m in kept_in_secrets if m not in harmed]
    members = [m for m in others if (m.namespace, m.name) in well]
    if not members:
        return []
    site.operator.child.stop()
    now = datetime.now(UTC).replace(microsecond=0)
    say("making all due while the operator is down")
    site.by_many(partial(_make_due, site, now.isoformat().replace("+00:00", "Z")), members)
    wall, began = datetime.now(UTC), time.monotonic()
    site.restart({"APPCREDENTIAL_ISSUED_BEFORE_SPACING": "1s"})
    with site.watched() as peaks:
        whole = until(
            lambda: _publications(site) >= len(members),
            began,
            patience(2 * len(members)),
            step=1 + len(members) / 1000,
            tell=lambda s: say(f"{_publications(site)} of {len(members)} renewed, {s:.0f} s"),
        )
    renewed = _renewed(site, wall, members)
    spent, stall = Requests.of(site.metrics()), site.stall()
    site.profile("storm")
    settle(site, say)
    size, rate = len(members), WRITES_A_SECOND * len(site.fleet.tenants)
    return [
        ("first renewed, s", quantile(renewed, 0), None),
        ("p50 renewed, s", quantile(renewed, 0.5), None),
        ("p99 renewed, s", quantile(renewed, 0.99), None),
        ("all renewed, s", whole, size / rate / 0.9 + _PROOFS + 10),
        ("not renewed", size - len(renewed), 0),
        ("share of the write quota", spent.graph_writes / whole / rate, None),
        ("429 and 409 of Graph", spent.answers["429"] + spent.answers["409"], 0),
        ("Graph writes each", spent.graph_writes / size, 1.0),
        ("Graph reads each", spent.graph_reads / size, 1.0),
        ("Kubernetes reads each", spent.reads / size, None),
        ("Kubernetes writes each", spent.writes / size, None),
        ("RSS peak, MiB", peaks.memory, None),
        ("event-loop stall, s", stall, None),
        *asked(spent, size),
    ]


def _make_due(site: Installation, moment: str, member: Member) -> None:
    site.change(member, {"rotation": {"rotateIssuedBefore": moment}})


def _publications(site: Installation) -> int:
    return sum(
        int(value)
        for sample, value in site.metrics().items()
        if sample.startswith("appcredential_effects_total{")
        and 'action="Publish"' in sample
        and 'result="done"' in sample
    )


def _renewed(site: Installation, since: datetime, members: Sequence[Member]) -> list[float]:
    """Return after how many seconds the successor of each member was published."""
    found, asked = [], {(m.namespace, m.name) for m in members}
    for document in site.listed():
        metadata = document["metadata"]
        if (metadata["namespace"], metadata["name"]) not in asked:
            continue
        credential = (document.get("status") or {}).get("credential") or {}
        at = credential.get("publishedTime")
        seconds = (datetime.fromisoformat(at) - since).total_seconds() if at else -math.inf
        if seconds > -1:  # times have whole seconds
            found.append(max(0.0, seconds))
    return found
