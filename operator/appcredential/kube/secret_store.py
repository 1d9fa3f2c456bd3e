"""The Secrets port: every update carries uid and resourceVersion, every delete both."""

from __future__ import annotations

from typing import Any

from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.domain.observed.target import IssuedCredential, Pending, PendingState, Target
from appcredential.domain.secret.content import Rendering
from appcredential.domain.secret.records import pending_name
from appcredential.domain.secret_value import SecretValue
from appcredential.errors import ConflictError, NotFoundError
from appcredential.kube.client import FIELD_MANAGER, METADATA_ONLY, KubeClient
from appcredential.kube.secret_documents import (
    build_intent,
    build_pending,
    build_target,
    decode_data,
    parse_pending,
    parse_target,
)
from appcredential.ports.kube import Intent

_MANAGER = (("fieldManager", FIELD_MANAGER),)


def secrets_path(namespace: str, name: str = "") -> str:
    """Return the API path of a namespace's Secrets or of one."""
    base = f"/api/v1/namespaces/{namespace}/secrets"
    return f"{base}/{name}" if name else base


class SecretValues:
    """Reads the values of a Secret by name, and nothing else; a `ports.SecretReader`."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube

    async def values(self, namespace: str, name: str) -> dict[str, SecretValue] | None:
        """Return the values of any Secret by their keys; None when it is absent."""
        found = await self.document(namespace, name)
        return decode_data(found.get("data") or {}) if found is not None else None

    async def document(self, namespace: str, name: str) -> dict[str, Any] | None:
        """Return a Secret as it is stored; None when it is absent."""
        try:
            return await self._kube.request("GET", secrets_path(namespace, name))
        except NotFoundError:
            return None


class KubeSecrets:
    """Target and pending Secrets by GET, POST, PUT and DELETE; never list or watch."""

    def __init__(self, kube: KubeClient, identity: ClusterIdentity) -> None:
        self._kube = kube
        self._identity = identity
        self._reader = SecretValues(kube)

    async def target(self, namespace: str, name: str) -> Target | None:
        """See `ports.Secrets`."""
        found = await self._get(namespace, name)
        return parse_target(found) if found is not None else None

    async def version(self, namespace: str, name: str) -> str | None:
        """Return a Secret's resourceVersion without its data on the wire; None when absent."""
        try:
            path = secrets_path(namespace, name)
            found = await self._kube.request("GET", path, accept=METADATA_ONLY)
        except NotFoundError:
            return None
        return str(found["metadata"]["resourceVersion"])

    async def pending(self, owner: Owner) -> Pending | None:
        """See `ports.Secrets`."""
        found = await self._get(owner.namespace, pending_name(owner.hash))
        return parse_pending(found, self._identity, owner) if found is not None else None

    async def values(self, namespace: str, name: str) -> dict[str, SecretValue] | None:
        """Return the values of any Secret by their keys; None when it is absent."""
        return await self._reader.values(namespace, name)

    async def put_target(
        self, namespace: str, name: str, live: Target | None, wanted: Rendering
    ) -> Target:
        """See `ports.Secrets`."""
        body = build_target(namespace, name, live, wanted)
        return parse_target(await self._put(namespace, name, body, create=live is None))

    async def put_intent(self, intent: Intent, live: Pending | None) -> Pending:
        """See `ports.Secrets`."""
        _check_ours(live)
        body = build_intent(intent, live, self._identity)
        return await self._put_pending(intent.owner, body, create=live is None)

    async def put_minted(
        self, owner: Owner, live: Pending, minted: IssuedCredential, value: SecretValue
    ) -> Pending:
        """See `ports.Secrets`."""
        _check_ours(live)
        cluster = self._identity.cluster
        body = build_pending(owner, cluster, live, PendingState.MINTED, minted, value)
        return await self._put_pending(owner, body, create=False)

    async def put_abandoned(self, owner: Owner, live: Pending) -> Pending:
        """See `ports.Secrets`."""
        _check_ours(live)
        cluster = self._identity.cluster
        body = build_pending(
            owner, cluster, live, PendingState.ABANDONED, live.credential, live.value
        )
        return await self._put_pending(owner, body, create=False)

    async def delete_pending(self, owner: Owner, live: Pending) -> None:
        """See `ports.Secrets`."""
        _check_ours(live)
        name = pending_name(owner.hash)
        await self._delete(owner.namespace, name, live.uid, live.resource_version)

    async def delete_target(self, namespace: str, live: Target) -> None:
        """See `ports.Secrets`."""
        await self._delete(namespace, live.name, live.uid, live.resource_version)

    async def _get(self, namespace: str, name: str) -> dict[str, Any] | None:
        return await self._reader.document(namespace, name)

    async def _put_pending(self, owner: Owner, body: dict[str, Any], *, create: bool) -> Pending:
        name = pending_name(owner.hash)
        found = await self._put(owner.namespace, name, body, create=create)
        return parse_pending(found, self._identity, owner)

    async def _put(
        self, namespace: str, name: str, body: dict[str, Any], *, create: bool
    ) -> dict[str, Any]:
        method = "POST" if create else "PUT"
        path = secrets_path(namespace, "" if create else name)
        return await self._kube.request(method, path, body=body, query=_MANAGER)

    async def _delete(self, namespace: str, name: str, uid: str, version: str) -> None:
        preconditions = {"uid": uid, "resourceVersion": version}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        try:
            await self._kube.request("DELETE", secrets_path(namespace, name), body=body)
        except NotFoundError:
            return


def _check_ours(live: Pending | None) -> None:
    """Refuse to touch a Secret that only bears P's name.

    Raises:
        ConflictError: it is of another type, or its annotation names another owner.
    """
    if live is not None and live.is_foreign:
        raise ConflictError("a Secret of the pending Secret's name is not ours")
