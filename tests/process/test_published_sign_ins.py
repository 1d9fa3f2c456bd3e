"""Sign-ins with what is published tell of a disabled service principal, and of its return."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

import pytest

from demo.seed import TENANT_ID
from tests.integration.installation import condition_of
from tests.process.installation import SETTINGS, Site
from tests.process.leaks import leaks, secrets_of, texts_of
from tests.process.metrics import requests, scrape, writes
from tests.process.operators import Operator
from tests.process.waiting import wait_for
from tests.process.workloads import Certified, Workload

pytestmark = [pytest.mark.cluster, pytest.mark.process]

OFTEN: Final = {**SETTINGS, "APPCREDENTIAL_PUBLISHED_SIGN_IN_INTERVAL": "4s"}
_OUTCOME: Final = re.compile(r'appcredential_published_sign_ins_total\{outcome="(\w+)"\} (\S+)')


def outcomes(operator: Operator) -> dict[str, float]:
    found = (_OUTCOME.fullmatch(line) for line in scrape(operator).splitlines())
    return {m.group(1): float(m.group(2)) for m in found if m is not None}


def test_a_disabled_principal_is_said_and_its_return_at_once_when_asked(site: Site) -> None:
    with site.operator(settings=OFTEN) as operator:
        workloads = [Workload(site, "orders"), Certified(site, "invoices")]
        for workload in workloads:
            workload.create()
        for workload in workloads:
            workload.settle()
        wait_for(lambda: operator.is_quiet(3), "quiet", 30, operator.child.tail)
        before, held = requests(operator), [one.target() for one in workloads]
        seen = outcomes(operator).get("proven", 0)
        wait_for(lambda: outcomes(operator).get("proven", 0) >= seen + 4, "sign-ins", 60)
        assert not writes(requests(operator) - before), "nothing is written for a sign-in"
        for workload in workloads:
            _enable(site, workload, is_enabled=False)
        for workload in workloads:
            said = partial(_says, workload, "False", "ApplicationDisabled")
            wait_for(said, "said to be disabled", 75, workload.describe)
            assert condition_of(workload.resource(), "Stalled")["reason"] == "ApplicationDisabled"
        assert [one.target() for one in workloads] == held, "no successor helps"
        for workload in workloads:
            _enable(site, workload, is_enabled=True)
            site.kube.edit(workload.path, _ask)
        for workload in workloads:
            said = partial(_says, workload, "True", "Published")
            wait_for(said, "said to be well again", 30, workload.describe)
        assert [one.target() for one in workloads] == held
        assert not leaks(texts_of(site, operator), secrets_of(site))


def _enable(site: Site, workload: Workload, *, is_enabled: bool) -> None:
    body = {"appId": workload.client_id, "accountEnabled": is_enabled}
    site.emulator.call("PUT", f"/tenants/{TENANT_ID}/servicePrincipals", body)


def _ask(found: dict[str, dict[str, dict[str, str]]]) -> None:
    found["metadata"].setdefault("annotations", {})["appcredential.io/check"] = "1"


def _says(workload: Workload, status: str, reason: str) -> bool:
    ready = condition_of(workload.resource(), "Ready")
    return (ready["status"], ready["reason"]) == (status, reason)
