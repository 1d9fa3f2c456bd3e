"""Lists and watches of Secrets with our label: names and versions, never what they hold."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Final

from appcredential.domain.secret.content import MANAGED_BY, MANAGER
from appcredential.kube.client import KubeClient
from appcredential.kube.metadata import KubeMetadata, Metadata
from appcredential.ports.versions import SeenSecret

_OURS: Final = (
    ("labelSelector", f"{MANAGED_BY}={MANAGER}"),
    ("fieldSelector", "type=Opaque"),  # what is published; pending Secrets are of another type
)


class KubeSecretVersions:
    """Implements `ports.SecretVersions`."""

    def __init__(self, kube: KubeClient) -> None:
        self._metadata = KubeMetadata(kube, "Secrets")

    async def listed(self, namespace: str, see: Callable[[SeenSecret], None]) -> str:
        """See `ports.SecretVersions`."""
        return await self._metadata.listed(_path(namespace), _OURS, lambda m: see(_seen(m)))

    async def changes(
        self, namespace: str, since: str, seconds: int
    ) -> AsyncGenerator[SeenSecret | str, None]:
        """See `ports.SecretVersions`."""
        async for one in self._metadata.changes(_path(namespace), _OURS, since, seconds):
            yield one if isinstance(one, str) else _seen(*one)


def _path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets" if namespace else "/api/v1/secrets"


def _seen(metadata: Metadata, is_gone: bool = False) -> SeenSecret:
    return SeenSecret(metadata.namespace, metadata.name, metadata.resourceVersion, is_gone)
