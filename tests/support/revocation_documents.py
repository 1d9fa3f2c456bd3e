"""Revocations as ConfigMaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from appcredential.domain.facts.deletion import revocation_name
from appcredential.domain.marker import Owner
from appcredential.domain.spec.model import ClientId, CredentialType
from tests.support.builders import CLIENT_ID, OBJECT_ID, OWNER, TENANT_ID

REVOCATIONS: Final = "/api/v1/namespaces/appcredential-system/configmaps"
_LABELS: Final = {"appcredential.io/ticket": "true"}


def revocation_document(changes: Mapping[str, str] | None = None) -> tuple[str, dict[str, Any]]:
    """Return a revocation's name and ConfigMap, due in a day."""
    data = {
        "namespace": OWNER.namespace,
        "name": OWNER.name,
        "resourceUid": "resource-uid",
        "tenant": "default",
        "tenantId": TENANT_ID,
        "clientId": CLIENT_ID,
        "objectId": OBJECT_ID,
        "type": "ClientSecret",
        "policy": "Revoke",
        "secretName": "orders-entra",
        "secretUid": "target-uid",
        "pendingAttempt": "",
        "due": "2026-11-23T10:00:00Z",
        **(changes or {}),
    }
    owner = Owner(data["namespace"], data["name"])
    kind = CredentialType.CLIENT_SECRET
    name = revocation_name(owner, data["tenant"], ClientId(data["clientId"]), kind)
    return name, {"metadata": {"labels": dict(_LABELS)}, "data": data}


def damaged(changes: Mapping[str, str]) -> dict[str, Any]:
    """Return the ConfigMap of a revocation that somebody edited."""
    return revocation_document(changes)[1]
