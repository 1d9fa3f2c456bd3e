"""Lists and watches of objects by their metadata alone: names, versions and labels.

An answer of any other form is given up, and nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from appcredential.errors import UnavailableError
from appcredential.kube.client import METADATA_LIST, METADATA_ONLY, KubeClient
from appcredential.kube.translate import raise_for_status

_SILENCE: Final = 120.0
"""Seconds. The API server sends a bookmark about once a minute."""
_PARTIAL: Final = "PartialObjectMetadata"

Query: TypeAlias = tuple[tuple[str, str], ...]


class Metadata(msgspec.Struct):
    """What is kept of an object's metadata; all else is dropped as it is decoded."""

    name: str = ""
    namespace: str = ""
    resourceVersion: str = ""  # noqa: N815 # as the API server spells it
    labels: dict[str, str] | None = None


class _Object(msgspec.Struct):
    """Partial metadata, or the `Status` of an error."""

    kind: str = ""
    metadata: Metadata = msgspec.field(default_factory=Metadata)
    code: int = 0
    reason: str = ""


class _Event(msgspec.Struct):
    type: str
    object: _Object


class KubeMetadata:
    """Asks the API server for metadata.

    Args:
        what: the kind in the plural, for errors: `Secrets`.
    """

    def __init__(self, kube: KubeClient, what: str) -> None:
        self._kube = kube
        self._what = what

    async def listed(self, path: str, query: Query, see: Callable[[Metadata], None]) -> str:
        """Show each object of a list; return the version that a watch goes on from.

        Raises:
            PermissionDeniedError, RejectedError, UnavailableError: there is no whole list.
        """
        version = ""
        async for page in self._kube.lists(path, query, METADATA_LIST):
            self._check(str(page.get("kind") or ""), f"{_PARTIAL}List")
            # All pages show one version of the cluster.
            version = version or str(page["metadata"]["resourceVersion"])
            for item in page.get("items") or ():
                see(_of_item(item["metadata"]))
        return version

    async def changes(
        self, path: str, query: Query, since: str, seconds: int
    ) -> AsyncGenerator[tuple[Metadata, bool] | str, None]:
        """Yield each object that changes and whether it is gone, or the version of a bookmark.

        Raises:
            PermissionDeniedError, RejectedError, UnavailableError: the watch ended by an error.
        """
        watched = (
            *query,
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", since),
            ("timeoutSeconds", str(seconds)),
        )
        async for line in self._kube.lines(path, watched, METADATA_ONLY, _SILENCE):
            event = _decode(line)
            found = event.object
            if event.type == "ERROR":
                status = {"reason": found.reason}
                raise_for_status(found.code or 500, status, {}, f"GET {path}")
            self._check(found.kind, _PARTIAL)
            if event.type == "BOOKMARK":
                yield found.metadata.resourceVersion
            else:
                yield found.metadata, event.type == "DELETED"

    async def read(self, path: str) -> Metadata:
        """Return one object's metadata.

        Raises:
            NotFoundError, PermissionDeniedError, UnavailableError: it cannot be read.
        """
        found = await self._kube.request("GET", path, accept=METADATA_ONLY)
        return _of_item(found["metadata"])

    def _check(self, kind: str, wanted: str) -> None:
        if kind != wanted:
            raise UnavailableError(f"the API server sends more of {self._what} than their metadata")


def _of_item(item: Mapping[str, Any]) -> Metadata:
    return Metadata(
        name=str(item["name"]),
        namespace=str(item.get("namespace") or ""),
        resourceVersion=str(item["resourceVersion"]),
        labels=item.get("labels"),
    )


def _decode(line: bytes) -> _Event:
    try:
        return msgspec.json.decode(line, type=_Event)
    except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
        raise UnavailableError("an event of the API server cannot be read") from exc
