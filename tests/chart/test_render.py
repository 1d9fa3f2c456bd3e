"""What the chart renders is what was looked at, and a real API server takes all of it."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from appcredential.settings import Settings
from localcluster import Cluster
from localcluster.errors import ApiError
from tests.chart.helming import (
    CHART,
    NAMESPACE,
    VALUES,
    Helm,
    documents,
    environment,
    flags,
    one,
)
from tests.chart.test_files import artifact_hub
from tests.chart.test_schema import TENANT

SNAPSHOTS: Final = Path(__file__).parent / "snapshots"
KINDS_OF_VALUES: Final = ("default", "full", "namespaced", "trial", "azure", "sharded")
PROMETHEUS: Final = (
    "--set-json",
    'networkPolicy.metricsFrom=[{"namespaceSelector":{"matchLabels":{"name":"monitoring"}}}]',
)
_NEEDED: Final = ("shop", "orders", "appcredential-trial")


def rendered(helm: Helm, values: str) -> str:
    """Return what is rendered; made-up keys and passwords are masked."""
    text = helm.template("-f", VALUES / f"{values}.yaml")
    masked = r"^(  (?:ca\.pem|ca-key\.pem|clientSecret|seed\.json): ).*$"
    return re.sub(masked, r"\1(made at installation)", text, flags=re.MULTILINE)


@pytest.mark.parametrize("values", KINDS_OF_VALUES)
def test_it_renders_what_was_looked_at(
    helm: Helm, values: str, request: pytest.FixtureRequest
) -> None:
    path = SNAPSHOTS / f"{values}.yaml"
    text = rendered(helm, values)
    if request.config.getoption("--write-snapshots"):
        path.write_text(text)
    assert text == path.read_text(), "look at the difference, then: make chart-snapshots"


@pytest.fixture(scope="module")
def served(bare: Cluster) -> Cluster:
    """The cluster with our kinds and every namespace that the values name."""
    bare.install_crds(CHART / "crds")
    for name in _NEEDED:
        bare.kubectl("apply", "-f", "-", input=json.dumps(_namespace(name)))
    return bare


def _namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@pytest.mark.cluster
@pytest.mark.parametrize("values", KINDS_OF_VALUES)
def test_the_api_server_takes_it(helm: Helm, served: Cluster, values: str) -> None:
    text = helm.template("-f", VALUES / f"{values}.yaml")
    done = served.kubectl("apply", "--dry-run=server", "-f", "-", input=text)
    assert len(done.stdout.splitlines()) == len(documents(text))
    assert done.stderr.strip() == ""


@pytest.mark.cluster
@pytest.mark.parametrize("values", KINDS_OF_VALUES)
def test_its_pods_are_admitted_where_restricted_is_enforced(
    helm: Helm, served: Cluster, values: str
) -> None:
    for found in documents(helm.template("-f", VALUES / f"{values}.yaml")):
        if found["kind"] == "Deployment":
            admit(served, pod_of(found))


@pytest.mark.cluster
@pytest.mark.parametrize(
    "change",
    [
        {"containers": [{"securityContext": {"allowPrivilegeEscalation": True}}]},
        {"containers": [{"securityContext": None}]},
        {"securityContext": None},
    ],
)
def test_a_weaker_pod_would_not_be(helm: Helm, served: Cluster, change: dict[str, Any]) -> None:
    """The namespace really enforces it."""
    pod = pod_of(one(documents(helm.template()), "Deployment"))
    if "containers" in change:
        pod["spec"]["containers"][0] |= change["containers"][0]
    else:
        pod["spec"] |= change
        pod["spec"]["containers"][0]["securityContext"].pop("runAsNonRoot", None)
    with pytest.raises(ApiError, match="violates PodSecurity"):
        admit(served, pod)


def pod_of(deployment: dict[str, Any]) -> dict[str, Any]:
    """Return the pod that a Deployment would make; of ServiceAccount default, which exists."""
    template = yaml.safe_load(yaml.safe_dump(deployment["spec"]["template"]))
    # Other checks at admission are about objects that are not there, and not ours.
    for name in ("serviceAccountName", "priorityClassName"):
        template["spec"].pop(name, None)
    metadata = {"name": "probe", "labels": template["metadata"]["labels"]}
    return {"metadata": metadata, "spec": template["spec"]}


def admit(cluster: Cluster, pod: dict[str, Any]) -> None:
    """Ask the API server for the pod, without making it."""
    cluster.api.call("POST", f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All", pod)


@pytest.mark.cluster
def test_the_api_server_takes_the_examples_for_artifact_hub(served: Cluster) -> None:
    for example in artifact_hub("crdsExamples"):
        served.kubectl("apply", "--dry-run=server", "-f", "-", input=json.dumps(example))


# --- single rules -----------------------------------------------------------------------------


def test_two_replicas_are_protected_and_spread(helm: Helm) -> None:
    found = documents(helm.template())
    assert one(found, "PodDisruptionBudget")["spec"]["minAvailable"] == 1
    spread = one(found, "Deployment")["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert [s["topologyKey"] for s in spread] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    alone = documents(helm.template("--set", "replicas=1"))
    assert [d for d in alone if d["kind"] == "PodDisruptionBudget"] == []


def test_the_token_is_short_lived_and_mounted_once(helm: Helm) -> None:
    spec = one(documents(helm.template()), "Deployment")["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    sources = [s for v in spec["volumes"] for s in v.get("projected", {}).get("sources", ())]
    tokens = [s["serviceAccountToken"] for s in sources if "serviceAccountToken" in s]
    assert tokens == [{"path": "token", "expirationSeconds": 3600}]


@pytest.mark.cluster
@pytest.mark.parametrize(("seconds", "is_short"), [(None, True), (3607, False)])
def test_it_really_is(served: Cluster, helm: Helm, seconds: int | None, *, is_short: bool) -> None:
    """The API server makes a year of 3607 s for a pod's token, as kubelets mount by default."""
    pod = pod_of(one(documents(helm.template()), "Deployment"))
    (told,) = (
        s
        for v in pod["spec"]["volumes"]
        for s in v.get("projected", {}).get("sources", ())
        if "serviceAccountToken" in s
    )
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
    made = served.api.call("POST", pods, pod)
    bound = {"kind": "Pod", "apiVersion": "v1", "name": "probe", "uid": made["metadata"]["uid"]}
    wanted = seconds or told["serviceAccountToken"]["expirationSeconds"]
    body = {"spec": {"boundObjectRef": bound, "expirationSeconds": wanted}}
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default/token"
    token = served.api.call("POST", path, body)["status"]["token"]
    served.api.call("DELETE", f"{pods}/probe?gracePeriodSeconds=0")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert (claims["exp"] - claims["iat"] <= 3600) is is_short


def test_view_is_aggregated_and_edit_is_not(helm: Helm) -> None:
    found = documents(helm.template())
    aggregated = [
        (d["metadata"]["name"], label)
        for d in found
        if d["kind"] == "ClusterRole"
        for label in d["metadata"]["labels"]
        if label.startswith("rbac.authorization.k8s.io/aggregate")
    ]
    label = "rbac.authorization.k8s.io/aggregate-to-view"
    assert aggregated == [
        ("appcredential.appcredential-system-view", label),
        ("appcredential.appcredential-system-platform-view", label),
    ]


def test_nobody_else_reads_tenants_and_grants_unless_it_is_wanted(helm: Helm) -> None:
    name = "appcredential.appcredential-system-platform-view"
    bindings = [d for d in documents(helm.template()) if d["kind"] == "ClusterRoleBinding"]
    assert [b for b in bindings if b["roleRef"]["name"] == name] == []
    readers = [
        {"kind": "Group", "name": "system:authenticated"},
        {"kind": "ServiceAccount", "name": "robot", "namespace": "shop"},
    ]
    wanted = ("--set-json", f"rbac.clusterReaders={json.dumps(readers)}")
    bindings = [d for d in documents(helm.template(*wanted)) if d["kind"] == "ClusterRoleBinding"]
    (binding,) = (b for b in bindings if b["roleRef"]["name"] == name)
    assert binding["subjects"] == [
        {**readers[0], "apiGroup": "rbac.authorization.k8s.io"},
        {**readers[1]},
    ]
    (role,) = (d for d in documents(helm.template()) if d["metadata"]["name"] == name)
    assert role["rules"] == [
        {
            "apiGroups": ["appcredential.io"],
            "resources": ["entratenants", "applicationgrants"],
            "verbs": ["get", "list", "watch"],
        }
    ]


@pytest.mark.parametrize("confined", [False, True])
def test_tokens_may_be_asked_for_only_where_it_is_wanted(helm: Helm, *, confined: bool) -> None:
    def holders(*words: str) -> list[tuple[str, str]]:
        scope = ("--set-json", 'watchNamespaces=["shop"]') if confined else ()
        return [
            (d["kind"], d["metadata"].get("namespace", ""))
            for d in documents(helm.template(*scope, *words))
            for rule in d.get("rules", ())
            if "serviceaccounts/token" in rule["resources"] and rule["verbs"] == ["create"]
        ]

    assert holders() == []
    wanted = [("Role", "shop")] if confined else [("ClusterRole", "")]
    assert holders("--set", "rbac.tokenRequests=true") == wanted


@pytest.mark.parametrize("confined", [False, True])
def test_pods_may_be_listed_unless_that_is_not_wanted(helm: Helm, *, confined: bool) -> None:
    def holders(*words: str) -> list[tuple[str, str, tuple[str, ...]]]:
        scope = ("--set-json", 'watchNamespaces=["shop"]') if confined else ()
        return [
            (d["kind"], d["metadata"].get("namespace", ""), tuple(rule["verbs"]))
            for d in documents(helm.template(*scope, *words))
            for rule in d.get("rules", ())
            if "pods" in rule["resources"]
        ]

    wanted = ("Role", "shop") if confined else ("ClusterRole", "")
    assert holders() == [(*wanted, ("list",))]
    assert holders("--set", "rbac.readPods=false") == []


@pytest.mark.parametrize("confined", [False, True])
def test_workloads_may_be_restarted_only_where_it_is_wanted(helm: Helm, *, confined: bool) -> None:
    def found(*words: str) -> list[dict[str, Any]]:
        scope = ("--set-json", 'watchNamespaces=["shop"]') if confined else ()
        return documents(helm.template(*scope, *words))

    def holders(*words: str) -> list[tuple[str, str, tuple[str, ...]]]:
        return [
            (d["kind"], d["metadata"].get("namespace", ""), tuple(rule["verbs"]))
            for d in found(*words)
            for rule in d.get("rules", ())
            if set(rule["apiGroups"]) & {"apps", "argoproj.io"}
        ]

    def policies(*words: str) -> list[str]:
        kind = "ValidatingAdmissionPolicy"
        named = (d["metadata"]["name"] for d in found(*words) if d["kind"] == kind)
        return [name for name in named if name.endswith("-workloads")]

    wanted = ("Role", "shop") if confined else ("ClusterRole", "")
    assert holders() == []
    assert policies() == []
    asked = ("--set", "rbac.restarts=true")
    assert holders(*asked) == [(*wanted, ("list", "patch"))] * 2
    assert policies(*asked) == ["appcredential.appcredential-system-workloads"]


@pytest.mark.parametrize("confined", [False, True])
def test_who_somebody_is_may_be_asked_only_where_the_report_is_served(
    helm: Helm, *, confined: bool
) -> None:
    def asked(*words: str) -> list[tuple[str, str, tuple[str, ...]]]:
        scope = ("--set-json", 'watchNamespaces=["shop"]') if confined else ()
        return [
            (d["kind"], resource, tuple(rule["verbs"]))
            for d in documents(helm.template(*scope, *words))
            for rule in d.get("rules", ())
            for resource in rule.get("resources", ())
            if resource.endswith("reviews")
        ]

    def settings(*words: str) -> dict[str, str]:
        found = environment(one(documents(helm.template(*words)), "Deployment"), "pod")
        return {name: value for name, value in found.items() if "REPORT" in name}

    wanted = ("--set", "report.enabled=true")
    assert asked() == []
    assert asked(*wanted) == [
        ("ClusterRole", "tokenreviews", ("create",)),
        ("ClusterRole", "subjectaccessreviews", ("create",)),
    ]
    assert settings() == {}
    assert settings(*wanted) == {
        "APPCREDENTIAL_REPORT": "true",
        "APPCREDENTIAL_REPORT_TEAM_LABEL": "team",
    }


def test_the_nodes_endpoint_can_be_reached_only_where_it_is_wanted(helm: Helm) -> None:
    def endpoints(*words: str) -> list[dict[str, Any]]:
        found = one(documents(helm.template(*words)), "NetworkPolicy")["spec"]["egress"]
        return [rule for rule in found if rule["ports"] == [{"protocol": "TCP", "port": 80}]]

    assert endpoints() == []
    (rule,) = endpoints("--set", "managedIdentity.enabled=true")
    assert rule["to"] == [{"ipBlock": {"cidr": "169.254.169.254/32"}}]


@pytest.mark.cluster
def test_its_pods_are_admitted_after_the_webhook_has_seen_them(helm: Helm, served: Cluster) -> None:
    """azure-workload-identity adds mount and volume unless it finds its own names."""
    pod = pod_of(one(documents(helm.template("-f", VALUES / "full.yaml")), "Deployment"))
    assert pod["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    token = "azure-identity-token"
    (container,) = pod["spec"]["containers"]
    if token not in {mount["name"] for mount in container["volumeMounts"]}:
        mount = {"name": token, "mountPath": "/var/run/secrets/azure/tokens"}
        container["volumeMounts"].append(mount)
    sources = [s for v in pod["spec"]["volumes"] for s in v.get("projected", {}).get("sources", ())]
    if token not in {
        s["serviceAccountToken"]["path"] for s in sources if "serviceAccountToken" in s
    }:
        projected = {"sources": [{"serviceAccountToken": {"path": token}}]}
        pod["spec"]["volumes"].append({"name": token, "projected": projected})
    admit(served, pod)


@pytest.mark.parametrize("nobody", ["[]", "null"])
def test_metrics_for_nobody_are_for_nobody(helm: Helm, nobody: str) -> None:
    """A rule of a NetworkPolicy with an empty list of peers lets everybody in."""
    words = ("--set-json", f"networkPolicy.metricsFrom={nobody}")
    found = documents(helm.template(*words))
    spec = one(found, "NetworkPolicy")["spec"]
    assert spec["ingress"] == []
    assert "Ingress" in spec["policyTypes"]
    assert not [d for d in found if d["kind"] == "Service"]
    assert "APPCREDENTIAL_METRICS_ADDRESS" not in variables(found)


def test_metrics_for_somebody_are_on_a_port_of_their_own(helm: Helm) -> None:
    """The probes' port is let in by no policy: a node needs none."""
    found = documents(helm.template("-f", VALUES / "full.yaml"))
    (rule,) = one(found, "NetworkPolicy")["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": "metrics"}]
    (container,) = pod_of(one(found, "Deployment"))["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {
        "probes": Settings().health_port,
        "metrics": Settings().metrics_port,
    }
    assert variables(found)["APPCREDENTIAL_METRICS_ADDRESS"] == ""
    (port,) = one(found, "Service")["spec"]["ports"]
    assert port["targetPort"] == "metrics"


def test_nobody_may_read_the_metrics_by_default(helm: Helm) -> None:
    assert one(documents(helm.template()), "NetworkPolicy")["spec"]["ingress"] == []


def variables(found: list[dict[str, Any]]) -> dict[str, str]:
    """Return the container's environment, without what the API server fills in."""
    (container,) = pod_of(one(found, "Deployment"))["spec"]["containers"]
    return {one["name"]: one["value"] for one in container["env"] if "value" in one}


def test_tenants_and_grants_stay_when_the_release_goes(helm: Helm) -> None:
    found = documents(helm.template("-f", VALUES / "full.yaml"))
    for kind in ("EntraTenant", "ApplicationGrant"):
        assert one(found, kind)["metadata"]["annotations"] == {
            "helm.sh/resource-policy": "keep",
            "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
        }


def test_names_that_yaml_takes_for_something_else_stay_names(helm: Helm) -> None:
    values = {"watchNamespaces": ["on", "123"], "tenants.no": TENANT}
    found = documents(helm.template(*flags(values)))
    assert one(found, "EntraTenant")["metadata"]["name"] == "no"
    roles = {d["metadata"]["namespace"] for d in found if d["kind"] == "Role"}
    assert roles == {NAMESPACE, "default", "on", "123"}


def test_a_service_monitor_needs_its_kind(helm: Helm) -> None:
    wanted = ("--set", "metrics.serviceMonitor.enabled=true", *PROMETHEUS)
    assert "install the Prometheus operator" in helm.refusal(*wanted)
    known = ("--api-versions", "monitoring.coreos.com/v1/ServiceMonitor")
    monitor = one(documents(helm.template(*wanted, *known)), "ServiceMonitor")
    (endpoint,) = monitor["spec"]["endpoints"]
    # Without it Prometheus calls the AppCredential's namespace `exported_namespace`.
    assert endpoint["honorLabels"] is True
    skipped = documents(
        helm.template(*wanted, "--set", "metrics.serviceMonitor.renderMode=skipIfMissing")
    )
    assert [d for d in skipped if d["kind"] == "ServiceMonitor"] == []


def test_a_service_monitor_that_reads_nothing_is_refused_with_the_remedy(helm: Helm) -> None:
    said = helm.refusal("--set", "metrics.serviceMonitor.enabled=true")
    assert "name Prometheus in networkPolicy.metricsFrom" in said


def test_two_installations_share_no_cluster_scoped_name(helm: Helm) -> None:
    def names(namespace: str) -> set[tuple[str, str]]:
        found = documents(helm.template(namespace=namespace))
        return {
            (d["kind"], d["metadata"]["name"]) for d in found if "namespace" not in d["metadata"]
        }

    assert names("blue")
    assert not names("blue") & names("green")


def test_a_kubernetes_too_old_is_refused_with_the_version(helm: Helm) -> None:
    said = helm.refusal("--kube-version", "1.30.4")
    assert "requires kubeVersion: >=1.31.0-0 which is incompatible with Kubernetes v1.30.4" in said


@pytest.mark.parametrize("bundle", ["", "-----BEGIN CERTIFICATE-----"])
def test_authorities_are_mounted_only_where_they_are_given(helm: Helm, bundle: str) -> None:
    found = documents(helm.template("--set", f"caBundle={bundle}"))
    pod = one(found, "Deployment")["spec"]["template"]
    maps = {d["metadata"]["name"]: d["data"] for d in found if d["kind"] == "ConfigMap"}
    mounted = {v["configMap"]["name"] for v in pod["spec"]["volumes"] if "configMap" in v}
    assert ("APPCREDENTIAL_CA_FILE" in variables(found)) is bool(bundle)
    assert mounted == set(maps)
    assert [data["ca.pem"] for data in maps.values()] == ([bundle] if bundle else [])
    annotations = pod["metadata"].get("annotations", {})
    assert ("checksum/ca-bundle" in annotations) is bool(bundle)


# --- several shards ---------------------------------------------------------------------------


def test_one_shard_is_what_there_was_before(helm: Helm) -> None:
    for values in ("shards=1", "shards=null"):
        assert helm.template("--set", values) == helm.template()


def test_each_shard_is_an_operator_of_its_own(helm: Helm) -> None:
    known = ("--api-versions", "monitoring.coreos.com/v1/ServiceMonitor")
    monitored = ("--set", "metrics.serviceMonitor.enabled=true", *PROMETHEUS)
    found = documents(helm.template("--set", "shards=2", *monitored, *known))
    deployments = [d for d in found if d["kind"] == "Deployment"]
    assert [d["metadata"]["name"] for d in deployments] == [
        "appcredential",
        "appcredential-shard-1",
    ]
    for number, deployment in enumerate(deployments):
        env = environment(deployment, "pod")
        assert (env["APPCREDENTIAL_SHARDS"], env["APPCREDENTIAL_SHARD"]) == ("2", str(number))
        assert env["APPCREDENTIAL_INSTALLATION"] == "appcredential", "they share one claim"
    pods = [d["spec"]["template"]["metadata"]["labels"] for d in deployments]
    for kind in ("Deployment", "PodDisruptionBudget", "Service"):
        selectors = [d["spec"]["selector"] for d in found if d["kind"] == kind]
        wanted = [s.get("matchLabels", s) for s in selectors]
        chosen = [[wants.items() <= labels.items() for labels in pods] for wants in wanted]
        assert chosen == [[True, False], [False, True]], kind
    for all_of_them in (
        one(found, "NetworkPolicy")["spec"]["podSelector"],
        one(found, "ServiceMonitor")["spec"]["selector"],
    ):
        (wanted,) = all_of_them["matchExpressions"]
        assert wanted["operator"] == "In"
        assert wanted["values"] == [labels[wanted["key"]] for labels in pods]


def test_each_shard_may_write_its_own_lease(helm: Helm) -> None:
    found = documents(helm.template("--set", "shards=3"))
    (role,) = (d for d in found if d["kind"] == "Role" and d["metadata"]["namespace"] == NAMESPACE)
    named = [
        name
        for rule in role["rules"]
        if rule["resources"] == ["leases"] and rule["verbs"] == ["get", "update"]
        for name in rule["resourceNames"]
    ]
    assert named == ["appcredential", "appcredential-shard-1", "appcredential-shard-2"]
