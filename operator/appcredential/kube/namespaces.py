"""Namespaces: names and labels, from their metadata alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from sys import intern
from typing import Final

from appcredential.errors import NotFoundError
from appcredential.kube.client import KubeClient
from appcredential.kube.metadata import KubeMetadata, Metadata
from appcredential.ports.namespaces import SeenNamespace

MAX_LABELS: Final = 128
"""Of a namespace with more, none is kept: a part of them could meet what all do not."""
_PATH: Final = "/api/v1/namespaces"


class KubeNamespaces:
    """Implements `ports.namespaces.Namespaces`."""

    def __init__(self, kube: KubeClient) -> None:
        self._metadata = KubeMetadata(kube, "namespaces")

    async def listed(self, see: Callable[[SeenNamespace], None]) -> str:
        """See `ports.namespaces.Namespaces`."""
        return await self._metadata.listed(_PATH, (), lambda m: see(_seen(m)))

    async def changes(self, since: str, seconds: int) -> AsyncGenerator[SeenNamespace | str, None]:
        """See `ports.namespaces.Namespaces`."""
        async for one in self._metadata.changes(_PATH, (), since, seconds):
            yield one if isinstance(one, str) else _seen(*one)

    async def read(self, name: str) -> SeenNamespace | None:
        """See `ports.namespaces.Namespaces`."""
        try:
            return _seen(await self._metadata.read(f"{_PATH}/{name}"))
        except NotFoundError:
            return None


def _seen(metadata: Metadata, is_gone: bool = False) -> SeenNamespace:
    """Return what is kept of a namespace; what many have in common is held once."""
    labels, kept = metadata.labels or {}, None
    if len(labels) <= MAX_LABELS:
        kept = {intern(str(key)): intern(str(value)) for key, value in labels.items()}
    return SeenNamespace(metadata.name, metadata.resourceVersion, kept, is_gone)
