"""Reads and writes AppCredentials as what the rest of the operator knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.marker import Owner
from appcredential.domain.observed.actors import actors_of
from appcredential.domain.observed.observation import REGISTER_AGAIN, Resource
from appcredential.domain.spec.parse import parse_app_credential
from appcredential.domain.spec.reserved import ONLY_LISTED, AllowedKeys
from appcredential.domain.times import parse_time, required_time
from appcredential.errors import InvalidSpecError, NotFoundError
from appcredential.kube.client import FIELD_MANAGER
from appcredential.kube.custom_resources import (
    APP_CREDENTIALS,
    FINALIZER,
    VERSION,
    KubeObjects,
)
from appcredential.kube.served import served_since
from appcredential.ports.local import Clock
from appcredential.runtime.shared_read import SharedRead

CRD_AGE = timedelta(seconds=1)
"""Thousands of resources may be deleted at once. A deleted resource waits much longer than this
for the CRD's own deletion to show, so that a look this old misses nothing that the wait is for."""


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
        actors=actors_of(metadata.get("managedFields")),
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
        if not present and _has_ended(found["metadata"]):
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


def _has_ended(metadata: Mapping[str, Any]) -> bool:
    """Tell whether this was the last thing that kept an object from being deleted."""
    return "deletionTimestamp" in metadata and not metadata.get("finalizers")


def _metadata(resource: Resource) -> dict[str, Any]:
    return {
        "namespace": resource.owner.namespace,
        "name": resource.owner.name,
        "uid": resource.uid,
        "resourceVersion": resource.resource_version,
        "finalizers": list(resource.finalizers),
    }
