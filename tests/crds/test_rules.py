"""Every rule of the schemas, against a real API server."""

from __future__ import annotations

import uuid
from typing import Any, Final

import pytest

from tests.crds.cases import ACCEPTED, REFUSED, Case, patch
from tests.crds.manifests import APP, GRANT, GUID, OTHER_GUID, TENANT, Row, manifest
from tests.crds.server import Server, collection

pytestmark = pytest.mark.cluster

_TENANT: Final = "tenantRef.name"
_SECRET: Final = "secret.name"
_CLIENT: Final = "application.clientId"
_REF: Final = "identity.clientSecret.secretRef.name"

# What it shows, the kind, the field, its value before and after (None: left out), what is said.
CHANGES: Final[tuple[Row, ...]] = (
    ("a tenant", APP, _TENANT, "a", "b", "tenantRef.name is immutable"),
    ("a tenant set later", APP, _TENANT, None, "b", "tenantRef.name is immutable"),
    ("a tenant removed", APP, _TENANT, "a", None, "tenantRef.name is immutable"),
    ("a default tenant written out", APP, _TENANT, None, "default", ""),
    ("an application", APP, _CLIENT, GUID, OTHER_GUID, "application.clientId is immutable"),
    ("a Secret", APP, _SECRET, "a", "b", "secret.name is immutable"),
    ("a Secret set later", APP, _SECRET, None, "b", "secret.name is immutable"),
    ("a Secret removed", APP, _SECRET, "a", None, "secret.name is immutable"),
    ("a preset", APP, "secret.preset", None, "Raw", ""),
    ("a lifetime", APP, "lifetime", "90d", "30d", ""),
    ("a tenant id", TENANT, "tenantId", GUID, OTHER_GUID, "tenantId is immutable"),
    ("a cloud", TENANT, "cloud", "Public", "China", "cloud is immutable"),
    ("an identity", TENANT, _REF, "one", "other", ""),
    ("a grant's tenant", GRANT, _TENANT, "a", "b", ""),
    ("a grant's ceiling", GRANT, "maxLifetime", "90d", None, ""),
)


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_api_server_accepts(server: Server, namespace: str, case: Case) -> None:
    status, message = server.try_create(namespace, case.manifest)
    assert (status, message) == (201, "")


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_api_server_refuses(server: Server, namespace: str, case: Case) -> None:
    status, message = server.try_create(namespace, case.manifest)
    assert status == 422
    assert case.message in message


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change[0])
def test_update(server: Server, namespace: str, change: Row) -> None:
    _, kind, field, before, after, message = change
    name = f"change-{uuid.uuid4().hex[:8]}"
    old = manifest(kind, patch(field, before), name)
    status, answer = _update(server, namespace, old, manifest(kind, patch(field, after), name))
    assert status == (422 if message else 200), answer
    assert message in str(answer.get("message", ""))


def test_default_secret_name_may_be_written_out(server: Server, namespace: str) -> None:
    old = manifest(APP, {}, "written-out")
    new = manifest(APP, {"secret": {"name": "written-out"}}, "written-out")
    status, answer = _update(server, namespace, old, new)
    assert status == 200, answer


def _update(
    server: Server, namespace: str, old: dict[str, Any], new: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    """Create one object, replace it by dry run, and remove it again."""
    made = server.create(namespace, old)
    path = f"{collection(namespace, old)}/{old['metadata']['name']}"
    new["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"]
    try:
        return server.send("PUT", f"{path}?dryRun=All", new)
    finally:
        server.send("DELETE", path)
