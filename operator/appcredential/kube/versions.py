"""Versions of objects by a GET of their metadata: no data comes over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from appcredential.errors import NotFoundError
from appcredential.kube.client import METADATA_ONLY, KubeClient
from appcredential.ports.versions import ObjectKind, version_text

_PLURALS: Final = {
    ObjectKind.SECRET: "secrets",
    ObjectKind.CONFIG_MAP: "configmaps",
    ObjectKind.SERVICE_ACCOUNT: "serviceaccounts",
}


class KubeVersions:
    """Implements `ports.Versions`."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube

    async def version(self, kind: ObjectKind, namespace: str, name: str) -> str | None:
        """See `ports.Versions`."""
        path = f"/api/v1/namespaces/{namespace}/{_PLURALS[kind]}/{name}"
        try:
            found = await self._kube.request("GET", path, accept=METADATA_ONLY)
        except NotFoundError:
            return None
        if kind is ObjectKind.SERVICE_ACCOUNT and "deletionTimestamp" in found["metadata"]:
            return None  # no pod starts with it any more: the other reads take it for absent, too
        return version_of(found)


def version_of(document: Mapping[str, Any]) -> str:
    """Return the version of an object as it was read."""
    metadata = document["metadata"]
    return version_text(metadata["uid"], metadata["resourceVersion"])
