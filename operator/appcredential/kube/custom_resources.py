"""The three kinds: live reads, lists, the finalizer, and status by server-side apply."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.marker import Owner
from appcredential.domain.observed.observation import REGISTER_AGAIN, Resource
from appcredential.domain.spec.parse import parse_app_credential
from appcredential.domain.spec.reserved import ONLY_LISTED, AllowedKeys
from appcredential.domain.times import parse_time, required_time
from appcredential.errors import InvalidSpecError, NotFoundError
from appcredential.kube.client import APPLY_PATCH, FIELD_MANAGER, MERGE_PATCH, KubeClient
from appcredential.kube.own_writes import OwnWrites
from appcredential.kube.served import served_since
from appcredential.ports.local import Clock
from appcredential.runtime.shared_read import SharedRead

GROUP = "appcredential.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FINALIZER = f"{GROUP}/credential"
SCHEMA_ANNOTATION = f"{GROUP}/schema-version"
CRDS_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
APP_CREDENTIALS, TENANTS, GRANTS = "appcredentials", "entratenants", "applicationgrants"
CRD_AGE = timedelta(seconds=1)
"""Thousands of resources may be deleted at once. A deleted resource waits much longer than this
for the CRD's own deletion to show, so that a look this old misses nothing that the wait is for."""
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


def parse_resource(document: Mapping[str, Any], allowed: AllowedKeys = ONLY_LISTED) -> Resource:
    """Read an AppCredential; an unusable spec becomes a Problem that names the field."""
    metadata = document["metadata"]
    try:
        spec = parse_app_credential(document, allowed)
    except InvalidSpecError as exc:
        problem = Problem(reason=Reason.INVALID_SPEC, message=str(exc))
        return _resource(metadata, problem, document)
    return _resource(metadata, spec, document)


def _resource(metadata: Mapping[str, Any], spec: Any, document: Mapping[str, Any]) -> Resource:
    created = required_time(metadata.get("creationTimestamp"))
    return Resource(
        owner=Owner(metadata["namespace"], metadata["name"]),
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        generation=int(metadata.get("generation") or 0),
        creation_time=created,
        deletion_time=parse_time(metadata.get("deletionTimestamp")),
        has_finalizer=FINALIZER in (metadata.get("finalizers") or ()),
        finalizers=tuple(metadata.get("finalizers") or ()),
        spec=spec,
        status=document.get("status") or {},
        last_applied_time=_last_applied(metadata, created),
        register_again=str((metadata.get("annotations") or {}).get(REGISTER_AGAIN) or ""),
    )


def _last_applied(metadata: Mapping[str, Any], created: datetime) -> datetime:
    """Return when somebody else last wrote the object, by its managedFields."""
    times = [
        parse_time(entry.get("time"))
        for entry in metadata.get("managedFields") or ()
        if entry.get("manager") != FIELD_MANAGER and not entry.get("subresource")
    ]
    return max([t for t in times if t is not None], default=created)


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
        found = await self._kube.request("GET", "/version")
        numbers = [re.match(r"[0-9]{1,4}", str(found.get(k) or "")) for k in ("major", "minor")]
        major, minor = (int(n[0]) if n is not None else 0 for n in numbers)
        return major, minor

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


class KubeResources:
    """The Resources port: AppCredential objects.

    Args:
        objects: reads and writes them.
        clock: of the process.
        allowed: the labels and annotations that users may put on Secrets.
        crd_age: for how long a look at the CRD answers for other resources that go, too.
    """

    def __init__(
        self,
        objects: KubeObjects,
        clock: Clock,
        allowed: AllowedKeys = ONLY_LISTED,
        crd_age: timedelta = CRD_AGE,
    ) -> None:
        self._objects = objects
        self._allowed = allowed
        self._is_crd_deleted = SharedRead(self._read_crd, clock, crd_age)

    async def get(self, owner: Owner) -> Resource | None:
        """See `ports.Resources`."""
        found = await self._objects.get(APP_CREDENTIALS, owner.namespace, owner.name)
        return parse_resource(found, self._allowed) if found is not None else None

    async def list(self, namespace: str) -> tuple[Resource, ...]:
        """See `ports.Resources`."""
        pages = self._objects.pages(APP_CREDENTIALS, namespace)
        return tuple([parse_resource(document, self._allowed) async for document in pages])

    async def set_finalizer(self, resource: Resource, *, present: bool) -> Resource | None:
        """See `ports.Resources`."""
        metadata = _metadata(resource)
        try:
            found = await self._objects.set_finalizer(APP_CREDENTIALS, metadata, present=present)
        except NotFoundError:
            return None
        return parse_resource(found, self._allowed)

    async def apply_status(self, resource: Resource, status: dict[str, Any]) -> Resource:
        """See `ports.Resources`."""
        metadata = _metadata(resource)
        found = await self._objects.apply_status(APP_CREDENTIALS, metadata, status)
        return parse_resource(found, self._allowed)

    async def is_crd_deleted(self) -> bool:
        """See `ports.Resources`."""
        return await self._is_crd_deleted.get()

    async def _read_crd(self) -> bool:
        found = await self._objects.crd(APP_CREDENTIALS)
        return found is None or "deletionTimestamp" in found["metadata"]

    async def crd_created(self) -> datetime | None:
        """See `ports.Resources`."""
        found = await self._objects.crd(APP_CREDENTIALS)
        return served_since(found, VERSION) if found is not None else None

    async def is_namespace_leaving(self, namespace: str) -> bool:
        """See `ports.Resources`."""
        return await self._objects.is_namespace_leaving(namespace)


def _metadata(resource: Resource) -> dict[str, Any]:
    return {
        "namespace": resource.owner.namespace,
        "name": resource.owner.name,
        "uid": resource.uid,
        "resourceVersion": resource.resource_version,
        "finalizers": list(resource.finalizers),
    }
