"""A blocked renewal fires the chart's alerts in order, in a Prometheus that reads an operator."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from demo.seed import TENANT_ID
from localcluster.helm import locate_helm
from tests.chart.helming import CHART, Helm, documents, one
from tests.process.installation import Site
from tests.process.prometheus import BINARY, Prometheus, prometheus
from tests.process.waiting import wait_for
from tests.process.workloads import Workload

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.process,
    pytest.mark.skipif(BINARY is None, reason="prometheus is missing: apt-get install prometheus"),
]

LIFETIME: Final = 60
SHORT: Final = "enabled=true,renderMode=alwaysRender,interval=1s,patience=2s,urgentPatience=1s"
ORDER: Final = (
    "AppCredentialExpiring",
    "AppCredentialExpiringSoon",
    "AppCredentialExpiryImminent",
    "AppCredentialExpired",
)
# What nothing in this run can make.
EMPTY: Final = {"Replaced credentials that pods may still use", "orphaned", "retiring"}


def groups(folder: Path) -> list[dict[str, Any]]:
    """Return the chart's rules, which wait for seconds instead of minutes."""
    helm = Helm(locate_helm(lambda line: print(line, file=sys.stderr)), folder)  # noqa: T201
    words = ",".join(f"metrics.rules.{value}" for value in SHORT.split(","))
    rule = one(documents(helm.template("--set", words)), "PrometheusRule")
    return list(rule["spec"]["groups"])


def test_a_blocked_renewal_fires_the_alerts_in_order(site: Site, tmp_path: Path) -> None:
    rules = groups(tmp_path / "helm")
    with site.operator() as operator:
        target = operator.metrics_url.removeprefix("http://")
        with prometheus(tmp_path / "prometheus", [target], rules) as running:
            workload = Workload(site, "orders")
            workload.create(lifetime=f"{LIFETIME}s", rotation={"retireWhen": "OverlapElapsed"})
            wait_for(lambda: _is_shown(running), "published", 45, workload.describe)
            assert not set(running.began(name="orders")) & set(ORDER), "all is on schedule"
            forbid(site, workload)
            wait_for(
                lambda: set(running.began(name="orders")) >= set(ORDER),
                "each alert of the expiry",
                2 * LIFETIME + 60,
                lambda: f"{running.began(name='orders')}\n{running.tail()}\n{workload.describe()}",
            )
            began = running.began(name="orders")
            assert sorted(ORDER, key=began.__getitem__) == list(ORDER), began
            assert {"AppCredentialStalled", "AppCredentialRotationFailing"} <= set(began)
            assert began["AppCredentialRotationFailing"] < began["AppCredentialExpired"]
            _check_texts(running, site)
            _check_dashboard(running)


def forbid(site: Site, workload: Workload) -> None:
    """Put the application under a policy that allows no new secret."""
    restrictions = {"passwordCredentials": [{"restrictionType": "passwordAddition"}]}
    body = {"displayName": "none", "isEnabled": True, "restrictions": restrictions}
    made = site.emulator.call("POST", f"/tenants/{TENANT_ID}/policies", body)
    path = f"/applications/{workload.client_id}/policy"
    site.emulator.call("PUT", path, {"policy": made["id"]})


def _is_shown(running: Prometheus) -> bool:
    """Return whether Prometheus has seen the published credential."""
    return bool(running.query('appcredential_expiration_timestamp_seconds{name="orders"}'))


def _check_texts(running: Prometheus, site: Site) -> None:
    """Hold the alerts that fire against what a person is to read."""
    told = {
        alert["labels"]["alertname"]: alert["annotations"]
        for alert in running.alerts()
        if alert["labels"].get("name") == "orders"
    }
    assert told["AppCredentialExpired"]["summary"] == (
        f"The credential of {site.namespace}/orders has expired"
    )
    stalled = told["AppCredentialStalled"]["summary"]
    assert stalled == f"{site.namespace}/orders is stalled: TypeForbiddenByPolicy"
    assert not any(
        "{{" in text or "<error" in text for one in told.values() for text in one.values()
    )


def _check_dashboard(running: Prometheus) -> None:
    """Evaluate every query of the dashboard; each must be one, and nearly each shows something."""
    found = json.loads((CHART / "files" / "dashboard.json").read_text())
    values = {"$job": ".+", "$instance": ".+", "$namespace": ".+", "$__rate_interval": "1m"}
    empty, evaluated = set(), 0
    for panel in found["panels"]:
        for query in panel.get("targets", ()):
            expr = query["expr"]
            for name, value in values.items():
                expr = expr.replace(name, value)
            evaluated += 1
            if not running.query(expr):
                empty.add(query["legendFormat"] or panel["title"])
    assert evaluated > 30
    assert empty <= EMPTY
