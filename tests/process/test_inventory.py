"""What is removed in the portal is noticed within a minute, by the defaults of a release."""

from __future__ import annotations

import time
from functools import partial

import pytest

from tests.integration.installation import condition_of
from tests.process.installation import Site
from tests.process.metrics import graph_calls, requests
from tests.process.waiting import wait_for
from tests.process.workloads import Workload

pytestmark = [pytest.mark.cluster, pytest.mark.process]

NAMES = ("orders", "invoices", "returns")


def test_what_the_portal_removes_is_said_within_a_minute(site: Site) -> None:
    """The directory resync is an hour here: nothing but the lists can tell."""
    with site.operator() as operator:
        workloads = [Workload(site, name) for name in NAMES]
        for workload in workloads:
            workload.create()
        for workload in workloads:
            workload.settle()
        removed, deleted, settled = workloads
        wait_for(lambda: operator.is_quiet(3), "quiet", 30, operator.child.tail)
        # A published credential that is missing counts only after the settle time.
        former, before = removed.annotations()["key-id"], requests(operator)
        begun = time.monotonic()
        passwords = f"/applications/{removed.client_id}/passwords"
        site.emulator.call("DELETE", f"{passwords}/{former}")
        site.emulator.call("DELETE", f"/applications/{deleted.client_id}")
        for workload, reason in ((removed, "CredentialMissing"), (deleted, "ApplicationNotFound")):
            rest = max(1.0, 60 - (time.monotonic() - begun))
            wait_for(partial(_says, workload, reason), f"said {reason}", rest, operator.child.tail)
        wait_for(lambda: removed.annotations()["key-id"] != former, "replaced", 60)
        assert condition_of(settled.resource(), "Ready")["reason"] == "Published"
        spent = graph_calls(requests(operator) - before)
        # One list for all three, each half minute.
        assert 1 <= spent["application.list"] <= 5


def _says(workload: Workload, reason: str) -> bool:
    ready = condition_of(workload.resource(), "Ready")
    return (ready["status"], ready["reason"]) == ("False", reason)
