"""The ends: of a process that comes back, of a leader, and of all resources."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import Final

from bench.counters import Requests
from bench.installation import GROUP, Installation, resources
from bench.scenes.scene import Say, Value, asked, observes, patience, settle, until

_DEPTH: Final = "appcredential_workqueue_depth"
_RESUMED: Final = "appcredential_resumed_resources"
_TAKEOVER: Final = 75.0
"""Seconds: a Lease of 60, a look at it every 10, and what comes then."""


def restart(site: Installation, say: Say) -> list[Value]:
    """Stop the operator and start it; it goes on once it knows when each resource is due.

    What it asks until then is counted, and what it has asked once it has looked at all of them.
    """
    back = come_back(site)
    say("waiting until all were looked at")
    began = time.monotonic()
    looked = until(partial(all_looked_at, site), began, patience(site.fleet.size), step=0.5)
    settle(site, say)
    spent = Requests.of(site.metrics())
    return [
        *back,
        ("all looked at, s later", looked, None),
        ("Graph calls", spent.graph.total(), None),
        ("Kubernetes calls", spent.kubernetes.total(), None),
        ("Kubernetes writes", spent.writes, 0),
        ("CPU, s", site.cpu(), None),
        ("RSS, MiB", site.memory(), None),
        *asked(spent),
    ]


def come_back(site: Installation) -> list[Value]:
    """Stop the operator and start it, until it knows when each resource is due."""
    began = time.monotonic()
    site.restart()
    site.operator.wait_until_ready(120)
    ready = time.monotonic() - began
    whole = until(lambda: all_known(site), began, patience(site.fleet.size), step=0.25)
    stall, known = site.stall(), Requests.of(site.metrics())
    site.profile("restart")
    return [
        ("until /readyz, s", ready, None),
        ("all known, s", whole, 30.0),
        ("Graph calls until then", known.graph.total(), 50.0),
        ("Kubernetes calls until then", known.kubernetes.total(), 100.0),
        ("Kubernetes writes until then", known.writes, 0),
        ("event-loop stall, s", stall, None),
    ]


def all_known(site: Installation) -> bool:
    """Whether the operator leads, and each resource was passed or waits for its first look."""
    metrics = site.metrics()
    known = metrics.get('appcredential_reconciles_total{kind="appcredentials"}', 0)
    known += metrics.get(_RESUMED, 0)
    leads = metrics.get("appcredential_leader") == 1
    waiting = sum(v for name, v in metrics.items() if name.startswith(_DEPTH))
    return leads and known >= site.fleet.size and not waiting


def all_looked_at(site: Installation) -> bool:
    """Whether none is left whose first look is put off."""
    return all_known(site) and site.metrics().get(_RESUMED) == 0


def takeover(site: Installation, say: Say) -> list[Value]:
    """Kill the leader beside a standby, change one resource, and wait for the standby to act."""
    standby = site.start_standby()
    try:
        standby.wait_until_ready(120)
    except BaseException:
        standby.child.stop()
        raise
    member = site.fleet.member(site.fleet.size - 1)
    say("killing the leader")
    began = time.monotonic()
    site.operator.child.kill()
    site.measure(standby)
    idle = site.memory()
    site.change(member, {"deletionGracePeriod": "30h"})
    leads = until(lambda: site.metrics().get("appcredential_leader") == 1, began, 2 * _TAKEOVER)
    acted = until(partial(observes, site, member), began, 3 * _TAKEOVER)
    settle(site, say)
    spent = Requests.of(site.metrics())
    return [
        ("until it leads, s", leads, _TAKEOVER),
        ("until its first action, s", acted, _TAKEOVER),
        ("RSS of the standby, MiB", idle, None),
        *asked(spent),
    ]


def delete(site: Installation, say: Say) -> list[Value]:
    """Delete all AppCredentials."""
    size, before, began = site.fleet.size, Requests.of(site.metrics()), time.monotonic()
    site.stall()
    for namespace in site.fleet.namespaces:
        site.send("DELETE", resources(namespace))
    whole = until(
        lambda: not site.get(f"{GROUP}/appcredentials?limit=1").get("items"),
        began,
        patience(size),
        step=0.5,
        tell=lambda passed: say(f"resources are left after {passed:.0f} s"),
    )
    spent, stall = Requests.of(site.metrics()).since(before), site.stall()
    site.profile("all deleted")
    if math.isnan(whole):
        return [("all gone, s", whole, None)]
    return [
        ("all gone, s", whole, None),
        ("Graph calls each", spent.graph.total() / size, None),
        ("Kubernetes reads each", spent.reads / size, 4.0),
        ("Kubernetes writes each", spent.writes / size, 2.0),
        ("event-loop stall, s", stall, None),
        *asked(spent, size),
    ]
