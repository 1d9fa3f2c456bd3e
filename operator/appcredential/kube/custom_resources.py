"""The three kinds: live reads, lists, the finalizer, and status by server-side apply."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from appcredential.domain.demanded import server_version
from appcredential.errors import NotFoundError
from appcredential.kube.client import APPLY_PATCH, FIELD_MANAGER, MERGE_PATCH, KubeClient
from appcredential.kube.own_writes import OwnWrites

GROUP = "appcredential.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FINALIZER = f"{GROUP}/credential"
CRDS_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
APP_CREDENTIALS, TENANTS, GRANTS = "appcredentials", "entratenants", "applicationgrants"
KINDS = {
    APP_CREDENTIALS: "AppCredential",
    TENANTS: "EntraTenant",
    GRANTS: "ApplicationGrant",
}


def path_of(plural: str, namespace: str = "", name: str = "") -> str:
    """Return the API path of a kind, in a namespace, of one object."""
    base = f"/apis/{API_VERSION}"
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"{base}{scope}/{plural}" + (f"/{name}" if name else "")


class KubeObjects:
    """Reads and status writes for any of the three kinds."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube
        self.own_writes = OwnWrites()

    async def get(self, plural: str, namespace: str, name: str) -> dict[str, Any] | None:
        """Read one object live; None on 404."""
        try:
            return await self._kube.request("GET", path_of(plural, namespace, name))
        except NotFoundError:
            return None

    async def server_version(self) -> tuple[int, int]:
        """Return the API server's version; zeros where it says nothing that can be read."""
        return server_version(await self._kube.request("GET", "/version"))

    async def is_namespace_leaving(self, name: str) -> bool:
        """Tell by a live read whether a namespace is being deleted, or does not exist."""
        try:
            found = await self._kube.request("GET", f"/api/v1/namespaces/{name}")
        except NotFoundError:
            return True
        return "deletionTimestamp" in found["metadata"]

    async def pages(self, plural: str, namespace: str = "") -> AsyncIterator[dict[str, Any]]:
        """Yield every object of a kind, page by page."""
        async for item in self._kube.pages(path_of(plural, namespace)):
            yield item

    async def set_finalizer(
        self, plural: str, metadata: Mapping[str, Any], *, present: bool
    ) -> dict[str, Any]:
        """Add or remove our finalizer on exactly this version.

        A merge-patch that carries uid and resourceVersion: removing one by
        server-side apply can silently do nothing.
        """
        others = [f for f in metadata.get("finalizers") or () if f != FINALIZER]
        body = {
            "metadata": {
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
                "finalizers": [*others, FINALIZER] if present else others,
            }
        }
        found = await self._kube.request(
            "PATCH",
            path_of(plural, metadata.get("namespace") or "", metadata["name"]),
            body=body,
            query=(("fieldManager", FIELD_MANAGER),),
            content_type=MERGE_PATCH,
        )
        if present:
            self.own_writes.note(found)  # without it, the object may be gone already
        return found

    async def apply_status(
        self, plural: str, metadata: Mapping[str, Any], status: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Server-side apply the whole status; a stale resourceVersion answers 409."""
        identity = {"name": metadata["name"], "resourceVersion": metadata["resourceVersion"]}
        if metadata.get("namespace"):
            identity["namespace"] = metadata["namespace"]
        body = {
            "apiVersion": API_VERSION,
            "kind": KINDS[plural],
            "metadata": identity,
            "status": dict(status),
        }
        path = path_of(plural, metadata.get("namespace") or "", metadata["name"])
        found = await self._kube.request(
            "PATCH",
            f"{path}/status",
            body=body,
            query=(("fieldManager", FIELD_MANAGER), ("force", "true")),
            content_type=APPLY_PATCH,
        )
        self.own_writes.note(found)
        return found

    async def crd(self, plural: str) -> dict[str, Any] | None:
        """Read a CRD live; None when it does not exist."""
        try:
            return await self._kube.request("GET", f"{CRDS_PATH}/{plural}.{GROUP}")
        except NotFoundError:
            return None
