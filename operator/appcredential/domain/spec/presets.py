"""Which keys the Secret gets: the names that consumers read.

AzureIdentity has the variables of azure-identity's EnvironmentCredential, and the file that it
reads. Raw has the names that Flux's Bucket reads; consumers with a configurable key (KEDA,
External Secrets, cert-manager) read either. Terraform has the variables of azurerm, azuread
and azapi (which before July 2026 reads a certificate of profile LegacyDES only),
MicrosoftIdentityWeb the configuration of ASP.NET Core, and Grafana that of its Entra sign-in.

A certificate is always present as `tls.crt` and `tls.key` as well, and with a keystore as
`keystore.p12`. If only others have the private key, no key that needs it is written. The
password of that file is in a Secret of the user's and never copied: a reference to it must not
become a way to read another Secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, assert_never

from appcredential.domain.spec.model import CredentialType
from appcredential.domain.spec.secret import Preset
from appcredential.domain.spec.templates import KEYSTORE_NAMES, names_in

CLIENT_PEM: Final = "client.pem"
"""Private key and certificates in one file, as azure-identity reads them."""

KEYSTORE: Final = "keystore.p12"
"""The PKCS #12 file, with cert-manager's name for it."""

KEYSTORE_PRESETS: Final = frozenset({Preset.TERRAFORM, Preset.MICROSOFT_IDENTITY_WEB})
"""The presets whose consumers read a certificate only from a PKCS #12 file."""

PRIVATE_NAMES: Final = frozenset({"privateKey", "jwk", *KEYSTORE_NAMES})
"""The names that exist only together with the private key."""

_TLS: Final = {"tls.crt": "$(certificate)", "tls.key": "$(privateKey)"}
_ENTRA: Final = "$(authorityHost)/$(tenantId)/oauth2/v2.0"
_AZURE: Final = {
    "AZURE_TENANT_ID": "$(tenantId)",
    "AZURE_CLIENT_ID": "$(clientId)",
    "AZURE_AUTHORITY_HOST": "$(authorityHost)",
}
_RAW: Final = {
    "tenantId": "$(tenantId)",
    "clientId": "$(clientId)",
    "authorityHost": "$(authorityHost)",
}
_ARM: Final = {
    "ARM_TENANT_ID": "$(tenantId)",
    "ARM_CLIENT_ID": "$(clientId)",
    "ARM_ENVIRONMENT": "$(azureEnvironment)",
}
_WEB: Final = {
    "AzureAd__Instance": "$(authorityHost)/",
    "AzureAd__TenantId": "$(tenantId)",
    "AzureAd__ClientId": "$(clientId)",
}
_WEB_CREDENTIAL: Final = "AzureAd__ClientCredentials__0__"
_SECRET_KEYS: Final[Mapping[Preset, Mapping[str, str]]] = {
    Preset.AZURE_IDENTITY: {
        **_AZURE,
        "AZURE_CLIENT_SECRET": "$(clientSecret)",
    },
    Preset.RAW: {**_RAW, "clientSecret": "$(clientSecret)"},
    Preset.TERRAFORM: {
        **_ARM,
        "ARM_CLIENT_SECRET": "$(clientSecret)",
    },
    Preset.MICROSOFT_IDENTITY_WEB: {
        **_WEB,
        f"{_WEB_CREDENTIAL}SourceType": "ClientSecret",
        f"{_WEB_CREDENTIAL}ClientSecret": "$(clientSecret)",
    },
    Preset.GRAFANA: {
        "GF_AUTH_AZUREAD_CLIENT_ID": "$(clientId)",
        "GF_AUTH_AZUREAD_CLIENT_SECRET": "$(clientSecret)",
        "GF_AUTH_AZUREAD_AUTH_URL": f"{_ENTRA}/authorize",
        "GF_AUTH_AZUREAD_TOKEN_URL": f"{_ENTRA}/token",
        "GF_AUTH_AZUREAD_CLIENT_AUTHENTICATION": "client_secret_post",
    },
}
_CERTIFICATE_KEYS: Final[Mapping[Preset, Mapping[str, str]]] = {
    Preset.AZURE_IDENTITY: {
        **_AZURE,
        "AZURE_CLIENT_CERTIFICATE_PATH": f"$(mountPath)/{CLIENT_PEM}",
        CLIENT_PEM: "$(privateKey)$(certificate)",
        **_TLS,
    },
    Preset.RAW: {
        **_RAW,
        "clientCertificate": "$(privateKey)$(certificate)",
        "thumbprint": "$(thumbprint)",
        "thumbprintSHA256": "$(thumbprintSHA256)",
        "x5t": "$(x5t)",
        "x5tS256": "$(x5tS256)",
        **_TLS,
    },
    Preset.TERRAFORM: {
        **_ARM,
        "ARM_CLIENT_CERTIFICATE": "$(pkcs12:base64)",
        **_TLS,
    },
    Preset.MICROSOFT_IDENTITY_WEB: {
        **_WEB,
        f"{_WEB_CREDENTIAL}SourceType": "Path",
        f"{_WEB_CREDENTIAL}CertificateDiskPath": f"$(mountPath)/{KEYSTORE}",
        **_TLS,
    },
}


def _keys(kind: CredentialType) -> Mapping[Preset, Mapping[str, str]]:
    match kind:
        case CredentialType.CLIENT_SECRET:
            return _SECRET_KEYS
        case CredentialType.CERTIFICATE:
            return _CERTIFICATE_KEYS
        case CredentialType.FEDERATED_IDENTITY:
            return {}
        case _:
            assert_never(kind)


_SHADOWED: Final = (
    (
        frozenset({"AZURE_CLIENT_ID", "tls.crt"}),
        frozenset({"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD"}),
    ),
    (frozenset({"ARM_CLIENT_ID", "tls.crt"}), frozenset({"ARM_CLIENT_SECRET"})),
    (
        frozenset({"ARM_CLIENT_SECRET"}),
        frozenset({"ARM_CLIENT_CERTIFICATE", "ARM_CLIENT_CERTIFICATE_PASSWORD"}),
    ),
)
"""Sets of keys that we write, each with the keys that would mislead a client next to them.

azure-identity's EnvironmentCredential prefers a client secret to a certificate, and applies a
password to any certificate. Terraform's providers do not agree on what they prefer.
"""

PRESET_KEYS: Final[Mapping[tuple[Preset, CredentialType], tuple[str, ...]]] = MappingProxyType(
    {
        (preset, kind): (*keys, *((KEYSTORE,) if kind.is_certificate else ()))
        for kind in CredentialType
        for preset, keys in _keys(kind).items()
    }
)
"""The keys that each preset may write for a type. `secret.data` may not contain them."""


def shadowed(keys: Iterable[str]) -> frozenset[str]:
    """Return the keys that must not be next to these, or a client reads them instead."""
    written = frozenset(keys)
    return frozenset().union(*(others for ours, others in _SHADOWED if ours <= written))


def preset_data(
    preset: Preset, kind: CredentialType, *, keystore: bool = False, private: bool = True
) -> Mapping[str, str]:
    """Return the keys to write with the templates of their values.

    Args:
        preset: the spec's.
        kind: of the credential.
        keystore: whether the Secret has a PKCS #12 file.
        private: whether the private key is available.
    """
    wanted = {**_keys(kind)[preset], **({KEYSTORE: "$(pkcs12)"} if keystore else {})}
    if private:
        return wanted
    return {k: text for k, text in wanted.items() if k not in _NEED_KEY and not _is_private(text)}


_NEED_KEY: Final = frozenset({"AZURE_CLIENT_CERTIFICATE_PATH"})
"""Keys that point to a file with the private key."""


def _is_private(text: str) -> bool:
    return bool(names_in(text, CredentialType.CERTIFICATE) & PRIVATE_NAMES)
