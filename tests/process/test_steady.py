"""Nothing due means nothing done: no write, no call, also across a restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.installation import GROUP
from tests.process.installation import Site
from tests.process.metrics import graph_calls, is_leading, requests, writes
from tests.process.waiting import pass_time, wait_for
from tests.process.workloads import Workload

pytestmark = [pytest.mark.cluster, pytest.mark.process]

NAMES = ("orders", "invoices", "returns")
STEADY_SECONDS = 15
RESTARTED_SECONDS = 8


def test_nothing_is_written_while_nothing_is_due(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    with site.operator() as operator:
        workloads = [Workload(site, name) for name in NAMES]
        for workload in workloads:
            workload.create()
        for workload in workloads:
            workload.settle()
        wait_for(lambda: operator.is_quiet(3), "quiet", 30, operator.child.tail)

        before, versions = requests(operator), _versions(site, workloads)
        pass_time(STEADY_SECONDS)
        spent = requests(operator) - before
        record_property(f"requests in {STEADY_SECONDS} s", dict(spent))
        assert not writes(spent)
        # The lists go on, once in half a minute; no application is read directly.
        assert graph_calls(spent) in ({}, {"application.list": 1})
        assert _versions(site, workloads) == versions

        operator.child.kill()
        operator.restart()
        operator.wait_until_ready()
        wait_for(lambda: is_leading(operator), "leading", 20, operator.child.tail)
        pass_time(RESTARTED_SECONDS)
        spent = requests(operator)
        record_property(f"requests {RESTARTED_SECONDS} s after a restart", dict(spent))
        assert spent["PUT lease"] > 0
        assert not writes(spent)
        assert _versions(site, workloads) == versions


def _versions(site: Site, workloads: list[Workload]) -> list[Any]:
    """Return the versions of everything that an operator may write, tenant and grants too."""
    paths = [f"{GROUP}/entratenants/default"]
    for workload in workloads:
        secret = f"/api/v1/namespaces/{site.namespace}/secrets/{workload.name}"
        paths += [workload.path, workload.grant_path, secret]
    found = [site.cluster.api.call("GET", path) for path in paths]
    return [one["metadata"]["resourceVersion"] for one in found]
