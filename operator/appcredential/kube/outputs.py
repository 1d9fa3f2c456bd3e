"""Output ConfigMaps. Only one that says it is ours is ever replaced or deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from appcredential.domain.marker import Owner
from appcredential.domain.observed.federated import OutputMap
from appcredential.domain.secret.annotations import Name, value_of
from appcredential.domain.secret.content import MANAGED_BY
from appcredential.errors import ConflictError, NotFoundError
from appcredential.kube.client import FIELD_MANAGER, KubeClient

_LABELS: Final = {MANAGED_BY: "appcredential"}


class KubeOutputs:
    """The Outputs port."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube

    async def get(self, namespace: str, name: str) -> OutputMap | None:
        """See `ports.Outputs`."""
        found = await self._read(namespace, name)
        return _parse(found) if found is not None else None

    async def put(
        self, owner: Owner, name: str, data: Mapping[str, str], live: OutputMap | None
    ) -> OutputMap:
        """See `ports.Outputs`."""
        query = (("fieldManager", FIELD_MANAGER),)
        if live is None:
            path, body = _path(owner.namespace), _new(owner, name, data)
            return _parse(await self._kube.request("POST", path, body=body, query=query))
        # What others put beside it stays: only whole objects can be replaced.
        found = await self._read(owner.namespace, name)
        if found is None or _version(found) != (live.uid, live.resource_version):
            raise ConflictError("the output ConfigMap changed meanwhile")
        found["data"] = {**(found.get("data") or {}), **data}
        # A deleted resource may have left it: from now on it is this one's.
        metadata = found["metadata"]
        metadata["annotations"] = (metadata.get("annotations") or {}) | {Name.OWNER: str(owner)}
        metadata["labels"] = (metadata.get("labels") or {}) | _LABELS
        path = _path(owner.namespace, name)
        return _parse(await self._kube.request("PUT", path, body=found, query=query))

    async def delete(self, live: OutputMap) -> None:
        """See `ports.Outputs`."""
        preconditions = {"uid": live.uid, "resourceVersion": live.resource_version}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        try:
            await self._kube.request("DELETE", _path(live.namespace, live.name), body=body)
        except NotFoundError:
            return

    async def _read(self, namespace: str, name: str) -> dict[str, Any] | None:
        try:
            return await self._kube.request("GET", _path(namespace, name))
        except NotFoundError:
            return None


def _path(namespace: str, name: str = "") -> str:
    base = f"/api/v1/namespaces/{namespace}/configmaps"
    return f"{base}/{name}" if name else base


def _new(owner: Owner, name: str, data: Mapping[str, str]) -> dict[str, Any]:
    metadata = {
        "name": name,
        "labels": dict(_LABELS),
        "annotations": {Name.OWNER: str(owner)},
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)}


def _version(document: Mapping[str, Any]) -> tuple[str, str]:
    metadata = document["metadata"]
    return metadata["uid"], metadata["resourceVersion"]


def _parse(document: Mapping[str, Any]) -> OutputMap:
    metadata = document["metadata"]
    return OutputMap(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        owner=value_of(metadata.get("annotations") or {}, Name.OWNER),
        immutable=bool(document.get("immutable")),
        data=dict(document.get("data") or {}),
    )
