"""What the API server and kubectl make of the definitions."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
import yaml

from localcluster import Cluster
from tests.crds.manifests import APP, GRANT, GUID, OTHER_GUID, PARSERS, ROOT, TENANT, manifest
from tests.crds.server import Server, collection

pytestmark = pytest.mark.cluster

FOREIGN: Final = frozenset({"cert-manager", "argocd", "flux", "kustomize", "values"})
"""Folders of what other projects read, helm among them: this cluster does not know their kinds.

`tests/gitops/test_kustomize.py` applies what kustomize makes of its folder.
"""

EXAMPLES: Final = sorted(
    str(path.relative_to(ROOT / "examples"))
    for path in (ROOT / "examples").rglob("*.yaml")
    if (
        FOREIGN.isdisjoint(path.relative_to(ROOT / "examples").parts)
        and path.name != "kustomization.yaml"
    )
    or path.parent.name == "testdata"
)
COLUMNS: Final = {
    "appcred": "NAME READY REASON TYPE SECRET EXPIRES RENEWS AGE",
    "entratenants": "NAME READY REASON CLOUD TENANT AGE",
    "applicationgrants": "NAME READY REASON TENANT NAMESPACES SELECTOR EXPIRES USED AGE",
}
STATUS: Final = {
    "observedGeneration": 1,
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Published",
            "message": "The Secret holds a valid credential.",
            "lastTransitionTime": "2026-11-22T10:00:00Z",
            "observedGeneration": 1,
        }
    ],
    "secretRef": {"name": "orders-entra"},
    "grant": "shop",
    "application": {"objectId": OTHER_GUID, "clientId": GUID, "displayName": "Orders"},
    "credential": {
        "keyId": GUID,
        "type": "ClientSecret",
        "startTime": "2026-11-22T10:00:00Z",
        "expirationTime": "2027-02-20T10:00:00Z",
        "verifiedTime": "2026-11-22T10:00:00Z",
        "publishedTime": "2026-11-22T10:00:00Z",
    },
    "renewalTime": "2027-01-21T10:00:00Z",
    "requestedLifetime": "90d",
    "deletionGracePeriod": "7d",
    "pending": {"keyId": GUID, "startTime": "2026-11-22T10:00:00Z"},
    "retiring": [{"keyId": GUID, "retireTime": "2026-11-22T10:00:00Z", "waitingFor": "overlap"}],
    "inventory": {"managed": 1, "foreign": 3, "expired": 0},
}


def _put_status(server: Server, path: str, status: dict[str, Any] | None) -> dict[str, Any]:
    _, live = server.send("GET", path)
    live["status"] = status
    code, answer = server.send("PUT", f"{path}/status", live)
    assert code == 200, answer
    found: dict[str, Any] = answer["status"]
    return found


@pytest.mark.parametrize("kind", [APP, TENANT, GRANT])
def test_observed_generation_returns_when_left_out(
    server: Server, namespace: str, kind: str
) -> None:
    made = server.create(namespace, manifest(kind, {}, namespace))
    path = f"{collection(namespace, made)}/{namespace}"
    try:
        assert made["status"] == {"observedGeneration": -1}
        assert _put_status(server, path, {"observedGeneration": 1}) == {"observedGeneration": 1}
        assert _put_status(server, path, {"conditions": []})["observedGeneration"] == -1
        assert _put_status(server, path, None) == {"observedGeneration": -1}
    finally:
        server.send("DELETE", path)


def test_columns(cluster: Cluster, server: Server, namespace: str) -> None:
    made = server.create(namespace, manifest(APP, {}))
    # The whole status comes back: no field of it is unknown to the schema.
    assert _put_status(server, f"{collection(namespace, made)}/orders", STATUS) == STATUS
    header, line = cluster.kubectl("get", "appcred", "-n", namespace).stdout.splitlines()
    assert header.split() == COLUMNS["appcred"].split()
    cells = line.split()
    assert cells[:5] == ["orders", "True", "Published", "ClientSecret", "orders-entra"]
    assert cells[5:7] == ["2027-02-20T10:00:00Z", "2027-01-21T10:00:00Z"]
    wide = cluster.kubectl("get", "entra", "-n", namespace, "-o", "wide").stdout
    assert "APPLICATION" in wide
    named = cluster.kubectl("get", "appcredential", "orders", "-n", namespace, "-o", "name")
    assert named.stdout.strip() == "appcredential.appcredential.io/orders"


@pytest.mark.parametrize(
    ("kind", "plural"), [(TENANT, "entratenants"), (GRANT, "applicationgrants")]
)
def test_columns_of_cluster_kinds(
    cluster: Cluster, server: Server, namespace: str, kind: str, plural: str
) -> None:
    made = server.create(namespace, manifest(kind, {}, namespace))
    try:
        header = cluster.kubectl("get", plural).stdout.splitlines()[0]
    finally:
        server.send("DELETE", f"{collection(namespace, made)}/{namespace}")
    assert header.split() == COLUMNS[plural].split()


def test_explain(cluster: Cluster) -> None:
    said = cluster.kubectl("explain", "appcredential.spec.rotation.overlap").stdout
    assert "old and new are at least both valid" in re.sub(r"\s+", " ", said)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_applies(cluster: Cluster, name: str) -> None:
    path = ROOT / "examples" / name
    for document in yaml.safe_load_all(path.read_text()):
        if document["kind"] in PARSERS:
            PARSERS[document["kind"]](document)
        space = document["metadata"].get("namespace")
        if space:
            cluster.kubectl("create", "namespace", space, check=False)
    cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", path)
