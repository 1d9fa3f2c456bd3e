"""Which keys the Secret gets: the names that consumers read.

AzureIdentity is what azure-identity's EnvironmentCredential takes from the
environment. Raw has the names that Flux's Bucket reads; consumers that let one
name the key (KEDA, External Secrets, cert-manager) take either.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from appcredential.domain.spec import Preset

_SOURCES: Final[Mapping[Preset, Mapping[str, str]]] = MappingProxyType(
    {
        Preset.AZURE_IDENTITY: MappingProxyType(
            {
                "AZURE_TENANT_ID": "tenantId",
                "AZURE_CLIENT_ID": "clientId",
                "AZURE_AUTHORITY_HOST": "authorityHost",
                "AZURE_CLIENT_SECRET": "clientSecret",
            }
        ),
        Preset.RAW: MappingProxyType(
            {
                "tenantId": "tenantId",
                "clientId": "clientId",
                "clientSecret": "clientSecret",
                "authorityHost": "authorityHost",
            }
        ),
    }
)

PRESET_KEYS: Final[Mapping[Preset, tuple[str, ...]]] = MappingProxyType(
    {preset: tuple(sources) for preset, sources in _SOURCES.items()}
)
"""The keys that each preset writes. `secret.data` may not contain them."""


def preset_data(preset: Preset, values: Mapping[str, str]) -> dict[str, str]:
    """Return the preset's keys with their values.

    Args:
        preset: which names the consumer reads.
        values: a value for each of `templates.TEMPLATE_NAMES`.
    """
    return {key: values[source] for key, source in _SOURCES[preset].items()}
