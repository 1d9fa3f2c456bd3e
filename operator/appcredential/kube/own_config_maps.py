"""Objects of ours that are kept as ConfigMaps in the operator's namespace."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from appcredential.domain.marker import Owner
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.spec import checks
from appcredential.domain.spec.model import (
    ClientId,
    CredentialType,
    DeletionPolicy,
    ObjectId,
    TenantId,
)
from appcredential.errors import ConflictError, InvalidSpecError, NotFoundError
from appcredential.kube.client import FIELD_MANAGER, KubeClient

log = logging.getLogger(__name__)


class Stored(Protocol):
    """What a ConfigMap holds: it knows the ConfigMap's uid and version."""

    @property
    def uid(self) -> str:
        """The ConfigMap's."""
        ...

    @property
    def resource_version(self) -> str:
        """The ConfigMap's."""
        ...


T = TypeVar("T", bound=Stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Generic[T]):
    """How one sort of them is written.

    Attributes:
        label: which all of them have, and no other.
        what: they are called so in errors.
        warning: the log's line about a damaged one.
        build: returns the data of a ConfigMap.
        read: reads data and metadata; raises KeyError, ValueError or InvalidSpecError if damaged.
        name_of: the name that the ConfigMap must have.
    """

    label: str
    what: str
    warning: str
    build: Callable[[T], dict[str, str]]
    read: Callable[[Mapping[str, str], Mapping[str, Any]], T]
    name_of: Callable[[T], str]


class OwnConfigMaps(Generic[T]):
    """Reads and writes them. A damaged ConfigMap counts as absent, and stops no other."""

    def __init__(self, kube: KubeClient, namespace: str, kept: Kept[T]) -> None:
        self._kube = kube
        self._base = f"/api/v1/namespaces/{namespace}/configmaps"
        self._kept = kept
        self._warned: frozenset[str] = frozenset()

    async def get(self, name: str) -> T | None:
        """Read one; None when there is none of that name."""
        found = await self._read(name)
        return self._parse(found) if found is not None else None

    async def each(self) -> AsyncIterator[T]:
        """Yield all of them, page by page, and name those that are damaged."""
        damaged: list[Mapping[str, Any]] = []
        query = (("labelSelector", f"{self._kept.label}=true"),)
        async for item in self._kube.pages(self._base, query):
            parsed = self._parse(item)
            if parsed is None:
                damaged.append(item["metadata"])
            else:
                yield parsed
        self._warn(damaged)

    async def put(self, name: str, wanted: T, live: T | None) -> T:
        """Create it, or replace exactly the version `live`."""
        if live is not None:
            return await self._replace(name, wanted, live.uid, live.resource_version)
        query = (("fieldManager", FIELD_MANAGER),)
        try:
            body = self._body(name, wanted, {})
            written = await self._kube.request("POST", self._base, body=body, query=query)
        except ConflictError:
            return await self._mend(name, wanted)
        return self._written(written)

    async def delete(self, name: str, live: Stored) -> None:
        """Delete exactly the version `live`, if it still exists."""
        preconditions = {"uid": live.uid, "resourceVersion": live.resource_version}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        try:
            await self._kube.request("DELETE", f"{self._base}/{name}", body=body)
        except NotFoundError:
            return

    async def _mend(self, name: str, wanted: T) -> T:
        """Replace a damaged ConfigMap of this name, which would hold up its owner."""
        found = await self._read(name)
        if found is None or not self._is_labelled(found) or self._parse(found) is not None:
            raise ConflictError(f"the {self._kept.what} appeared meanwhile")
        metadata = found["metadata"]
        return await self._replace(name, wanted, metadata["uid"], metadata["resourceVersion"])

    async def _replace(self, name: str, wanted: T, uid: str, version: str) -> T:
        body = self._body(name, wanted, {"uid": uid, "resourceVersion": version})
        query = (("fieldManager", FIELD_MANAGER),)
        path = f"{self._base}/{name}"
        return self._written(await self._kube.request("PUT", path, body=body, query=query))

    async def _read(self, name: str) -> dict[str, Any] | None:
        try:
            return await self._kube.request("GET", f"{self._base}/{name}")
        except NotFoundError:
            return None

    def _body(self, name: str, wanted: T, live: Mapping[str, str]) -> dict[str, Any]:
        metadata = {"name": name, "labels": {self._kept.label: "true"}, **live}
        data = self._kept.build(wanted)
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}

    def _is_labelled(self, document: Mapping[str, Any]) -> bool:
        return (document["metadata"].get("labels") or {}).get(self._kept.label) == "true"

    def _written(self, document: Mapping[str, Any]) -> T:
        parsed = self._parse(document)
        if parsed is None:
            raise ConflictError(f"the {self._kept.what} was changed on its way")
        return parsed

    def _parse(self, document: Mapping[str, Any]) -> T | None:
        """Read one; None when it is damaged, or is not what its own name says."""
        try:
            found = self._kept.read(document.get("data") or {}, document["metadata"])
        except (KeyError, ValueError, InvalidSpecError):
            return None
        return found if self._kept.name_of(found) == document["metadata"]["name"] else None

    def _warn(self, damaged: Iterable[Mapping[str, Any]]) -> None:
        """Name each damaged ConfigMap, once for each version of it."""
        seen = {f"{m['name']}@{m['resourceVersion']}": m["name"] for m in damaged}
        for version, name in seen.items():
            if version not in self._warned:
                log.warning(self._kept.warning, extra={"configmap": name})
        self._warned = frozenset(seen)


def data_of(revocation: Revocation) -> dict[str, str]:
    """Return what a ConfigMap holds of a revocation, but its time."""
    return {
        "namespace": revocation.owner.namespace,
        "name": revocation.owner.name,
        "resourceUid": revocation.resource_uid,
        "tenant": revocation.tenant,
        "tenantId": revocation.tenant_id,
        "clientId": revocation.client_id,
        "objectId": revocation.object_id or "",
        "type": str(revocation.type),
        "policy": str(revocation.policy),
        "secretName": revocation.secret_name,
        "secretUid": revocation.secret_uid,
        "pendingAttempt": revocation.pending_attempt,
        "serviceAccount": revocation.service_account,
        "configMap": revocation.config_map,
    }


def read_revocation(
    data: Mapping[str, str], metadata: Mapping[str, Any], due: datetime
) -> Revocation:
    """Read what `data_of` wrote; what becomes part of an address is checked, as a manifest is.

    Args:
        data: of the ConfigMap.
        metadata: of the ConfigMap.
        due: the revocation's time.

    Raises:
        KeyError, ValueError, InvalidSpecError: it is damaged.
    """
    namespace = checks.object_name("namespace", data["namespace"])
    return Revocation(
        owner=Owner(namespace, checks.object_name("name", data["name"])),
        resource_uid=data["resourceUid"],
        tenant=data["tenant"],
        tenant_id=TenantId(data["tenantId"]),
        client_id=ClientId(checks.guid("clientId", data["clientId"])),
        object_id=ObjectId(data["objectId"]) if data["objectId"] else None,
        type=CredentialType(data["type"]),
        policy=DeletionPolicy(data["policy"]),
        secret_name=checks.object_name("secretName", data["secretName"]),
        secret_uid=data["secretUid"],
        pending_attempt=data["pendingAttempt"],
        service_account=_optional_name("serviceAccount", data),
        config_map=_optional_name("configMap", data),
        due=due,
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
    )


def _optional_name(key: str, data: Mapping[str, str]) -> str:
    return checks.object_name(key, data[key]) if data.get(key) else ""
