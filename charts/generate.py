"""Generate the chart files that repeat other files, so that nobody keeps two copies by hand.

Run `python -m charts.generate` after a change of crds/, the settings, the reserved names and keys,
examples/deploy/rbac.yaml, values.yaml, the metrics, the alerts or the dashboard. A test fails when
a generated file is out of date.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import yaml

from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.operator_credential import PUBLIC_AUDIENCES
from appcredential.domain.spec import reserved
from appcredential.setting_values import CLUSTER_ID, MAX_ADOPTED, PREFIX
from appcredential.settings import FIELDS, MARGINS, ORDERED, POSITIVE, Settings
from charts.dashboard import dashboard
from charts.monitoring import page
from charts.readme import readme

ROOT: Final = Path(__file__).parents[1]
CHART: Final = ROOT / "charts" / "appcredential"
CRDS_CHART: Final = ROOT / "charts" / "appcredential-crds"
RBAC: Final = ROOT / "examples" / "deploy" / "rbac.yaml"
DURATION: Final = "^([0-9]{1,4}w)?([0-9]{1,4}d)?([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$"

_KEY: Final = "([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?([A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?)"
_PREFIX: Final = "[a-z0-9]([-a-z0-9.]*[a-z0-9])?/"
KEYS: Final = f"^ *(({_KEY}|{_PREFIX})? *(,|$) *)*$"
_HOST: Final = "https://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?"
ISSUERS: Final = f"^ *(({_HOST}(/[-._~A-Za-z0-9%!$&'()*+;=:@/]*)?)? *(,|$) *)*$"
CLUSTER_IDS: Final = f"^[ ,]*({CLUSTER_ID} *(,[ ,]*|$)){{0,{MAX_ADOPTED}}}$"

SET_BY_THE_CHART: Final = frozenset(
    PREFIX + name
    for name in (
        *("NAMESPACE", "POD_NAME", "INSTALLATION", "WATCH_NAMESPACES", "TRIAL", "SECRET_LABELS"),
        *("SHARDS", "SHARD"),
        *("WATCH_SECRETS", "CUSTOM_AUTHORITY", "CUSTOM_GRAPH", "CUSTOM_CA_FILE", "CA_FILE"),
        *("REPORT", "REPORT_TEAM_LABEL"),
        *("HEALTH_ADDRESS", "HEALTH_PORT", "METRICS_ADDRESS", "METRICS_PORT"),
    )
)
"""Variables that other values set, or that are fixed in a pod."""
_CLUSTER_GROUPS: Final = frozenset(
    {"appcredential.io", "apiextensions.k8s.io", "authentication.k8s.io"}
)
_READ_SECRETS: Final = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
_TOKENS: Final = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}
_RESTARTS: Final = [
    {"apiGroups": [group], "resources": resources, "verbs": ["list", "patch"]}
    for group, resources in (
        ("apps", ["deployments", "statefulsets", "daemonsets"]),
        ("argoproj.io", ["rollouts"]),
    )
]
_REPORT: Final = [
    {"apiGroups": [group], "resources": [resource], "verbs": ["create"]}
    for group, resource in (
        ("authentication.k8s.io", "tokenreviews"),
        ("authorization.k8s.io", "subjectaccessreviews"),
    )
]
_WATCH_SECRETS: Final = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "watch"]}

Rule = dict[str, Any]


def generated() -> dict[Path, str]:
    """Return the text of every generated file."""
    files = {
        CHART / "files" / "rights.yaml": _dump(rights()),
        CHART / "files" / "reserved.yaml": _reserved(),
        CHART / "files" / "settings.yaml": _setting_rules(),
    }
    for crd in sorted((ROOT / "crds").glob("*.yaml")):
        # `helm show crds` prints the files one after the other without a separator.
        files[CHART / "crds" / crd.name] = f"---\n{crd.read_text()}"
        files[CRDS_CHART / "templates" / crd.name] = kept(crd.read_text())
    files[CHART / "values.schema.json"] = json.dumps(schema(), indent=2) + "\n"
    files[CHART / "files" / "dashboard.json"] = dashboard()
    monitoring, alerts = ROOT / "docs" / "monitoring.md", CHART / "files" / "alerts.yaml"
    files[monitoring] = page(monitoring.read_text(), alerts.read_text())
    files[CHART / "README.md"] = readme((CHART / "values.yaml").read_text())
    return files


def rights() -> dict[str, list[Rule]]:
    """Return the operator's rules by the Role or ClusterRole that grants them.

    - `cluster`: always in a ClusterRole.
    - `namespaces`: in every namespace with AppCredentials.
    - `operator`: in the operator's own namespace.
    - `claim`: in the namespace of the claim on the cluster.
    - `events` and `identities`: the part of `namespaces` that it needs for Events about
      cluster-scoped objects and for its own credentials.
    - `pods`: added to `namespaces` unless `rbac.readPods` is false.
    - `report`: added to `cluster` if `report.enabled` is set.
    - `restarts`: added to `namespaces` if `rbac.restarts` is set.
    - `selected`: added to `cluster` if grants may select namespaces by labels.
    - `tokens`: added to `namespaces` if `rbac.tokenRequests` is set.
    - `watched`: added to `namespaces` if Secrets are watched.
    """
    documents = list(yaml.safe_load_all(RBAC.read_text()))
    (everywhere,) = (d["rules"] for d in documents if d["kind"] == "ClusterRole")
    own, claim = (d["rules"] for d in documents if d["kind"] == "Role")
    pods = [rule for rule in everywhere if rule.get("resources") == ["pods"]]
    selected = [r for r in everywhere if r["resources"] == ["namespaces"] and "list" in r["verbs"]]
    namespaced = [
        found
        for rule in everywhere
        if rule not in pods and (found := _part(rule, of_the_cluster=False))
    ]
    return {
        "cluster": [
            found
            for rule in everywhere
            if rule not in selected and (found := _part(rule, of_the_cluster=True))
        ],
        "namespaces": namespaced,
        "operator": own,
        "claim": claim,
        "events": [rule for rule in namespaced if "events" in rule["resources"]],
        "identities": [_READ_SECRETS],
        "pods": pods,
        "report": _REPORT,
        "restarts": _RESTARTS,
        "selected": selected,
        "tokens": [_TOKENS],
        "watched": [_WATCH_SECRETS],
    }


def _part(rule: Rule, *, of_the_cluster: bool) -> Rule | None:
    """Return the part of a rule that belongs in a ClusterRole, or the rest of it.

    AppCredentials themselves count too, in spite of their namespaces: the operator must release
    their finalizer in one that is being deleted and has already lost its Role, and a watch that
    was refused once is never tried again. An admission policy confines the writes.
    """
    if "nonResourceURLs" in rule:
        return rule if of_the_cluster else None
    is_group = set(rule["apiGroups"]) <= _CLUSTER_GROUPS
    kept = [r for r in rule["resources"] if _needs_cluster(r, is_group) is of_the_cluster]
    return {**rule, "resources": kept} if kept else None


def _needs_cluster(resource: str, is_group: bool) -> bool:
    return resource == "namespaces" or (is_group and resource != "appcredentials/status")


def kept(crd: str) -> str:
    """Return a CRD as a template of the CRD chart, which can keep it after `helm uninstall`."""
    head, annotations, rest = crd.partition("  annotations:\n")
    if not annotations or "{{" in crd:
        raise ValueError("a CRD needs annotations, and nothing that looks like a template")
    policy = "    {{- if .Values.keep }}\n    helm.sh/resource-policy: keep\n    {{- end }}\n"
    return head + annotations + policy + rest


def schema() -> dict[str, Any]:
    """Return the schema of the values; settings, tenants and grants are generated."""
    found: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
    found["properties"]["settings"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {camel(name): shape for name, shape in _settings().items()},
    }
    for name, plural in (
        ("entraTenantSpec", "entratenants"),
        ("applicationGrantSpec", "applicationgrants"),
    ):
        crd = yaml.safe_load((ROOT / "crds" / f"{plural}.yaml").read_text())
        whole = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        found["$defs"][name] = strict(whole["properties"]["spec"])
    return found


def camel(variable: str) -> str:
    """Return the value's name: `APPCREDENTIAL_LEASE_DURATION` becomes `leaseDuration`."""
    first, *rest = variable.removeprefix(PREFIX).lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def _settings() -> dict[str, dict[str, Any]]:
    kinds = {f.name: str(f.type) for kind in (Settings, LifecycleSettings) for f in fields(kind)}
    shapes: dict[str, dict[str, Any]] = {
        "str": {"type": "string"},
        "int": {"type": "integer", "minimum": 0, "maximum": 999999},
        "bool": {"type": "boolean"},
        "timedelta": {"type": "string", "minLength": 2, "pattern": DURATION},
        "tuple[str, ...]": {"type": "string"},
    }
    own: dict[str, dict[str, Any]] = {
        "log_level": {"enum": ["DEBUG", "INFO", "WARNING", "ERROR"]},
        "claim_namespace": {"$ref": "#/$defs/namespace"},
        "allowed_secret_keys": {"type": "string", "pattern": KEYS},
        "checked_issuers": {"type": "string", "pattern": ISSUERS},
        "adopt_cluster_ids": {"type": "string", "pattern": CLUSTER_IDS},
    }
    not_zero = {
        "int": {**shapes["int"], "minimum": 1},
        "timedelta": {**shapes["timedelta"], "allOf": [{"pattern": "[1-9]"}]},
    }
    names = (v.removeprefix(PREFIX).lower() for v in FIELDS if v not in SET_BY_THE_CHART)
    return {
        PREFIX + name.upper(): own.get(name)
        or (not_zero if name in POSITIVE else shapes)[kinds[name]]
        for name in names
    }


def _setting_rules() -> str:
    """Return which settings must fit together, with their defaults in seconds."""
    lifecycle = LifecycleSettings()
    sums: list[tuple[tuple[str, ...], str]] = [((low,), high) for low, high in ORDERED]
    sums += [(("lease_renew", margin), "lease_duration") for margin in MARGINS]
    names = {name for parts, most in sums for name in (*parts, most)}
    defaults = {name: getattr(Settings(), name, None) for name in sorted(names)}
    known = {n: getattr(lifecycle, n) if d is None else d for n, d in defaults.items()}
    longest = int(lifecycle.mint_backoff_cap_unpublished.total_seconds())
    found = {
        "sums": [{"parts": list(map(_value, parts)), "most": _value(most)} for parts, most in sums],
        "longest": {_value("mint_backoff"): longest},
        "defaults": {_value(n): int(d.total_seconds()) for n, d in known.items()},
        "publicAudiences": sorted(audience.lower() for audience in PUBLIC_AUDIENCES),
    }
    head = "# From operator/appcredential/settings.py by `make chart-files`; change it there.\n"
    return head + yaml.safe_dump(found, sort_keys=False)


def _value(name: str) -> str:
    return camel(PREFIX + name.upper())


def strict(node: Any) -> Any:
    """Return a structural schema as JSON Schema that refuses unknown fields."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    dropped = {"default", "description", "format"}
    found = {
        key: {name: strict(inner) for name, inner in value.items()}
        if key == "properties"
        else strict(value)
        for key, value in node.items()
        if key not in dropped and not key.startswith("x-kubernetes-")
    }
    if "properties" in node:
        found["additionalProperties"] = False
    return found


def _reserved() -> str:
    """Return what the admission policies hold of the lists of what belongs to others."""
    source = "operator/appcredential/domain/spec/reserved.py"
    found = {
        "allowedKeys": list(reserved.ALLOWED_KEYS),
        "unpruned": dict(reserved.UNPRUNED),
        "secretNames": list(reserved.RESERVED_NAMES),
        "exactSecretNames": list(reserved.RESERVED_SECRETS),
        "configMapNames": list(reserved.RESERVED_CONFIG_MAPS),
        "namespaces": list(reserved.RESERVED_NAMESPACES),
        "domains": list(reserved.RESERVED_DOMAINS),
        "keys": list(reserved.RESERVED_KEYS),
    }
    head = f"# From {source} by `make chart-files`; change it there.\n"
    return head + yaml.safe_dump(found, sort_keys=False)


def _dump(rules: Mapping[str, list[Rule]]) -> str:
    head = "# From examples/deploy/rbac.yaml by `make chart-files`; change it there.\n"
    # A round trip through JSON copies shared rules, so that YAML writes no anchors.
    return head + yaml.safe_dump(json.loads(json.dumps(rules)), sort_keys=False)


def main() -> None:
    """Write all generated files."""
    for path, text in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
