"""Microsoft's own services as resources of tokens: their appIds and identifier URIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SERVICES: Final[Mapping[str, str]] = {
    "https://management.azure.com": "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    "https://management.core.windows.net": "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    "https://vault.azure.net": "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
    "https://storage.azure.com": "e406a681-f3d4-42a8-90b6-c2b029497af1",
    "https://servicebus.azure.net": "80a10ef9-8168-493d-abf9-3297c4ef6e3c",
    "https://eventhubs.azure.net": "80369ed6-5f11-4dd9-bef3-692475845e77",
    "https://database.windows.net": "022907d3-0f1b-48f7-badc-1ba6abab6d66",
    "https://ossrdbms-aad.database.windows.net": "123cd850-d9df-40bd-94d5-c9f07b7fa203",
    "https://azconfig.io": "35ffadb3-7fc1-497e-b61b-381d28e744cc",
}
"""Identifier URI to appId, in the public cloud; these services have a principal in every tenant."""


class Services:
    """The services that tokens may be for; a seed adds others."""

    def __init__(self) -> None:
        self._ids = dict(SERVICES)

    def add(self, app_id: str, uris: tuple[str, ...]) -> None:
        """Add a service, or further identifier URIs of one."""
        self._ids[app_id] = app_id
        self._ids.update(dict.fromkeys(uris, app_id))

    def find(self, name: str) -> str | None:
        """Return the appId of the service with that identifier URI or appId."""
        return self._ids.get(name) or (name if name in self._ids.values() else None)
