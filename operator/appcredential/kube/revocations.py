"""Revocations as ConfigMaps in the operator's namespace. They never hold a value."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Mapping
from typing import Any

from appcredential.domain.facts.deletion import name_of
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
from appcredential.domain.times import format_time, required_time
from appcredential.errors import ConflictError, InvalidSpecError, NotFoundError
from appcredential.kube.client import FIELD_MANAGER, KubeClient

log = logging.getLogger(__name__)

LABEL = "appcredential.io/ticket"


class KubeRevocations:
    """The Revocations port. A damaged ConfigMap counts as absent, and stops no other."""

    def __init__(self, kube: KubeClient, namespace: str) -> None:
        self._kube = kube
        self._base = f"/api/v1/namespaces/{namespace}/configmaps"
        self._warned: frozenset[str] = frozenset()

    async def get(self, name: str) -> Revocation | None:
        """See `ports.Revocations`."""
        found = await self._read(name)
        return _parse(found) if found is not None else None

    async def list(self) -> tuple[Revocation, ...]:
        """See `ports.Revocations`."""
        pages = self._kube.pages(self._base, (("labelSelector", f"{LABEL}=true"),))
        parsed = [(item, _parse(item)) async for item in pages]
        self._warn([item["metadata"] for item, revocation in parsed if revocation is None])
        return tuple(revocation for _, revocation in parsed if revocation is not None)

    async def put(self, name: str, revocation: Revocation, live: Revocation | None) -> Revocation:
        """See `ports.Revocations`."""
        if live is not None:
            return await self._replace(name, revocation, live.uid, live.resource_version)
        query = (("fieldManager", FIELD_MANAGER),)
        try:
            body = _build(name, revocation, {})
            written = await self._kube.request("POST", self._base, body=body, query=query)
        except ConflictError:
            return await self._mend(name, revocation)
        return _written(written)

    async def _mend(self, name: str, revocation: Revocation) -> Revocation:
        """Replace a damaged ConfigMap of this name, which would hold up its owner's deletion."""
        found = await self._read(name)
        if found is None or not _is_labelled(found) or _parse(found) is not None:
            raise ConflictError("the revocation appeared meanwhile")
        metadata = found["metadata"]
        return await self._replace(name, revocation, metadata["uid"], metadata["resourceVersion"])

    async def _replace(
        self, name: str, revocation: Revocation, uid: str, version: str
    ) -> Revocation:
        body = _build(name, revocation, {"uid": uid, "resourceVersion": version})
        query = (("fieldManager", FIELD_MANAGER),)
        path = f"{self._base}/{name}"
        return _written(await self._kube.request("PUT", path, body=body, query=query))

    async def _read(self, name: str) -> dict[str, Any] | None:
        try:
            return await self._kube.request("GET", f"{self._base}/{name}")
        except NotFoundError:
            return None

    def _warn(self, damaged: builtins.list[Mapping[str, Any]]) -> None:
        """Name each damaged ConfigMap, once for each version of it."""
        seen = {f"{m['name']}@{m['resourceVersion']}": m["name"] for m in damaged}
        for version, name in seen.items():
            if version not in self._warned:
                log.warning(
                    "a revocation cannot be read and is left alone; mend or delete the ConfigMap",
                    extra={"configmap": name},
                )
        self._warned = frozenset(seen)

    async def delete(self, name: str, live: Revocation) -> None:
        """See `ports.Revocations`."""
        preconditions = {"uid": live.uid, "resourceVersion": live.resource_version}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        try:
            await self._kube.request("DELETE", f"{self._base}/{name}", body=body)
        except NotFoundError:
            return


def _build(name: str, revocation: Revocation, live: Mapping[str, str]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": {LABEL: "true"}, **live}
    data = {
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
        "due": format_time(revocation.due),
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _is_labelled(document: Mapping[str, Any]) -> bool:
    return (document["metadata"].get("labels") or {}).get(LABEL) == "true"


def _written(document: Mapping[str, Any]) -> Revocation:
    revocation = _parse(document)
    if revocation is None:
        raise ConflictError("the revocation was changed on its way")
    return revocation


def _parse(document: Mapping[str, Any]) -> Revocation | None:
    """Read a revocation; None when it is damaged, or is not what its own name says."""
    try:
        revocation = _read_revocation(document.get("data") or {}, document["metadata"])
    except (KeyError, ValueError, InvalidSpecError):
        return None
    return revocation if name_of(revocation) == document["metadata"]["name"] else None


def _read_revocation(data: Mapping[str, str], metadata: Mapping[str, Any]) -> Revocation:
    """Read the data; what becomes part of an address is checked, as a manifest is.

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
        due=required_time(data["due"]),
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
    )


def _optional_name(key: str, data: Mapping[str, str]) -> str:
    return checks.object_name(key, data[key]) if data.get(key) else ""
