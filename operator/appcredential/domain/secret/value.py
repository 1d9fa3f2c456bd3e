"""What a value is: a client secret, or a certificate with or without its private key."""

from __future__ import annotations

from collections.abc import Mapping

from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import CredentialType


def type_of(value: SecretValue) -> CredentialType:
    """Return the type of credential that a value belongs to."""
    is_certificate = pem.has_certificate(value.reveal())
    return CredentialType.CERTIFICATE if is_certificate else CredentialType.CLIENT_SECRET


def can_sign_in(value: SecretValue) -> bool:
    """Return whether a value can sign in: a certificate cannot without its private key."""
    text = value.reveal()
    return pem.has_private_key(text) or not pem.has_certificate(text)


def leaf_of(value: SecretValue) -> bytes | None:
    """Return the certificate itself, DER; None without one."""
    try:
        return pem.leaf_der(value.reveal())
    except ValueError:
        return None


def may_be(value: SecretValue, shown: str) -> bool:
    """Return whether what Entra shows of a credential (`Credential.shown`) fits a value."""
    if not shown:
        return True
    der = leaf_of(value)
    if der is not None:
        return pem.sha1_thumbprint(der) == shown
    return value.reveal().startswith(shown)


def find_value(data: Mapping[str, SecretValue], digest: str) -> SecretValue | None:
    """Return the value in the target Secret with the recorded SHA-256; None when it is lost.

    The value of a certificate is its key and its chain together. The target Secret always
    holds them as `tls.key` and `tls.crt`.
    """
    values = list(data.values())
    if "tls.key" in data and "tls.crt" in data:
        values.append(SecretValue(data["tls.key"].reveal() + data["tls.crt"].reveal()))
    return next((value for value in values if value.sha256() == digest), None)
