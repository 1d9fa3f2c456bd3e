"""Server-side apply: managers that agree are not in conflict, and what is there may change over."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from appcredential.domain.spec.model import ClientId
from appcredential.domain.status.grant_use import named_applications, usage, with_use
from localcluster import Cluster
from tests.crds.cases import ACCEPTED, Case, patch
from tests.crds.manifests import APP, GRANT, GUID, OTHER_GUID, TENANT, manifest
from tests.crds.server import Server, collection

pytestmark = pytest.mark.cluster

_APPLY: Final = "application/apply-patch+yaml"
_CASES: Final = [case for case in ACCEPTED if "later" not in case.manifest["spec"]]
"""Server-side apply answers HTTP 500 for a field that the schema does not know."""
_LISTS: Final = [case for case in ACCEPTED if "[" in json.dumps(case.manifest["spec"])]

EMPTY: Final[dict[str, tuple[str, str, Any]]] = {
    name: (kind, field, value)
    for kind, name, field, value in (
        (APP, "tenantRef", "tenantRef", {}),
        (APP, "clientSecret", "clientSecret", {}),
        (APP, "rotation", "rotation", {}),
        (APP, "verification", "verification", {}),
        (APP, "secret", "secret", {}),
        (APP, "secret.data", "secret", {"data": {}}),
        (APP, "secret.data.KEY.generateOnce", "secret", {"data": {"a": {"generateOnce": {}}}}),
        (APP, "secret.labels", "secret", {"labels": {}}),
        (APP, "secret.annotations", "secret", {"annotations": {}}),
        (TENANT, "limits", "limits", {}),
        (TENANT, "identity.managedIdentity", "identity", {"managedIdentity": {}}),
        (GRANT, "tenantRef of a grant", "tenantRef", {}),
        (GRANT, "federation", "federation", {}),
    )
}
"""Every object that may be {}, by where it stands: what is set, of which kind."""


def _apply(
    server: Server, namespace: str, document: dict[str, Any], manager: str
) -> tuple[int, dict[str, Any]]:
    path = f"{collection(namespace, document)}/{document['metadata']['name']}"
    return server.send("PATCH", f"{path}?fieldManager={manager}", document, _APPLY)


def _named(document: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest under a name that no other has; a Secret keeps its name by default."""
    return {**document, "metadata": {"name": f"apply-{uuid.uuid4().hex[:8]}"}}


def _apply_both(
    server: Server, namespace: str, one: dict[str, Any], another: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Apply as two managers without force; return what was stored after each."""
    status, first = _apply(server, namespace, one, "one")
    assert status == 201, first
    status, second = _apply(server, namespace, another, "another")
    assert status == 200, second
    return first, second


def _reversed(value: Any) -> Any:
    """Return a value with every list the other way round: to a set or a map it is the same."""
    if isinstance(value, dict):
        return {key: _reversed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_reversed(inner) for inner in reversed(value)]
    return value


@pytest.fixture
def applied(server: Server, namespace: str) -> Iterator[list[dict[str, Any]]]:
    """What a test applied, to be removed again: two of the kinds outlive its namespace."""
    documents: list[dict[str, Any]] = []
    yield documents
    for document in documents:
        name = document["metadata"]["name"]
        server.send("DELETE", f"{collection(namespace, document)}/{name}")


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_two_managers_of_the_same_content(
    server: Server, namespace: str, applied: list[dict[str, Any]], case: Case
) -> None:
    document = _named(case.manifest)
    applied.append(document)
    first, second = _apply_both(server, namespace, document, document)
    assert second["spec"] == first["spec"]


@pytest.mark.parametrize("case", _LISTS, ids=lambda case: case.name)
def test_the_order_of_a_list_is_no_conflict(
    server: Server, namespace: str, applied: list[dict[str, Any]], case: Case
) -> None:
    document = _named(case.manifest)
    applied.append(document)
    turned = {**document, "spec": _reversed(document["spec"])}
    _apply_both(server, namespace, document, turned)


def test_two_managers_may_each_add_entries(
    server: Server, namespace: str, applied: list[dict[str, Any]]
) -> None:
    """What one of them takes away again is its own entry only."""
    git_hub = {"organization": "contoso", "repositories": ["orders"]}
    dev_ops = {"organizationId": GUID, "projects": ["shop"]}
    one = _named(manifest(GRANT, patch("federation", {"gitHub": [git_hub]})))
    applied.append(one)
    assert _apply(server, namespace, one, "one")[0] == 201
    others = {"gitHub": [{"organization": "fabrikam"}], "azureDevOps": [dev_ops]}
    other = manifest(GRANT, patch("federation", others), one["metadata"]["name"])
    status, found = _apply(server, namespace, other, "another")
    assert status == 200, found
    entries = found["spec"]["federation"]["gitHub"]
    assert {entry["organization"] for entry in entries} == {"contoso", "fabrikam"}
    less = manifest(GRANT, {}, one["metadata"]["name"])
    status, found = _apply(server, namespace, less, "another")
    assert status == 200, found
    entries = found["spec"]["federation"]["gitHub"]
    assert [entry["organization"] for entry in entries] == ["contoso"]
    assert not found["spec"]["federation"].get("azureDevOps")


def test_an_empty_list_of_sources_takes_the_default_away(
    server: Server, namespace: str, applied: list[dict[str, Any]]
) -> None:
    """`sources: []` closes a door: nothing that stood there by default may stay."""
    document = _named(manifest(GRANT, {}))
    applied.append(document)
    assert _apply(server, namespace, document, "one")[0] == 201
    closed = manifest(GRANT, patch("federation.sources", []), document["metadata"]["name"])
    status, found = _apply(server, namespace, closed, "one")
    assert status == 200, found
    assert found["spec"]["federation"]["sources"] == []


@pytest.mark.parametrize(
    ("field", "entries"),
    [
        (
            "federation.gitHub",
            [{"organization": "a"}, {"organization": "a", "repositories": ["b"]}],
        ),
        ("federation.azureDevOps", [{"organizationId": OTHER_GUID}] * 2),
    ],
)
def test_one_entry_for_each_key(
    server: Server, namespace: str, field: str, entries: list[dict[str, Any]]
) -> None:
    status, message = server.try_create(namespace, manifest(GRANT, patch(field, entries)))
    assert status == 422
    assert "Duplicate value" in message


def test_from_client_side_to_server_side_apply(cluster: Cluster, namespace: str) -> None:
    """An object that may be {} has no defaults inside that the change-over would take away."""
    documents = [
        _named(_without_other_identity(kind, manifest(kind, patch(field, value))))
        for kind, field, value in EMPTY.values()
    ]
    documents.append(_named(_certificate({})))
    documents.append(_named(_certificate({"privateKey": {}})))
    for document in documents:
        document["metadata"]["namespace"] = namespace
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
    try:
        cluster.kubectl("apply", "-f", "-", input=text)
        moved = cluster.kubectl("apply", "--server-side", "-f", "-", input=text)
        # kubectl only warns of a change-over that the API server refused.
        assert moved.stderr == ""
        # Again, as Argo CD and Flux do it: by a manager of their own.
        flux = ("--server-side", "--field-manager=kustomize-controller", "--force-conflicts")
        assert cluster.kubectl("apply", *flux, "-f", "-", input=text).stderr == ""
    finally:
        cluster.kubectl("delete", "--ignore-not-found", "-f", "-", input=text, check=False)


def _certificate(member: dict[str, Any]) -> dict[str, Any]:
    wanted = {"type": "Certificate", "clientSecret": None, "certificate": member}
    return manifest(APP, wanted)


def _without_other_identity(kind: str, document: dict[str, Any]) -> dict[str, Any]:
    identity = document["spec"].get("identity", {}) if kind == TENANT else {}
    if "managedIdentity" in identity:
        document["spec"]["identity"] = {"managedIdentity": {}}
    return document


def test_the_status_of_a_grant_is_taken_as_the_operator_writes_it(
    server: Server, namespace: str, applied: list[dict[str, Any]]
) -> None:
    """Numbers of thirty namespaces and client ids, of which it names as many as may be named."""
    document = _named(manifest(GRANT, {"applications": {"clientIds": [GUID]}}))
    applied.append(document)
    status, stored = _apply(server, namespace, document, "one")
    assert status == 201, stored
    ids = [ClientId(f"{n:08}-1111-4111-8111-111111111111") for n in range(30)]
    use = {
        "usage": usage({f"team-{n}": n + 1 for n in range(30)}),
        "applications": named_applications(ids, lambda _: False),
    }
    said = {"observedGeneration": 1, "conditions": []}
    told = with_use({}, said, use, datetime.now(UTC), timedelta(minutes=5))
    path = f"{collection(namespace, document)}/{document['metadata']['name']}/status"
    body = {key: document[key] for key in ("apiVersion", "kind", "metadata")}
    status, found = server.send(
        "PATCH", f"{path}?fieldManager=appcredential", {**body, "status": told}, _APPLY
    )
    assert status == 200, found
    assert found["status"] == told
