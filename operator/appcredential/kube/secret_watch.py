"""Lists and watches of Secrets with our label: names and versions, never what they hold.

The API server is asked for metadata alone. An answer of any other form is given up, and nothing of
it is kept.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Final

import msgspec

from appcredential.domain.secret.content import MANAGED_BY, MANAGER
from appcredential.errors import UnavailableError
from appcredential.kube.client import METADATA_LIST, METADATA_ONLY, KubeClient
from appcredential.kube.translate import raise_for_status
from appcredential.ports.versions import SeenSecret

_OURS: Final = (
    ("labelSelector", f"{MANAGED_BY}={MANAGER}"),
    ("fieldSelector", "type=Opaque"),  # what is published; pending Secrets are of another type
)
_SILENCE: Final = 120.0
"""Seconds. The API server sends a bookmark about once a minute."""
_PARTIAL: Final = "PartialObjectMetadata"


class _Metadata(msgspec.Struct):
    name: str = ""
    namespace: str = ""
    resourceVersion: str = ""  # noqa: N815 # as the API server spells it


class _Object(msgspec.Struct):
    """Partial metadata, or the `Status` of an error; all else is dropped as it is decoded."""

    kind: str = ""
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    code: int = 0
    reason: str = ""


class _Event(msgspec.Struct):
    type: str
    object: _Object


class KubeSecretVersions:
    """Implements `ports.SecretVersions`."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube

    async def listed(self, namespace: str, see: Callable[[SeenSecret], None]) -> str:
        """See `ports.SecretVersions`."""
        version = ""
        async for page in self._kube.lists(_path(namespace), _OURS, METADATA_LIST):
            _check_partial(str(page.get("kind") or ""), f"{_PARTIAL}List")
            # All pages show one version of the cluster.
            version = version or str(page["metadata"]["resourceVersion"])
            for item in page.get("items") or ():
                metadata = item["metadata"]
                see(
                    SeenSecret(metadata["namespace"], metadata["name"], metadata["resourceVersion"])
                )
        return version

    async def changes(
        self, namespace: str, since: str, seconds: int
    ) -> AsyncGenerator[SeenSecret | str, None]:
        """See `ports.SecretVersions`."""
        path = _path(namespace)
        query = (
            *_OURS,
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", since),
            ("timeoutSeconds", str(seconds)),
        )
        async for line in self._kube.lines(path, query, METADATA_ONLY, _SILENCE):
            event = _decode(line)
            found = event.object
            if event.type == "ERROR":
                status = {"reason": found.reason}
                raise_for_status(found.code or 500, status, {}, f"GET {path}")
            _check_partial(found.kind, _PARTIAL)
            version = found.metadata.resourceVersion
            if event.type == "BOOKMARK":
                yield version
                continue
            is_gone = event.type == "DELETED"
            yield SeenSecret(found.metadata.namespace, found.metadata.name, version, is_gone)


def _path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets" if namespace else "/api/v1/secrets"


def _decode(line: bytes) -> _Event:
    try:
        return msgspec.json.decode(line, type=_Event)
    except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
        raise UnavailableError("an event of the API server cannot be read") from exc


def _check_partial(kind: str, wanted: str) -> None:
    if kind != wanted:
        raise UnavailableError("the API server sends more of Secrets than their metadata")
