"""`spec.certificate`, as immutable values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DEFAULT_KEY_SIZE = 2048


class CertificateSource(StrEnum):
    """`spec.certificate.source`: where key and certificate come from."""

    GENERATE = "Generate"
    SECRET = "Secret"
    CONFIG_MAP = "ConfigMap"
    INLINE = "Inline"

    @property
    def field(self) -> str:
        """The field that says more about this source; `spec.certificate` itself for Generate."""
        return "spec.certificate" + _FIELDS.get(self, "")


_FIELDS: Final = {
    CertificateSource.SECRET: ".secretKeyRef",
    CertificateSource.CONFIG_MAP: ".configMapKeyRef",
    CertificateSource.INLINE: ".inline",
}


class KeystoreProfile(StrEnum):
    """`spec.certificate.keystore.pkcs12.profile`, by cert-manager's names."""

    MODERN = "Modern2023"
    """AES-256 under PBES2, HMAC with SHA-256."""
    LEGACY_DES = "LegacyDES"
    """Triple DES under RFC 7292's own scheme, HMAC with SHA-1: for readers that know no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRef:
    """A key of a Secret or ConfigMap in the resource's own namespace."""

    name: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSpec:
    """`spec.certificate`.

    Attributes:
        subject: the distinguished name; made from namespace and name when empty.
        ref: where the certificate is, for the sources Secret and ConfigMap.
        source_password: where the password of a PKCS #12 file at `ref` is; None without one.
        inline: the certificate itself, for the source Inline.
        keystore_password: where the PKCS #12 file's password is; None when no file is wanted.
        keystore_profile: how that file is encrypted.
    """

    source: CertificateSource = CertificateSource.GENERATE
    key_size: int = DEFAULT_KEY_SIZE
    subject: str = ""
    ref: KeyRef | None = None
    source_password: KeyRef | None = None
    inline: str = ""
    keystore_password: KeyRef | None = None
    keystore_profile: KeystoreProfile = KeystoreProfile.MODERN
