"""Nothing due means nothing done: no write, no call, also across a restart."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.process.installation import GROUP, Site, Workload, wait_for
from tests.process.metrics import graph_calls, is_leading, requests, writes

pytestmark = [pytest.mark.cluster, pytest.mark.process]

NAMES = ("orders", "invoices", "returns")
STEADY_SECONDS = 15
RESTARTED_SECONDS = 8


def test_nothing_is_written_while_nothing_is_due(site: Site) -> None:
    with site.operator() as operator:
        workloads = [Workload(site, name) for name in NAMES]
        for workload in workloads:
            workload.create()
        for workload in workloads:
            wait_for(workload.is_settled, "Ready", 30, workload.describe)
        wait_for(lambda: operator.is_quiet(3), "quiet", 30, operator.child.tail)

        before, versions = requests(operator), _versions(workloads)
        _pass_time(STEADY_SECONDS)
        spent = requests(operator) - before
        print(f"\nin {STEADY_SECONDS} s: {dict(spent)}")
        assert not writes(spent)
        assert not graph_calls(spent)
        assert _versions(workloads) == versions

        operator.child.kill()
        operator.restart()
        site.wait_until_ready(operator)
        wait_for(lambda: is_leading(operator), "leading", 20, operator.child.tail)
        _pass_time(RESTARTED_SECONDS)
        spent = requests(operator)
        print(f"{RESTARTED_SECONDS} s after a restart: {dict(spent)}")
        assert spent["PUT lease"] > 0
        assert not writes(spent)
        assert _versions(workloads) == versions


def _versions(workloads: list[Workload]) -> list[Any]:
    """Return the versions of everything that an operator may write, tenant and grants too."""
    site = workloads[0].site
    found = [(w.resource(), w.target()) for w in workloads]
    status, text = site.cluster.api.send("GET", f"{GROUP}/entratenants/default")
    assert status == 200
    grants = [site.cluster.api.call("GET", f"{GROUP}/applicationgrants/{site.namespace}-{w.name}") for w in workloads]
    objects = [one for pair in found for one in pair] + [json.loads(text), *grants]
    return [one["metadata"]["resourceVersion"] for one in objects]


def _pass_time(seconds: float) -> None:
    """Let time pass: that nothing happens in it is what is tested."""
    end = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= end, "time", seconds + 1)
