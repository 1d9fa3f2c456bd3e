"""A watch of published Secrets, by a process with its own rights and a real API server."""

from __future__ import annotations

import base64
import json
import logging
import time
from functools import partial
from typing import Any, Final

import pytest

from tests.process.conftest import NewSite, at_once
from tests.process.installation import SETTINGS, Site
from tests.process.metrics import is_leading, scrape
from tests.process.operators import Operator
from tests.process.test_looks import _delete, _edit
from tests.process.waiting import pass_time, wait_for
from tests.process.workloads import Workload

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.cluster, pytest.mark.process]

WATCHING: Final = {**SETTINGS, "APPCREDENTIAL_WATCH_SECRETS": "true"}
FOLLOWS: Final = "appcredential_secret_watches 1.0"
NOTICED_WITHIN: Final = 10.0
"""Half of the shortest round of looks; the figure itself is recorded."""
LOOKED_AT_WITHIN: Final = 45.0


def _allow(site: Site) -> None:
    """Let the operator list and watch Secrets where it serves."""
    metadata = {"name": "watch-secrets", "namespace": site.namespace}
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "watch"]}
    group = "rbac.authorization.k8s.io"
    account = {"kind": "ServiceAccount", "name": "appcredential"}
    documents: list[dict[str, Any]] = [
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": metadata, "rules": [rule]},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "watch-secrets"},
            "subjects": [{**account, "namespace": site.operator_namespace}],
        },
    ]
    text = "\n---\n".join(map(json.dumps, documents))
    site.cluster.kubectl("apply", "--server-side", "-f", "-", input=text)


def _says(workload: Workload, reason: str) -> bool:
    found = workload.condition("Ready")
    return (found.get("status"), found.get("reason")) == ("False", reason)


def _looks(operator: Operator) -> float:
    """Return how many light looks there were."""
    lines = scrape(operator).splitlines()
    return sum(
        float(line.split()[-1])
        for line in lines
        if line.startswith("appcredential_cluster_looks_total{")
    )


def _is_well(workload: Workload, operator: Operator) -> bool:
    return workload.is_ready() and operator.is_quiet(3)


def _a_lost_secret_is_noticed_at_once_and_nothing_is_looked_at(new_site: NewSite) -> None:
    site = new_site()
    _allow(site)
    with site.operator(settings=WATCHING) as operator:
        wait_for(lambda: is_leading(operator), "leading", 30, operator.child.tail)
        workload = Workload(site, "orders")
        workload.create()
        path = f"/api/v1/namespaces/{site.namespace}/secrets/{workload.name}"
        for harm, reason in ((_delete, "SecretMissing"), (_edit, "SecretEdited")):
            wait_for(partial(_is_well, workload, operator), "ready", 60, operator.child.tail)
            assert FOLLOWS in scrape(operator)
            began = time.monotonic()
            harm(site, path)
            told = partial(_says, workload, reason)
            wait_for(told, reason, NOTICED_WITHIN, operator.child.tail)
            log.info("%s after %.2f s", reason, time.monotonic() - began)
        wait_for(partial(_is_well, workload, operator), "ready", 60, operator.child.tail)
        looked = _looks(operator)
        pass_time(25)
        assert _looks(operator) == looked, "a whole round of looks, and the Secret is in none"
        value = base64.b64encode(b"edited").decode()
        assert workload.target()["data"]["AZURE_CLIENT_SECRET"] != value


def _without_the_right_it_says_so_and_looks_at_each_secret(new_site: NewSite) -> None:
    site = new_site()
    with site.operator(settings=WATCHING) as operator:
        wait_for(lambda: is_leading(operator), "leading", 30, operator.child.tail)
        workload = Workload(site, "orders")
        workload.create()
        wait_for(partial(_is_well, workload, operator), "ready", 60, operator.child.tail)
        told = [
            line for line in operator.log_lines() if line.get("event") == "Secrets are not watched"
        ]
        assert len(told) == 1
        assert f"in the namespace {site.namespace}" in told[0]["problem"]
        _edit(site, f"/api/v1/namespaces/{site.namespace}/secrets/{workload.name}")
        edited = partial(_says, workload, "SecretEdited")
        wait_for(edited, "the edit", LOOKED_AT_WITHIN, operator.child.tail)


test_a_lost_secret_is_noticed_at_once_and_nothing_is_looked_at = at_once(
    _a_lost_secret_is_noticed_at_once_and_nothing_is_looked_at
)
test_without_the_right_it_says_so_and_looks_at_each_secret = at_once(
    _without_the_right_it_says_so_and_looks_at_each_secret
)
