"""ServiceAccounts: read, and annotated by merge-patch with a resourceVersion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appcredential.domain.observed.federated import ServiceAccount
from appcredential.domain.secret_value import SecretValue
from appcredential.errors import NotFoundError
from appcredential.kube.client import FIELD_MANAGER, MERGE_PATCH, KubeClient

_TOKEN_SECONDS = 600
"""The least that the API server gives; the token is used once and dropped."""


class KubeServiceAccounts:
    """The ServiceAccounts port."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube

    async def get(self, namespace: str, name: str) -> ServiceAccount | None:
        """See `ports.ServiceAccounts`."""
        try:
            found = await self._kube.request("GET", _path(namespace, name))
        except NotFoundError:
            return None
        return None if "deletionTimestamp" in found["metadata"] else _parse(found)

    async def annotate(
        self, live: ServiceAccount, annotations: Mapping[str, str | None]
    ) -> ServiceAccount:
        """See `ports.ServiceAccounts`."""
        metadata = {
            "uid": live.uid,
            "resourceVersion": live.resource_version,
            "annotations": dict(annotations),
        }
        written = await self._kube.request(
            "PATCH",
            _path(live.namespace, live.name),
            body={"metadata": metadata},
            query=(("fieldManager", FIELD_MANAGER),),
            content_type=MERGE_PATCH,
        )
        return _parse(written)

    async def token(self, namespace: str, name: str, audience: str) -> SecretValue:
        """See `ports.ServiceAccounts`."""
        wanted = {"audiences": [audience], "expirationSeconds": _TOKEN_SECONDS}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": wanted}
        path = f"{_path(namespace, name)}/token"
        made = await self._kube.request("POST", path, body=body)
        return SecretValue(str(made["status"]["token"]))


def _path(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"


def _parse(document: Mapping[str, Any]) -> ServiceAccount:
    metadata = document["metadata"]
    return ServiceAccount(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        annotations=dict(metadata.get("annotations") or {}),
    )
