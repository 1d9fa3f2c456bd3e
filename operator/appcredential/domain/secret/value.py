"""What a value is: a client secret or a certificate, with its private key or without."""

from __future__ import annotations

from collections.abc import Mapping

from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    CredentialType,
)


def type_of(value: SecretValue) -> CredentialType:
    """Return the type of the credential that a value is of."""
    is_certificate = pem.has_certificate(value.reveal())
    return CredentialType.CERTIFICATE if is_certificate else CredentialType.CLIENT_SECRET


def can_sign_in(value: SecretValue) -> bool:
    """Tell whether a value is enough to sign in; a certificate whose key is elsewhere is not."""
    text = value.reveal()
    return pem.has_private_key(text) or not pem.has_certificate(text)


def leaf_of(value: SecretValue) -> bytes | None:
    """Return the certificate itself, DER; None for what holds none."""
    try:
        return pem.leaf_der(value.reveal())
    except ValueError:
        return None


def find_value(data: Mapping[str, SecretValue], digest: str) -> SecretValue | None:
    """Return the value in T whose SHA-256 is the recorded one; None when it was lost.

    That of a certificate is key and certificate together, which T holds as `tls.key`
    and `tls.crt` whatever else it holds.
    """
    values = list(data.values())
    if "tls.key" in data and "tls.crt" in data:
        values.append(SecretValue(data["tls.key"].reveal() + data["tls.crt"].reveal()))
    return next((value for value in values if value.sha256() == digest), None)
