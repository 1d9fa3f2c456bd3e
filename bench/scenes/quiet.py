"""A fleet at rest, and one change in it."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

from bench.counters import Requests
from bench.figures import quantile
from bench.installation import Installation
from bench.scenes.scene import Say, Value, asked, observes, settle, until

_CHANGES: Final = 20
_AFTER_ISSUE: Final = 40.0


def steady(site: Installation, say: Say) -> list[Value]:
    """Do nothing for a while; what an hour costs is that, multiplied."""
    seconds = site.patience.steady
    settle(site, say)
    # What was just issued is looked at once more when all replicas know of it. That is no rest.
    time.sleep(min(_AFTER_ISSUE, seconds))
    before, cpu, began = Requests.of(site.metrics()), site.cpu(), time.monotonic()
    site.stall()
    site.profile("before the steady state")
    until(
        lambda: False,
        began,
        seconds,
        step=1,
        tell=lambda passed: say(f"{passed:.0f} of {seconds:.0f} s at rest"),
    )
    passed = time.monotonic() - began
    spent, stall = Requests.of(site.metrics()).since(before), site.stall()
    cpu = site.cpu() - cpu
    site.profile("steady state")
    return [
        ("watched for, s", passed, None),
        ("Graph reads an hour", spent.graph_reads * 3600 / passed, 200.0),
        ("sign-ins an hour", spent.graph["token"] * 3600 / passed, None),
        ("Graph writes", spent.graph_writes, 0),
        ("Kubernetes reads a second", spent.reads / passed, 25.0),
        ("Kubernetes writes", spent.writes, 0),
        ("CPU, share of a core", cpu / passed, None),
        ("RSS settled, MiB", site.memory(), 200.0),
        ("event-loop stall, s", stall, None),
        *asked(spent),
    ]


def change(site: Installation, _: Say) -> list[Value]:
    """Change one resource after the other, and wait until status shows the generation."""
    seen = []
    for number in range(min(_CHANGES, site.fleet.size)):
        member = site.fleet.member(number * max(1, site.fleet.size // _CHANGES) % site.fleet.size)
        began = time.monotonic()
        site.change(member, {"deletionGracePeriod": f"{number + 1}h"})
        seen.append(until(partial(observes, site, member), began, 30))
    return [("p50, s", quantile(seen, 0.5), None), ("p99, s", quantile(seen, 0.99), 1.0)]
