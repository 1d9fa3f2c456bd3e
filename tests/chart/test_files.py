"""What the charts hold twice is the same in both places."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from appcredential import __version__
from appcredential.domain.demanded import MIN_KUBERNETES
from appcredential.settings import FIELDS
from charts.generate import RBAC, SET_BY_THE_CHART, camel, generated, rights, schema
from charts.readme import rows
from tests.chart.helming import CHART, CRDS_CHART, ROOT, Helm, documents, environment, flags, one

CRDS = sorted((ROOT / "crds").glob("*.yaml"))


@pytest.mark.parametrize("path", generated(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_generated_file_is_up_to_date(path: Path) -> None:
    assert path.read_text() == generated()[path], "run: make chart-files"


def test_the_charts_carry_the_operators_version() -> None:
    for chart in (CHART, CRDS_CHART):
        head = yaml.safe_load((chart / "Chart.yaml").read_text())
        assert (head["version"], head["appVersion"]) == (__version__, __version__)


def test_the_charts_need_the_kubernetes_that_the_operator_needs() -> None:
    oldest = ".".join(map(str, MIN_KUBERNETES))
    for chart in (CHART, CRDS_CHART):
        head = yaml.safe_load((chart / "Chart.yaml").read_text())
        assert head["kubeVersion"] == f">={oldest}.0-0"


def artifact_hub(name: str) -> Any:
    """Return what Chart.yaml tells Artifact Hub in one of its annotations."""
    annotations = yaml.safe_load((CHART / "Chart.yaml").read_text())["annotations"]
    return yaml.safe_load(annotations[f"artifacthub.io/{name}"])


def test_artifact_hub_is_told_every_kind() -> None:
    crds = [yaml.safe_load(path.read_text()) for path in CRDS]
    known = {
        (crd["metadata"]["name"], crd["spec"]["names"]["kind"], version["name"])
        for crd in crds
        for version in crd["spec"]["versions"]
    }
    told = artifact_hub("crds")
    assert {(crd["name"], crd["kind"], crd["version"]) for crd in told} == known
    assert all(crd["displayName"] and crd["description"] for crd in told)
    examples = {(e["apiVersion"].split("/")[1], e["kind"]) for e in artifact_hub("crdsExamples")}
    assert examples == {(version, kind) for _, kind, version in known}


def test_artifact_hub_is_told_what_it_can_use() -> None:
    """The words that its documentation allows."""
    levels = {"basic install", "seamless upgrades", "full lifecycle", "deep insights", "auto pilot"}
    assert artifact_hub("operatorCapabilities") in levels
    assert artifact_hub("category") == "security"
    assert artifact_hub("license") == "Apache-2.0"
    for flag in ("operator", "prerelease", "containsSecurityUpdates"):
        assert isinstance(artifact_hub(flag), bool)


def test_artifact_hub_is_told_changes_of_the_changelog() -> None:
    newest = (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1]
    for change in artifact_hub("changes"):
        _, _, entries = newest.partition(f"### {change['kind'].capitalize()}\n")
        begun = " ".join(entries.partition("\n### ")[0].split())
        assert f"- {change['description']}" in begun


def test_the_charts_hold_no_other_crd() -> None:
    names = {path.name for path in CRDS}
    assert {path.name for path in (CHART / "crds").iterdir()} == names
    assert {path.name for path in (CRDS_CHART / "templates").iterdir()} == names


def test_the_crd_chart_renders_the_crds_and_keeps_them(helm: Helm) -> None:
    wanted = [yaml.safe_load(path.read_text()) for path in CRDS]
    assert documents(helm.template("--set", "keep=false", chart=CRDS_CHART)) == wanted
    for crd in documents(helm.template(chart=CRDS_CHART)):
        assert crd["metadata"]["annotations"].pop("helm.sh/resource-policy") == "keep"
        assert crd in wanted


def test_the_command_prints_the_same_crds() -> None:
    command = [sys.executable, "-m", "appcredential", "crds"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert documents(done.stdout) == [yaml.safe_load(path.read_text()) for path in CRDS]


def test_every_value_is_explained_in_the_readme() -> None:
    told = {row.path for row in rows((CHART / "values.yaml").read_text())}

    def leaves(node: object, path: str) -> set[str]:
        if path in told or not isinstance(node, dict):
            return {path}
        return {leaf for key, value in node.items() for leaf in leaves(value, f"{path}.{key}")}

    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert {leaf for key, value in values.items() for leaf in leaves(value, key)} == told


def test_every_value_is_in_the_schema() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert set(schema()["properties"]) == {"global", "enabled", *values}


# --- settings ---------------------------------------------------------------------------------


def test_every_setting_is_a_value_or_set_by_the_chart() -> None:
    known = set(schema()["properties"]["settings"]["properties"])
    assert known == {camel(name) for name in FIELDS if name not in SET_BY_THE_CHART}
    assert set(FIELDS) >= SET_BY_THE_CHART


def test_settings_are_rendered_as_the_operator_names_them(helm: Helm) -> None:
    samples = {"string": "90s", "integer": 7, "boolean": True}
    shapes = schema()["properties"]["settings"]["properties"]
    settings = {
        name: shape["enum"][0] if "enum" in shape else samples[shape.get("type", "string")]
        for name, shape in shapes.items()
    }
    # A Lease of 90 s would be shorter than its margins, and issuers have a form of their own.
    settings |= {"leaseDuration": "3m", "checkedIssuers": "https://issuer.example"}
    rendered = documents(helm.template(*flags({"settings": settings})))
    found = environment(one(rendered, "Deployment"), "pod")
    wanted = {name: settings[camel(name)] for name in FIELDS if name not in SET_BY_THE_CHART}
    told = {name: str(value).replace("True", "true") for name, value in wanted.items()}
    assert {name: found.get(name) for name in told} == told


@pytest.mark.parametrize("values", ["default", "full", "namespaced", "trial", "azure"])
def test_the_chart_sets_nothing_that_is_no_setting(helm: Helm, values: str) -> None:
    file = Path(__file__).parent / "values" / f"{values}.yaml"
    deployment = one(documents(helm.template("-f", file)), "Deployment", "appcredential")
    found = {name for name in environment(deployment, "pod") if name.startswith("APPCREDENTIAL_")}
    assert found <= set(FIELDS)


# --- rights -----------------------------------------------------------------------------------


def _split(rules: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Return the rules, one for each resource, in an order of their own."""
    return sorted(
        (r, *rule["apiGroups"], *rule.get("resourceNames", ()), *rule["verbs"])
        for rule in rules
        for r in rule["resources"]
    )


def test_the_rights_are_those_of_the_example_by_hand() -> None:
    found = rights()
    documents = list(yaml.safe_load_all(RBAC.read_text()))
    (everywhere,) = (d["rules"] for d in documents if d["kind"] == "ClusterRole")
    # A rule may be split between the two; nothing is lost or added.
    parts = found["cluster"] + found["namespaces"] + found["pods"] + found["selected"]
    assert _split(parts) == _split(everywhere)
    assert [r["resources"] for r in found["namespaces"] if "secrets" in r["resources"]]


def test_no_right_has_a_wildcard_or_lists_secrets_everywhere(helm: Helm) -> None:
    for file in (Path(__file__).parent / "values").iterdir():
        for role in documents(helm.template("-f", file)):
            if role["kind"] not in {"Role", "ClusterRole"}:
                continue
            for rule in role["rules"]:
                assert "*" not in [word for words in rule.values() for word in words]
                if "secrets" in rule.get("resources", ()):
                    assert not {"patch", "deletecollection"} & set(rule["verbs"])
                    is_read = not {"list", "watch"} & set(rule["verbs"])
                    assert is_read or role["kind"] == "Role", "in a whole cluster only when asked"


@pytest.mark.parametrize(
    ("values", "where", "is_told"),
    [
        ({}, set(), False),
        ({"rbac": {"watchSecrets": True}}, {""}, True),
        ({"rbac": {"watchSecrets": False}}, set(), False),
        ({"watchNamespaces": ["shop"]}, {"shop"}, True),
        ({"watchNamespaces": ["shop"], "rbac": {"watchSecrets": None}}, {"shop"}, True),
        ({"watchNamespaces": ["shop"], "rbac": {"watchSecrets": False}}, set(), False),
        ({"watchNamespaces": ["shop"], "rbac": {"create": False}}, set(), False),
        (
            {"watchNamespaces": ["shop"], "rbac": {"create": False, "watchSecrets": True}},
            set(),
            True,
        ),
    ],
)
def test_secrets_are_watched_where_that_shows_little_or_is_asked_for(
    helm: Helm, tmp_path: Path, values: dict[str, Any], where: set[str], is_told: bool
) -> None:
    (tmp_path / "values.yaml").write_text(json.dumps(values))
    rendered = documents(helm.template("-f", tmp_path / "values.yaml"))
    watched = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "watch"]}
    roles = [d for d in rendered if d["kind"] in {"Role", "ClusterRole"}]
    given = {d["metadata"].get("namespace", "") for d in roles if watched in d["rules"]}
    assert given == where
    (deployment,) = (d for d in rendered if d["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    told = {e["name"]: e.get("value") for e in container["env"]}
    assert told.get("APPCREDENTIAL_WATCH_SECRETS") == ("true" if is_told else None)


@pytest.mark.parametrize(
    ("values", "is_given"),
    [
        ({}, True),
        ({"rbac": {"selectNamespaces": False}}, False),
        ({"watchNamespaces": ["shop"]}, False),
        ({"watchNamespaces": ["shop"], "rbac": {"selectNamespaces": True}}, True),
    ],
)
def test_namespaces_may_be_selected_where_the_whole_cluster_is_served_or_it_is_asked_for(
    helm: Helm,
    tmp_path: Path,
    values: dict[str, Any],
    is_given: bool,
) -> None:
    (tmp_path / "values.yaml").write_text(json.dumps(values))
    rendered = documents(helm.template("-f", tmp_path / "values.yaml"))
    role = one(rendered, "ClusterRole", "appcredential.appcredential-system")
    right = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"]}
    assert (right in role["rules"]) is is_given


def test_confined_to_namespaces_only_the_kinds_stay_cluster_wide(helm: Helm) -> None:
    rendered = documents(helm.template("--set-json", 'watchNamespaces=["shop"]'))
    role = one(rendered, "ClusterRole", "appcredential.appcredential-system")
    reached = {r for rule in role["rules"] for r in rule.get("resources", ())}
    assert not reached & {"secrets", "pods", "serviceaccounts", "events", "configmaps"}
    assert "appcredentials/status" not in reached
    roles = [d["metadata"]["namespace"] for d in rendered if d["kind"] == "Role"]
    assert roles == ["appcredential-system", "default", "shop"]
