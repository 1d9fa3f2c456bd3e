"""kustomize renames in every place, with the configuration in examples/gitops/kustomize."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from localcluster import Cluster
from tests.crds.manifests import CRDS, GUID, OTHER_GUID, ROOT

pytestmark = pytest.mark.cluster

EXAMPLE: Final = ROOT / "examples" / "gitops" / "kustomize"
CONFIGURATION: Final = EXAMPLE / "base" / "references.yaml"
GROUP: Final = "appcredential.io/v1alpha1"
# Names of objects that nobody renames: a grant's namespaces and a tenant of the platform team are
# in other folders, and these are no names of objects of the cluster.
NO_REFERENCES: Final = re.compile(
    r"federatedIdentity/(gitHub|azureDevOps|other|namePrefix)|federation/|namespaces/names"
)


def built(cluster: Cluster, folder: Path) -> list[dict[str, Any]]:
    """Return what `kubectl kustomize` makes of a folder."""
    text = cluster.kubectl("kustomize", folder).stdout
    return [dict(document) for document in yaml.safe_load_all(text)]


def kind_of(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = (document for document in documents if document["kind"] == kind)
    return found


def overlay(folder: Path, documents: list[dict[str, Any]], **generators: Any) -> Path:
    """Write a base with the configuration and an overlay that renames; return the overlay."""
    base, over = folder / "base", folder / "overlay"
    base.mkdir()
    over.mkdir()
    shutil.copy(CONFIGURATION, base / "references.yaml")
    (base / "all.yaml").write_text(yaml.safe_dump_all(documents))
    body = {"resources": ["all.yaml"], "configurations": ["references.yaml"], **generators}
    (base / "kustomization.yaml").write_text(json.dumps(body))
    renamed = {"resources": ["../base"], "namePrefix": "blue-", "nameSuffix": "-v2"}
    (over / "kustomization.yaml").write_text(json.dumps(renamed))
    return over


def document(kind: str, name: str, spec: dict[str, Any], version: str = GROUP) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def test_the_example_is_consistent(cluster: Cluster, namespace: str) -> None:
    documents = built(cluster, EXAMPLE / "overlays" / "staging")
    credential, deployment = kind_of(documents, "AppCredential"), kind_of(documents, "Deployment")
    assert credential["metadata"]["name"] == "staging-orders"
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "staging-orders"}}]
    for each in documents:
        each["metadata"]["namespace"] = namespace
    text = yaml.safe_dump_all(documents)
    cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", input=text)


def test_without_the_configuration_the_pods_would_miss_the_secret(
    cluster: Cluster, tmp_path: Path
) -> None:
    over = overlay(tmp_path, [_credential(), _pod()])
    body = json.dumps({"resources": ["all.yaml"]})
    (tmp_path / "base" / "kustomization.yaml").write_text(body)
    documents = built(cluster, over)
    assert kind_of(documents, "AppCredential")["metadata"]["name"] == "blue-orders-v2"
    assert "blue-orders-v2" not in json.dumps(kind_of(documents, "Pod"))


def _credential(**spec: Any) -> dict[str, Any]:
    base = {"application": {"clientId": GUID}, "type": "ClientSecret", "clientSecret": {}}
    return document("AppCredential", "orders", {**base, **spec})


def _pod() -> dict[str, Any]:
    env = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "orders", "key": "a"}}}
    container = {
        "name": "a",
        "image": "a",
        "envFrom": [{"secretRef": {"name": "orders"}}, {"configMapRef": {"name": "orders"}}],
        "env": [env],
    }
    volumes = [
        {"name": "a", "secret": {"secretName": "orders"}},
        {"name": "b", "projected": {"sources": [{"secret": {"name": "orders"}}]}},
    ]
    spec = {"containers": [container], "initContainers": [container], "volumes": volumes}
    return document("Pod", "web", spec, "v1")


@pytest.mark.parametrize(
    ("kind", "version", "path"),
    [
        ("Pod", "v1", ()),
        ("Deployment", "apps/v1", ("template", "spec")),
        ("StatefulSet", "apps/v1", ("template", "spec")),
        ("DaemonSet", "apps/v1", ("template", "spec")),
        ("ReplicaSet", "apps/v1", ("template", "spec")),
        ("Job", "batch/v1", ("template", "spec")),
        ("CronJob", "batch/v1", ("jobTemplate", "spec", "template", "spec")),
    ],
)
def test_every_place_of_a_pod_follows(
    cluster: Cluster, tmp_path: Path, kind: str, version: str, path: tuple[str, ...]
) -> None:
    spec: dict[str, Any] = _pod()["spec"]
    for name in reversed(path):
        spec = {name: spec}
    written = _credential(secret={"name": "orders"})
    workload = document(kind, "web", spec, version)
    documents = built(cluster, overlay(tmp_path, [written, workload]))
    credential, found = kind_of(documents, "AppCredential"), kind_of(documents, kind)
    assert credential["metadata"]["name"] == credential["spec"]["secret"]["name"]
    names = set(re.findall(r'"(?:secretName|name)": "([^"]*orders[^"]*)"', json.dumps(found)))
    assert names == {"blue-orders-v2"}


def test_every_reference_of_our_kinds_follows(cluster: Cluster, tmp_path: Path) -> None:
    certificate = {
        "source": "Secret",
        "secretKeyRef": {"name": "source"},
        "keystore": {"pkcs12": {"passwordSecretKeyRef": {"name": "word"}}},
    }
    member = {"type": "Certificate", "clientSecret": None, "certificate": certificate}
    identity = {"clientSecret": {"clientId": GUID, "secretRef": {"name": "identity"}}}
    taken = {"name": "orders", "takeOverFrom": "orders"}
    documents = [
        _credential(**member, tenantRef={"name": "prod"}, secret=taken),
        document("EntraTenant", "prod", {"tenantId": OTHER_GUID, "identity": identity}),
        document("ApplicationGrant", "shop", {"tenantRef": {"name": "prod"}}),
    ]
    generated = [{"name": name, "literals": ["a=b"]} for name in ("source", "word", "identity")]
    found = built(cluster, overlay(tmp_path, documents, secretGenerator=generated))
    named = {d["metadata"]["name"].split("-")[1]: d["metadata"]["name"] for d in found}
    spec = kind_of(found, "AppCredential")["spec"]
    assert spec["tenantRef"]["name"] == named["prod"] == "blue-prod-v2"
    assert spec["secret"]["takeOverFrom"] == "blue-orders-v2"
    assert spec["certificate"]["secretKeyRef"]["name"] == named["source"]
    word = spec["certificate"]["keystore"]["pkcs12"]["passwordSecretKeyRef"]["name"]
    assert word == named["word"]
    assert re.fullmatch(r"blue-word-v2-[a-z0-9]+", word)
    tenant = kind_of(found, "EntraTenant")["spec"]
    assert tenant["identity"]["clientSecret"]["secretRef"]["name"] == named["identity"]
    assert kind_of(found, "ApplicationGrant")["spec"]["tenantRef"]["name"] == "blue-prod-v2"


def test_a_federated_identity_follows_its_serviceaccount_and_its_output(
    cluster: Cluster, tmp_path: Path
) -> None:
    member = {"serviceAccount": {"name": "robot"}, "configMap": {"name": "orders"}}
    federated = {"type": "FederatedIdentity", "clientSecret": None, "federatedIdentity": member}
    documents = [
        _credential(**federated),
        document("ServiceAccount", "robot", {}, "v1"),
        document("ApplicationGrant", "shop", {"serviceAccounts": ["robot", "default"]}),
    ]
    found = built(cluster, overlay(tmp_path, documents))
    spec = kind_of(found, "AppCredential")["spec"]["federatedIdentity"]
    assert spec["serviceAccount"]["name"] == "blue-robot-v2"
    assert spec["configMap"]["name"] == "blue-orders-v2"
    grant = kind_of(found, "ApplicationGrant")["spec"]
    assert grant["serviceAccounts"] == ["blue-robot-v2", "default"]


def test_no_reference_of_the_schemas_is_missing() -> None:
    """Whoever adds a reference to a kind learns here that kustomize must know it."""
    listed = {
        (entry["kind"], entry["path"])
        for reference in yaml.safe_load(CONFIGURATION.read_text())["nameReference"]
        for entry in reference["fieldSpecs"]
    }
    wanted = set()
    for path in sorted(CRDS.glob("*.yaml")):
        crd = yaml.safe_load(path.read_text())
        (version,) = crd["spec"]["versions"]
        spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
        kind = crd["spec"]["names"]["kind"]
        wanted |= {(kind, found) for found in _references(spec, "spec")}
    assert wanted - listed == set()


def _references(schema: dict[str, Any], path: str) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        here = f"{path}/{name}"
        is_reference = name in {"name", "takeOverFrom", "serviceAccounts"}
        if is_reference and not NO_REFERENCES.search(here):
            yield here
        yield from _references(field, here)
