"""Secrets and ConfigMaps that users name: read by name, and again only when they changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from appcredential.domain.secret_value import SecretValue
from appcredential.errors import NotFoundError
from appcredential.kube.client import METADATA_ONLY, KubeClient
from appcredential.kube.secret_documents import decode_data
from appcredential.ports.certificate_sources import InputKind, InputObject

_PLURALS: Final = {InputKind.SECRET: "secrets", InputKind.CONFIG_MAP: "configmaps"}


class KubeInputs:
    """Implements `ports.Inputs` by GET alone."""

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube

    async def read(
        self, kind: InputKind, namespace: str, name: str, held: InputObject | None
    ) -> InputObject | None:
        """See `ports.Inputs`."""
        path = f"/api/v1/namespaces/{namespace}/{_PLURALS[kind]}/{name}"
        try:
            if held is not None and await self._version(path) == held.version:
                return held
            found = await self._kube.request("GET", path)
        except NotFoundError:
            return None
        return InputObject(version=_version(found), data=_data(kind, found))

    async def _version(self, path: str) -> str:
        """Return its version without its data on the wire."""
        return _version(await self._kube.request("GET", path, accept=METADATA_ONLY))


def _version(found: Mapping[str, Any]) -> str:
    return f"{found['metadata']['uid']}/{found['metadata']['resourceVersion']}"


def _data(kind: InputKind, found: Mapping[str, Any]) -> dict[str, SecretValue]:
    if kind is InputKind.SECRET:
        return decode_data(found.get("data") or {})
    texts = {key: SecretValue(text) for key, text in (found.get("data") or {}).items()}
    return texts | decode_data(found.get("binaryData") or {})
