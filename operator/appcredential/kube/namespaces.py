"""Namespaces: names and labels, from their metadata alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from sys import intern
from typing import Any, Final

import msgspec

from appcredential.errors import NotFoundError, UnavailableError
from appcredential.kube.client import METADATA_LIST, METADATA_ONLY, KubeClient
from appcredential.kube.translate import raise_for_status
from appcredential.ports.namespaces import SeenNamespace

MAX_LABELS: Final = 128
"""Of a namespace with more, none is kept: a part of them could meet what all do not."""
_PATH: Final = "/api/v1/namespaces"
_SILENCE: Final = 120.0
"""Seconds. The API server sends a bookmark about once a minute."""
_PARTIAL: Final = "PartialObjectMetadata"


class _Metadata(msgspec.Struct):
    name: str = ""
    resourceVersion: str = ""  # noqa: N815 # as the API server spells it
    labels: dict[str, str] | None = None


class _Object(msgspec.Struct):
    """Partial metadata, or the `Status` of an error; all else is dropped as it is decoded."""

    kind: str = ""
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    code: int = 0
    reason: str = ""


class _Event(msgspec.Struct):
    type: str
    object: _Object


class KubeNamespaces:
    """Implements `ports.namespaces.Namespaces`."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube

    async def listed(self, see: Callable[[SeenNamespace], None]) -> str:
        """See `ports.namespaces.Namespaces`."""
        version = ""
        async for page in self._kube.lists(_PATH, (), METADATA_LIST):
            _check_partial(str(page.get("kind") or ""), f"{_PARTIAL}List")
            # All pages show one version of the cluster.
            version = version or str(page["metadata"]["resourceVersion"])
            for item in page.get("items") or ():
                see(_seen_of(item["metadata"]))
        return version

    async def changes(self, since: str, seconds: int) -> AsyncGenerator[SeenNamespace | str, None]:
        """See `ports.namespaces.Namespaces`."""
        query = (
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", since),
            ("timeoutSeconds", str(seconds)),
        )
        async for line in self._kube.lines(_PATH, query, METADATA_ONLY, _SILENCE):
            event = _decode(line)
            found = event.object
            if event.type == "ERROR":
                status = {"reason": found.reason}
                raise_for_status(found.code or 500, status, {}, f"GET {_PATH}")
            _check_partial(found.kind, _PARTIAL)
            held = found.metadata
            if event.type == "BOOKMARK":
                yield held.resourceVersion
                continue
            yield _seen(
                held.name, held.resourceVersion, held.labels or {}, is_gone=event.type == "DELETED"
            )

    async def read(self, name: str) -> SeenNamespace | None:
        """See `ports.namespaces.Namespaces`."""
        try:
            found = await self._kube.request("GET", f"{_PATH}/{name}", accept=METADATA_ONLY)
        except NotFoundError:
            return None
        return _seen_of(found["metadata"])


def _seen_of(metadata: Mapping[str, Any]) -> SeenNamespace:
    labels = metadata.get("labels") or {}
    return _seen(str(metadata["name"]), str(metadata["resourceVersion"]), labels)


def _seen(
    name: str, version: str, labels: Mapping[str, str], *, is_gone: bool = False
) -> SeenNamespace:
    """Return what is kept of a namespace; what many have in common is held once."""
    kept = None
    if len(labels) <= MAX_LABELS:
        kept = {intern(str(key)): intern(str(value)) for key, value in labels.items()}
    return SeenNamespace(name, version, kept, is_gone)


def _decode(line: bytes) -> _Event:
    try:
        return msgspec.json.decode(line, type=_Event)
    except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
        raise UnavailableError("an event of the API server cannot be read") from exc


def _check_partial(kind: str, wanted: str) -> None:
    if kind != wanted:
        raise UnavailableError("the API server sends more of namespaces than their metadata")
