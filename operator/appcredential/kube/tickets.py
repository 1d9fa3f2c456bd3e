"""Tickets as ConfigMaps in the operator's namespace. They never hold a value."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from appcredential.domain.conditions import format_time
from appcredential.domain.marker import Owner
from appcredential.domain.spec import (
    ClientId,
    CredentialType,
    DeletionPolicy,
    ObjectId,
    TenantId,
)
from appcredential.domain.tickets import Ticket
from appcredential.errors import NotFoundError
from appcredential.kube.client import FIELD_MANAGER, KubeClient
from appcredential.kube.times import required_time

LABEL = "appcredential.io/ticket"


class KubeTickets:
    """The Tickets port."""

    def __init__(self, kube: KubeClient, namespace: str) -> None:
        self._kube = kube
        self._base = f"/api/v1/namespaces/{namespace}/configmaps"

    async def get(self, name: str) -> Ticket | None:
        """See `ports.Tickets`."""
        try:
            return _parse(await self._kube.request("GET", f"{self._base}/{name}"))
        except NotFoundError:
            return None

    async def list(self) -> tuple[Ticket, ...]:
        """See `ports.Tickets`."""
        query = (("labelSelector", f"{LABEL}=true"),)
        found = await self._kube.request("GET", self._base, query=query)
        items: builtins.list[Mapping[str, Any]] = found.get("items") or []
        return tuple(_parse(item) for item in items)

    async def put(self, name: str, ticket: Ticket, live: Ticket | None) -> Ticket:
        """See `ports.Tickets`."""
        body = _build(name, ticket, live)
        method, path = ("POST", self._base) if live is None else ("PUT", f"{self._base}/{name}")
        query = (("fieldManager", FIELD_MANAGER),)
        return _parse(await self._kube.request(method, path, body=body, query=query))

    async def delete(self, name: str, live: Ticket) -> None:
        """See `ports.Tickets`."""
        preconditions = {"uid": live.uid, "resourceVersion": live.resource_version}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        try:
            await self._kube.request("DELETE", f"{self._base}/{name}", body=body)
        except NotFoundError:
            return


def _build(name: str, t: Ticket, live: Ticket | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": {LABEL: "true"}}
    if live is not None:
        metadata |= {"uid": live.uid, "resourceVersion": live.resource_version}
    data = {
        "namespace": t.owner.namespace,
        "name": t.owner.name,
        "resourceUid": t.resource_uid,
        "tenant": t.tenant,
        "tenantId": t.tenant_id,
        "clientId": t.client_id,
        "objectId": t.object_id or "",
        "type": str(t.type),
        "policy": str(t.policy),
        "secretName": t.secret_name,
        "secretUid": t.secret_uid,
        "pendingAttempt": t.pending_attempt,
        "due": format_time(t.due),
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _parse(document: Mapping[str, Any]) -> Ticket:
    data, metadata = document["data"], document["metadata"]
    return Ticket(
        owner=Owner(data["namespace"], data["name"]),
        resource_uid=data["resourceUid"],
        tenant=data["tenant"],
        tenant_id=TenantId(data["tenantId"]),
        client_id=ClientId(data["clientId"]),
        object_id=ObjectId(data["objectId"]) if data["objectId"] else None,
        type=CredentialType(data["type"]),
        policy=DeletionPolicy(data["policy"]),
        secret_name=data["secretName"],
        secret_uid=data["secretUid"],
        pending_attempt=data["pendingAttempt"],
        due=required_time(data["due"]),
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
    )
