"""The Secret with the operator's own credential: read whole, and replaced by one PUT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from appcredential.domain.own.secret import ANNOTATION, OwnContent, OwnSecret
from appcredential.errors import NotFoundError
from appcredential.kube.client import FIELD_MANAGER, KubeClient
from appcredential.kube.secret_documents import decode_data, encode_data
from appcredential.kube.secret_store import secrets_path

_MANAGER: Final = (("fieldManager", FIELD_MANAGER),)


class KubeOwnSecrets:
    """Implements `ports.own_secret.OwnSecrets`. It never creates or deletes one.

    Args:
        namespace: the operator's own.
    """

    def __init__(self, kube: KubeClient, namespace: str) -> None:
        self._kube = kube
        self._namespace = namespace

    async def read(self, name: str) -> OwnSecret | None:
        """See `ports.own_secret.OwnSecrets`."""
        try:
            found = await self._kube.request("GET", secrets_path(self._namespace, name))
        except NotFoundError:
            return None
        return parse_own_secret(found)

    async def write(self, name: str, live: OwnSecret, wanted: OwnContent) -> None:
        """See `ports.own_secret.OwnSecrets`."""
        metadata = {
            **live.origin,
            "uid": live.uid,
            "resourceVersion": live.resource_version,
            "annotations": {**live.annotations, ANNOTATION: wanted.annotation()},
        }
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": live.type,
            "data": encode_data(wanted.data),
        }
        path = secrets_path(self._namespace, name)
        await self._kube.request("PUT", path, body=body, query=_MANAGER)


def parse_own_secret(document: Mapping[str, Any]) -> OwnSecret:
    """Read a Secret as the one with the operator's own credential."""
    metadata = document["metadata"]
    return OwnSecret(
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        type=document.get("type") or "Opaque",
        immutable=bool(document.get("immutable")),
        is_leaving="deletionTimestamp" in metadata,
        is_owned=bool(metadata.get("ownerReferences")),
        appliers=tuple(
            str(entry.get("manager"))
            for entry in metadata.get("managedFields") or ()
            if entry.get("operation") == "Apply" and entry.get("manager") != FIELD_MANAGER
        ),
        labels=dict(metadata.get("labels") or {}),
        annotations=dict(metadata.get("annotations") or {}),
        data=decode_data(document.get("data") or {}),
        origin={k: v for k, v in metadata.items() if k != "managedFields"},
    )
