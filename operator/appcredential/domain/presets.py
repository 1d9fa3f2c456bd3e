"""Which keys the Secret gets: the names that consumers read.

AzureIdentity is what azure-identity's EnvironmentCredential takes from the
environment, and the file it reads. Raw has the names that Flux's Bucket reads;
consumers that let one name the key (KEDA, External Secrets, cert-manager) take either.
A certificate is always there as `tls.crt` and `tls.key` as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from appcredential.domain.spec import CredentialType, Preset

CLIENT_PEM: Final = "client.pem"
"""Key and certificates in one file, as azure-identity reads them."""

_TLS: Final = {"tls.crt": "$(certificate)", "tls.key": "$(privateKey)"}
_SOURCES: Final[Mapping[tuple[Preset, CredentialType], Mapping[str, str]]] = MappingProxyType(
    {
        (Preset.AZURE_IDENTITY, CredentialType.CLIENT_SECRET): {
            "AZURE_TENANT_ID": "$(tenantId)",
            "AZURE_CLIENT_ID": "$(clientId)",
            "AZURE_AUTHORITY_HOST": "$(authorityHost)",
            "AZURE_CLIENT_SECRET": "$(clientSecret)",
        },
        (Preset.AZURE_IDENTITY, CredentialType.CERTIFICATE): {
            "AZURE_TENANT_ID": "$(tenantId)",
            "AZURE_CLIENT_ID": "$(clientId)",
            "AZURE_AUTHORITY_HOST": "$(authorityHost)",
            "AZURE_CLIENT_CERTIFICATE_PATH": f"$(mountPath)/{CLIENT_PEM}",
            CLIENT_PEM: "$(privateKey)$(certificate)",
            **_TLS,
        },
        (Preset.RAW, CredentialType.CLIENT_SECRET): {
            "tenantId": "$(tenantId)",
            "clientId": "$(clientId)",
            "clientSecret": "$(clientSecret)",
            "authorityHost": "$(authorityHost)",
        },
        (Preset.RAW, CredentialType.CERTIFICATE): {
            "tenantId": "$(tenantId)",
            "clientId": "$(clientId)",
            "authorityHost": "$(authorityHost)",
            "clientCertificate": "$(privateKey)$(certificate)",
            "thumbprint": "$(thumbprint)",
            "thumbprintSHA256": "$(thumbprintSHA256)",
            **_TLS,
        },
    }
)

_SHADOWED: Final = {
    "AZURE_CLIENT_CERTIFICATE_PATH": frozenset(
        {"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD"}
    ),
}
"""By a key that we write: which others mislead the client that reads it.

azure-identity's EnvironmentCredential prefers a client secret to a certificate, and takes a
password for that of any certificate."""

PRESET_KEYS: Final[Mapping[tuple[Preset, CredentialType], tuple[str, ...]]] = MappingProxyType(
    {preset: tuple(sources) for preset, sources in _SOURCES.items()}
)
"""The keys that each preset writes for a type. `secret.data` may not contain them."""


def shadowed(keys: Iterable[str]) -> frozenset[str]:
    """Return the keys that must not stand beside these, or a client reads them instead."""
    return frozenset().union(*(_SHADOWED.get(key, frozenset()) for key in keys))


def preset_data(preset: Preset, kind: CredentialType) -> Mapping[str, str]:
    """Return the preset's keys with the templates of their values."""
    return _SOURCES[preset, kind]
