"""The dashboard keeps the rules of grafana's dashboard-linter, and shows metrics that exist.

The linter itself cannot be had from the Go module proxy. These are its rules (lint/rules.go), but
for its parser of PromQL: a real Prometheus evaluates every query in
tests/process/test_monitoring.py.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest
import yaml

from charts.monitoring import metrics
from tests.chart.helming import CHART, Helm, documents, one

DASHBOARD: Final[dict[str, Any]] = json.loads((CHART / "files" / "dashboard.json").read_text())
PANELS: Final = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES: Final = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
TARGETS: Final = [(panel, target) for panel in PANELS for target in panel["targets"]]
# Of the linter's list; see panel-units-rule.
UNITS: Final = {"none", "s", "bytes", "ops", "reqps", "percentunit"}
_SELECTOR: Final = re.compile(r"\b((?:appcredential|process)_\w+)(\{[^}]*\})?(\[[^\]]*\])?")


def selectors() -> list[tuple[str, str, str, str]]:
    """Return name, matchers, range and what stands before, of each selector of each query."""
    return [
        (m[1], m[2] or "", m[3] or "", target["expr"][: m.start()])
        for _, target in TARGETS
        for m in _SELECTOR.finditer(target["expr"])
    ]


def test_the_data_source_is_a_variable() -> None:
    source = VARIABLES["datasource"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    assert source["label"] == "Data source"
    for thing in (*PANELS, *(target for _, target in TARGETS)):
        assert thing["datasource"]["uid"] == "${datasource}"


@pytest.mark.parametrize("name", ["job", "instance", "namespace"])
def test_processes_and_namespaces_are_variables(name: str) -> None:
    found = VARIABLES[name]
    assert found["label"] == name.capitalize()
    assert (found["type"], found["multi"], found["allValue"]) == ("query", True, ".+")
    assert found["refresh"] == 2, "values are read anew when the time range changes"
    assert found["datasource"]["uid"] == "${datasource}"
    assert re.fullmatch(r"label_values\([a-z_]+(\{[^}]*\})?, [a-z]+\)", found["query"])


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["targets"]
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS


def test_every_query_is_about_the_chosen_processes() -> None:
    assert len(selectors()) > 30
    for name, matchers, _, _ in selectors():
        assert 'job=~"$job"' in matchers, name
        assert 'instance=~"$instance"' in matchers, name


def test_a_counter_is_shown_as_a_rate_over_the_interval() -> None:
    for name, _, over, before in selectors():
        if name.endswith(("_total", "_bucket")):
            assert over == "[$__rate_interval]", name
            assert before.endswith(("rate(", "increase(")), name
        else:
            assert not over, name


def test_every_metric_that_it_shows_exists() -> None:
    known = {found.name for found in metrics()}
    assert {name.removesuffix("_bucket") for name, *_ in selectors()} <= known


def test_no_two_panels_share_a_place_or_an_id() -> None:
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert not DASHBOARD["editable"], "what is edited in Grafana would be lost"


def test_the_sidecar_finds_it(helm: Helm) -> None:
    words = ("--set", "metrics.dashboard.enabled=true,metrics.dashboard.namespace=grafana")
    folder = ("--set", "metrics.dashboard.annotations.grafana_folder=Platform")
    maps = [d for d in documents(helm.template(*words, *folder)) if d["kind"] == "ConfigMap"]
    (found,) = (d for d in maps if d["metadata"]["labels"].get("grafana_dashboard") == "1")
    assert found["metadata"]["namespace"] == "grafana"
    assert found["metadata"]["annotations"] == {"grafana_folder": "Platform"}
    assert json.loads(found["data"]["appcredential.json"]) == DASHBOARD


def test_it_is_made_on_request_only(helm: Helm) -> None:
    assert "grafana" not in helm.template()


PROMETHEUS: Final = (
    "--set-json",
    'networkPolicy.metricsFrom=[{"namespaceSelector":{"matchLabels":{"name":"monitoring"}}}]',
)


@pytest.mark.parametrize(
    ("value", "kind"), [("podMonitor", "PodMonitor"), ("rules", "PrometheusRule")]
)
def test_objects_of_the_prometheus_operator_need_its_kinds(
    helm: Helm, value: str, kind: str
) -> None:
    switch = ("--set", f"metrics.{value}.enabled=true", *PROMETHEUS)
    assert f"metrics.{value}.enabled needs the kind {kind}" in helm.refusal(*switch)
    skipped = helm.template(*switch, "--set", f"metrics.{value}.renderMode=skipIfMissing")
    assert f"kind: {kind}\n" not in skipped
    labelled = ("--set", f"metrics.{value}.labels.release=prometheus")
    known = ("--api-versions", f"monitoring.coreos.com/v1/{kind}")
    found = one(documents(helm.template(*switch, *labelled, *known)), kind)
    assert found["metadata"]["labels"]["release"] == "prometheus"


def test_a_pod_monitor_reads_the_pods_and_keeps_their_labels(helm: Helm) -> None:
    switch = ("--set", "metrics.podMonitor.enabled=true,metrics.podMonitor.renderMode=alwaysRender")
    found = documents(helm.template(*switch, *PROMETHEUS))
    spec = one(found, "PodMonitor")["spec"]
    (endpoint,) = spec["podMetricsEndpoints"]
    assert endpoint["honorLabels"] is True
    (container,) = one(found, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert endpoint["port"] in {port["name"] for port in container["ports"]}
    labels = one(found, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()


def test_nobody_monitors_what_nobody_may_read(helm: Helm) -> None:
    said = helm.refusal("--set", "metrics.podMonitor.enabled=true")
    assert "metrics.podMonitor.enabled, but nobody may read the metrics" in said


def test_the_recipe_for_kube_state_metrics_may_read_what_it_shows() -> None:
    recipe = CHART.parents[1] / "examples" / "monitoring" / "kube-state-metrics.yaml"
    role = one(list(yaml.safe_load_all(recipe.read_text())), "ClusterRole")
    verbs = {verb for rule in role["rules"] for verb in rule["verbs"]}
    assert verbs == {"list", "watch"}
