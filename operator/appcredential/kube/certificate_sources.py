"""Secrets and ConfigMaps that users name: read by name, and again only when they changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from appcredential.domain.secret_value import SecretValue
from appcredential.errors import NotFoundError
from appcredential.kube.client import METADATA_ONLY, KubeClient
from appcredential.kube.secret_documents import decode_data
from appcredential.kube.versions import version_of
from appcredential.ports.certificate_sources import InputKind, InputObject

_PLURALS: Final = {InputKind.SECRET: "secrets", InputKind.CONFIG_MAP: "configmaps"}


class KubeInputs:
    """Implements `ports.Inputs` by GET alone."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube

    async def version(self, kind: InputKind, namespace: str, name: str) -> str | None:
        """See `ports.Inputs`."""
        path = _path(kind, namespace, name)
        try:
            return version_of(await self._kube.request("GET", path, accept=METADATA_ONLY))
        except NotFoundError:
            return None

    async def read(
        self, kind: InputKind, namespace: str, name: str, keys: Collection[str]
    ) -> InputObject | None:
        """See `ports.Inputs`."""
        try:
            found = await self._kube.request("GET", _path(kind, namespace, name))
        except NotFoundError:
            return None
        metadata = found["metadata"]
        return InputObject(
            version=version_of(found),
            type=(found.get("type") or "Opaque") if kind is InputKind.SECRET else "",
            labels=metadata.get("labels") or {},
            annotations=metadata.get("annotations") or {},
            data=_data(kind, found, keys),
        )


def _path(kind: InputKind, namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/{_PLURALS[kind]}/{name}"


def _data(
    kind: InputKind, found: Mapping[str, Any], keys: Collection[str]
) -> dict[str, SecretValue]:
    data, binary = (
        {key: text for key, text in (found.get(member) or {}).items() if key in keys}
        for member in ("data", "binaryData")
    )
    if kind is InputKind.SECRET:
        return decode_data(data)
    return {key: SecretValue(text) for key, text in data.items()} | decode_data(binary)
