"""Private keys that users supply, alone or in one file with their certificates.

Such a file is PEM with both, as `client.pem` is, or PKCS #12, as Key Vault and Windows export it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from appcredential.domain.secret import pem
from appcredential.domain.secret.file_forms import is_pfx, pem_fault, unfolded
from appcredential.domain.secret_value import SecretValue
from appcredential.errors import UnusableCertificateError
from appcredential.x509 import bounds, certificates
from appcredential.x509.pfx import open_pfx
from appcredential.x509.pfx_ciphers import PfxError, PfxPasswordError

PRIVATE: Final = "PRIVATE KEY"
UNREADABLE: Final = "cannot be read: give an X.509 certificate as PEM or DER"
SIZES: Final = (
    f"issue it with an RSA key of {bounds.MIN_BITS} to {bounds.MAX_BITS} bits, exponent 65537"
)
MAX_KEYS: Final = 10
"""Of a PKCS #12 file. Checking one takes some 0.1 s at most."""
_KEY_FILE: Final = "tls.key"
_PFX: Final = "is a PKCS #12 file (PFX)"
_NO_PASSWORD: Final = (
    "has a password: name the Secret with it in spec.certificate.passwordSecretKeyRef"
)
_WRONG_PASSWORD: Final = (
    "does not open with the password of spec.certificate.passwordSecretKeyRef: put the right one "
    "there"
)
_NOT_A_CERTIFICATE: Final = {
    "CERTIFICATE REQUEST": "is a certificate request: give the certificate that was issued for it",
    "NEW CERTIFICATE REQUEST": "is a certificate request: give the certificate issued for it",
    "PUBLIC KEY": "is a bare public key: give a certificate for it",
    "PKCS7": "is a PKCS #7 file: convert it with openssl pkcs7 -print_certs",
}


@dataclass(frozen=True, slots=True)
class Both:
    """What one file holds: usable private keys, and certificates as DER."""

    keys: Sequence[rsa.RSAPrivateKey]
    certificates: Sequence[bytes]


def read_both(content: SecretValue, password: SecretValue, name: str) -> Both | None:
    """Return keys and certificates of a file with both; None if it is no such file.

    Args:
        content: PEM, a PKCS #12 file, or base64 of either.
        password: of the PKCS #12 file; empty without one.
        name: of the file, for commands that convert it.

    Raises:
        UnusableCertificateError: it is one, and cannot be used.
    """
    raw = undo_base64(raw_of(content))
    if is_pfx(raw.decode(errors="surrogateescape")):
        return _from_pfx(raw, password.reveal(), name)
    text = unfolded(content.reveal())
    if f"{PRIVATE}-----" not in text:
        return None
    private, _ = pem.split_bundle(text)
    if not private or "ENCRYPTED" in private:
        raise UnusableCertificateError(pem_fault(text, name) or UNREADABLE)
    return Both(private_keys(SecretValue(private)), certificate_blocks(text, name))


def raw_of(content: SecretValue) -> bytes:
    """Return the bytes of a file.

    Raises:
        UnusableCertificateError: there are none, or too many.
    """
    raw = content.reveal().encode(errors="surrogateescape")
    if not raw.strip():
        raise UnusableCertificateError("is empty: put the certificate there")
    if len(raw) > certificates.MAX_CONTENT:
        raise UnusableCertificateError(
            f"is larger than {certificates.MAX_CONTENT // 1024} KiB: give the certificate and its "
            "chain only"
        )
    return raw


def undo_base64(raw: bytes) -> bytes:
    """Return what is in a base64 text, or `raw` itself when it is not base64."""
    try:
        return base64.b64decode(b"".join(raw.split()), validate=True)
    except binascii.Error:
        return raw


def certificate_blocks(text: str, name: str) -> list[bytes]:
    """Return the certificates in a PEM text, DER.

    Raises:
        UnusableCertificateError: it has none; the message says what it has.
        ValueError: one is no base64.
    """
    found = pem.blocks(text)
    texts = [block for label, block in found if label == pem.CERTIFICATE]
    if not texts:
        known = next((_NOT_A_CERTIFICATE[n] for n, _ in found if n in _NOT_A_CERTIFICATE), None)
        if known is None and any(label.endswith(PRIVATE) for label, _ in found):
            known = "has a private key and no certificate: put the certificate there, too"
        raise UnusableCertificateError(known or pem_fault(text, name) or UNREADABLE)
    return [bounds.decoded(block) for block in texts]


def _from_pfx(raw: bytes, password: str, name: str) -> Both:
    try:
        found = open_pfx(raw, password)
    except PfxPasswordError:
        what = _WRONG_PASSWORD if password else _NO_PASSWORD
        raise UnusableCertificateError(f"{_PFX} that {what}") from None
    except PfxError as exc:
        raise UnusableCertificateError(
            f"{_PFX} that {exc}: convert it with openssl pkcs12 -in {name} -nodes > plain.pem"
        ) from None
    if not found.keys or not found.certificates:
        missing = "certificate" if found.keys else "private key"
        raise UnusableCertificateError(f"{_PFX} without a {missing}: export both together")
    if len(found.keys) > MAX_KEYS:
        raise UnusableCertificateError(f"{_PFX} with more than {MAX_KEYS} private keys: export one")
    with _naming_key(""):
        keys = [bounds.load_rsa_der(key) for key in found.keys]
    return Both(keys, found.certificates)


def private_keys(key: SecretValue) -> list[rsa.RSAPrivateKey]:
    """Return the private keys of a PEM text, and of the forms that mean one.

    Raises:
        UnusableCertificateError: one cannot be used.
    """
    text = key.reveal()
    if len(text) > bounds.MAX_KEY:
        with _naming_key(text):
            return [bounds.load_rsa_key(text)]  # which refuses it
    text = unfolded(text)
    found = [block for label, block in pem.blocks(text) if label.endswith(PRIVATE)]
    with _naming_key(text):
        return [bounds.load_rsa_key(block) for block in found or [text]]


def private_pem(key: rsa.RSAPrivateKey) -> str:
    """Return a private key as PKCS #8, PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@contextmanager
def _naming_key(text: str) -> Iterator[None]:
    """Translate what is wrong with a private key; `text` is what it was read from."""
    try:
        yield
    except bounds.EncryptedKeyError:
        raise UnusableCertificateError(
            "has an encrypted private key beside it: store the key without a password"
        ) from None
    except bounds.OtherKeyError:
        raise UnusableCertificateError(
            "has a private key that is not RSA, and Entra's clients sign with RSA only: issue it "
            "with an RSA key"
        ) from None
    except bounds.KeySizeError as exc:
        raise UnusableCertificateError(f"has a private key beside it that {exc}: {SIZES}") from None
    except bounds.KeyFormatError:
        fault = pem_fault(text, _KEY_FILE) if len(text) <= bounds.MAX_KEY else ""
        raise UnusableCertificateError(
            f"has a private key beside it that {fault or 'cannot be read: store it as PEM'}"
        ) from None
