"""Reads certificates that users supply, as PEM, DER or base64.

Users may supply any file, so a refusal names what the file is. No message holds any of its
content.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from appcredential.domain.observed.certificate import SuppliedCertificate
from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.errors import UnusableCertificateError
from appcredential.x509 import bounds, certificates
from appcredential.x509.bounds import PublicNumbers

_PRIVATE: Final = "PRIVATE KEY"
_SIZES: Final = (
    f"issue it with an RSA key of {bounds.MIN_BITS} to {bounds.MAX_BITS} bits, exponent 65537"
)
_NOT_A_CERTIFICATE: Final = {
    "CERTIFICATE REQUEST": "is a certificate request: give the certificate that was issued for it",
    "NEW CERTIFICATE REQUEST": "is a certificate request: give the certificate issued for it",
    "PUBLIC KEY": "is a bare public key: give a certificate for it",
    "PKCS7": "is a PKCS #7 file: convert it with openssl pkcs7 -print_certs",
}


def read_certificate(content: SecretValue) -> SuppliedCertificate:
    """Read a certificate whose private key is elsewhere.

    Args:
        content: PEM, DER, or base64 of DER; alone or with its chain, in any order.

    Raises:
        UnusableCertificateError: Entra cannot use it; the message says why.
    """
    with _naming():
        return _supplied(_chain(_certificates(content), None), "")


def read_pair(content: SecretValue, key: SecretValue) -> SuppliedCertificate:
    """Read a certificate together with its private key.

    Args:
        content: as for `read_certificate`.
        key: PEM, not encrypted.

    Raises:
        UnusableCertificateError: either cannot be used, or they do not belong together.
    """
    private = _private_key(key)
    text = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    with _naming():
        return _supplied(_chain(_certificates(content), bounds.numbers_of(private)), text)


@contextmanager
def _naming() -> Iterator[None]:
    """Translate the errors that cryptography raises late, for odd versions, keys and names."""
    try:
        yield
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise UnusableCertificateError(_UNREADABLE) from None


def _supplied(chain: Sequence[x509.Certificate], private: str) -> SuppliedCertificate:
    leaf = chain[0]
    try:
        certificates.rsa_of(leaf)
    except bounds.OtherKeyError:
        raise UnusableCertificateError(
            "has no RSA key, and Entra's clients sign with RSA only: issue it with an RSA key"
        ) from None
    except bounds.KeySizeError as exc:
        raise UnusableCertificateError(f"{exc}: {_SIZES}") from None
    text = "".join(c.public_bytes(serialization.Encoding.PEM).decode() for c in chain)
    return SuppliedCertificate(
        value=SecretValue(private + text),
        start=leaf.not_valid_before_utc,
        end=leaf.not_valid_after_utc,
    )


# --- certificates --------------------------------------------------------------------------


def _certificates(content: SecretValue) -> list[x509.Certificate]:
    raw = content.reveal().encode(errors="surrogateescape")
    if not raw.strip():
        raise UnusableCertificateError("is empty: put the certificate there")
    if len(raw) > certificates.MAX_CONTENT:
        raise UnusableCertificateError(
            f"is larger than {certificates.MAX_CONTENT // 1024} KiB: give the certificate and its "
            "chain only"
        )
    if b"-----BEGIN" in raw:
        return _from_pem(raw.decode(errors="replace"))
    return [_from_der(_undo_base64(raw))]


def _from_pem(text: str) -> list[x509.Certificate]:
    found = pem.blocks(text)
    if f"{_PRIVATE}-----" in text:
        raise UnusableCertificateError(
            "holds a private key where a certificate is meant: give the certificate alone, or both "
            "in a Secret of type kubernetes.io/tls"
        )
    texts = [block for label, block in found if label == pem.CERTIFICATE]
    if not texts:
        known = next((_NOT_A_CERTIFICATE[n] for n, _ in found if n in _NOT_A_CERTIFICATE), None)
        raise UnusableCertificateError(known or _UNREADABLE)
    if len(texts) > certificates.MAX_CERTIFICATES:
        raise UnusableCertificateError(
            f"holds {len(texts)} certificates: give one and its chain, at most "
            f"{certificates.MAX_CERTIFICATES}"
        )
    return certificates.load_certificates(texts)


_UNREADABLE: Final = "cannot be read: give an X.509 certificate as PEM or DER"


def _undo_base64(raw: bytes) -> bytes:
    """Return the DER in a base64 text, or `raw` itself when it is not base64."""
    try:
        return base64.b64decode(b"".join(raw.split()), validate=True)
    except binascii.Error:
        return raw


def _from_der(raw: bytes) -> x509.Certificate:
    try:
        return certificates.load_certificate(raw)
    except ValueError:
        if bounds.is_private_der(raw):
            raise UnusableCertificateError(
                "holds a private key where a certificate is meant: give the certificate"
            ) from None
        raise UnusableCertificateError(_UNREADABLE) from None


@dataclass(frozen=True, slots=True)
class _Named:
    """A certificate with its names, which the library parses anew each time it is asked."""

    certificate: x509.Certificate
    subject: x509.Name
    issuer: x509.Name


def _chain(found: list[x509.Certificate], public: PublicNumbers | None) -> list[x509.Certificate]:
    """Return the leaf and then its issuers, from any order."""
    rest = [_Named(c, c.subject, c.issuer) for c in dict.fromkeys(found)]
    chain = [_leaf(rest) if public is None else _leaf_of(rest, public)]
    while True:
        rest.remove(chain[-1])
        issuer = next((c for c in rest if c.subject == chain[-1].issuer), None)
        if issuer is None:
            return [c.certificate for c in chain]
        chain.append(issuer)


def _leaf(found: list[_Named]) -> _Named:
    """Return the certificate that issued none of the others."""
    leaves = [
        c
        for c in found
        # A certificate of the same name is not its issuer, but for instance its successor.
        if not any(o.issuer == c.subject and o.subject != c.subject for o in found if o is not c)
    ]
    if len(leaves) > 1:
        raise UnusableCertificateError(
            f"holds {len(leaves)} leaf certificates: keep the one that the application is to have"
        )
    if not leaves:
        raise UnusableCertificateError(_UNREADABLE)
    return leaves[0]


def _leaf_of(found: list[_Named], public: PublicNumbers) -> _Named:
    """Return the certificate that was issued for a key."""
    leaves = [c for c in found if _has_key(c.certificate, public)]
    if not leaves:
        raise UnusableCertificateError(
            "does not belong to the private key beside it: issue both together"
        )
    if len(leaves) > 1:
        raise UnusableCertificateError(
            f"holds {len(leaves)} certificates for the private key: keep the current one"
        )
    return leaves[0]


def _has_key(certificate: x509.Certificate, public: PublicNumbers) -> bool:
    try:
        return certificates.rsa_of(certificate) == public
    except bounds.KeyFormatError:
        return False  # an issuer may have any key


# --- private keys --------------------------------------------------------------------------


def _private_key(key: SecretValue) -> rsa.RSAPrivateKey:
    try:
        return bounds.load_rsa_key(key.reveal())
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
        raise UnusableCertificateError(
            f"has a private key beside it that {exc}: {_SIZES}"
        ) from None
    except bounds.KeyFormatError:
        raise UnusableCertificateError(
            "has a private key beside it that cannot be read: store it as PEM"
        ) from None
