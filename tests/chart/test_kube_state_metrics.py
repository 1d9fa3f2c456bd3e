"""The recipe for kube-state-metrics makes the metrics that the alerts without an operator use."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
import yaml

from charts.monitoring import alerts
from tests.chart.custom_resource_state import evaluate
from tests.chart.helming import CHART, ROOT
from tests.support.world import RESOURCE, World

RECIPE: Final = ROOT / "examples" / "monitoring" / "kube-state-metrics.yaml"
RULES: Final = (CHART / "files" / "alerts.yaml").read_text()
TENANT: Final = {
    "apiVersion": "appcredential.io/v1alpha1",
    "kind": "EntraTenant",
    "metadata": {"name": "default"},
    "status": {
        "identity": {"expirationTime": "2030-01-02T00:00:00Z"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "SignedIn"}],
    },
}


@pytest.fixture(scope="module")
def config() -> Any:
    (held,) = (d for d in yaml.safe_load_all(RECIPE.read_text()) if d["kind"] == "ConfigMap")
    return yaml.safe_load(held["data"]["config.yaml"])


async def test_it_shows_what_the_operator_wrote_into_status(config: Any) -> None:
    world = World()
    await world.publish()
    document = {
        "apiVersion": "appcredential.io/v1alpha1",
        "kind": "AppCredential",
        **world.api.objects[RESOURCE],
    }
    shown = {(s.name, s.labels.get("condition", "")): s for s in evaluate(config, document)}
    where = {"namespace": "shop", "name": "orders"}
    end = shown["appcredential_resource_expiration_timestamp_seconds", ""]
    renewal = shown["appcredential_resource_renewal_timestamp_seconds", ""]
    assert end.labels == where
    assert world.clock.now().timestamp() < renewal.value < end.value
    ready = shown["appcredential_resource_condition", "Ready"]
    reason = {"condition": "Ready", "status": "True", "reason": "Published"}
    assert (ready.labels, ready.value) == ({**where, **reason}, 1.0)
    assert shown["appcredential_resource_condition", "Expiring"].value == 0.0


def test_it_shows_the_operators_own_credential(config: Any) -> None:
    shown = {s.name: s for s in evaluate(config, TENANT)}
    end = shown["appcredential_tenant_resource_expiration_timestamp_seconds"]
    assert (end.labels, end.value) == ({"tenant": "default"}, 1_893_542_400.0)
    assert shown["appcredential_tenant_resource_condition"].value == 1.0


def test_a_resource_without_a_credential_has_no_end(config: Any) -> None:
    new = {**TENANT, "kind": "AppCredential", "metadata": {"namespace": "shop", "name": "new"}}
    del new["status"]
    assert evaluate(config, new) == []


def test_the_alerts_use_no_other_metric_of_it(config: Any) -> None:
    made = {
        f"{resource['metricNamePrefix']}_{metric['name']}"
        for resource in config["spec"]["resources"]
        for metric in resource["metrics"]
    }
    used = set(re.findall(r"appcredential_(?:tenant_)?resource_\w+", RULES))
    assert used
    assert used <= made
    assert len(alerts(RULES)) > 20


def test_what_is_not_evaluated_here_is_refused(config: Any) -> None:
    gauge: dict[str, Any] = {"path": ["status", "credential"]}
    metric = {"name": "x", "help": "x", "each": {"type": "Gauge", "gauge": gauge}}
    resource = {**config["spec"]["resources"][0], "metrics": [metric]}
    document = {**TENANT, "kind": "AppCredential", "status": {"credential": {"keyId": "a"}}}
    asked = {**config, "spec": {"resources": [resource]}}
    with pytest.raises(ValueError, match="ambiguous"):
        evaluate(asked, document)
    gauge["nilIsZero"] = True
    with pytest.raises(ValueError, match="not known"):
        evaluate(asked, document)
