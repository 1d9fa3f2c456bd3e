"""Reads certificates that users supply, as PEM, DER or base64.

Users may supply any file, so a refusal names what the file is. No message holds any of its
content.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from appcredential.domain.observed.certificate import SuppliedCertificate
from appcredential.domain.secret import pem
from appcredential.domain.secret.file_forms import pem_fault, unfolded
from appcredential.domain.secret_value import SecretValue
from appcredential.errors import UnusableCertificateError
from appcredential.x509 import bounds, certificates
from appcredential.x509.chains import chains_of

_PRIVATE: Final = "PRIVATE KEY"
_CERTIFICATE_FILE: Final = "tls.crt"
_KEY_FILE: Final = "tls.key"
_SIZES: Final = (
    f"issue it with an RSA key of {bounds.MIN_BITS} to {bounds.MAX_BITS} bits, exponent 65537"
)
_UNREADABLE: Final = "cannot be read: give an X.509 certificate as PEM or DER"
_NOT_A_CERTIFICATE: Final = {
    "CERTIFICATE REQUEST": "is a certificate request: give the certificate that was issued for it",
    "NEW CERTIFICATE REQUEST": "is a certificate request: give the certificate issued for it",
    "PUBLIC KEY": "is a bare public key: give a certificate for it",
    "PKCS7": "is a PKCS #7 file: convert it with openssl pkcs7 -print_certs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """The bytes in which a source has a certificate.

    Attributes:
        content: PEM, DER, or base64 of either; alone or with its chain, in any order. The same
            with literal backslashes and n for line breaks.
        private: the private key beside it, PEM, not encrypted; None when it is elsewhere.
        name: of the file with `content`, for commands that convert it.
    """

    content: SecretValue
    private: SecretValue | None = None
    name: str = _CERTIFICATE_FILE


def read_files(files: CertificateFiles) -> SuppliedCertificate:
    """Read a certificate, with its private key if there is one beside it.

    Raises:
        UnusableCertificateError: it cannot be used; the message says why.
    """
    if files.private is None:
        return read_certificate(files.content, name=files.name)
    return read_pair(files.content, files.private, name=files.name)


def read_certificate(content: SecretValue, *, name: str = _CERTIFICATE_FILE) -> SuppliedCertificate:
    """Read a certificate whose private key is elsewhere; see `CertificateFiles`.

    Raises:
        UnusableCertificateError: Entra cannot use it; the message says why.
    """
    with _naming():
        chains = chains_of(_certificates(content, name), None)
        if not chains:
            raise UnusableCertificateError(_UNREADABLE)
        return _supplied(chains, "")


def read_pair(
    content: SecretValue, key: SecretValue, *, name: str = _CERTIFICATE_FILE
) -> SuppliedCertificate:
    """Read a certificate together with its private key; see `CertificateFiles`.

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
        chains = chains_of(_certificates(content, name), bounds.numbers_of(private))
        if not chains:
            raise UnusableCertificateError(
                "does not belong to the private key beside it: issue both together"
            )
        return _supplied(chains, text)


@contextmanager
def _naming() -> Iterator[None]:
    """Translate the errors that cryptography raises late, for odd versions, keys and names."""
    try:
        yield
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise UnusableCertificateError(_UNREADABLE) from None


def _supplied(chains: Sequence[Sequence[x509.Certificate]], private: str) -> SuppliedCertificate:
    """Return those that Entra can use, or say why it can use none of them."""
    refusals = [_refusal(chain[0]) for chain in chains]
    usable = [chain for chain, why in zip(chains, refusals, strict=True) if not why]
    if not usable:
        raise UnusableCertificateError(refusals[0])
    first, *others = (_of_chain(chain, private) for chain in usable)
    return replace(first, others=tuple(others))


def _refusal(leaf: x509.Certificate) -> str:
    """Return why Entra cannot use a certificate; empty when it can."""
    try:
        certificates.rsa_of(leaf)
    except bounds.OtherKeyError:
        return "has no RSA key, and Entra's clients sign with RSA only: issue it with an RSA key"
    except bounds.KeySizeError as exc:
        return f"{exc}: {_SIZES}"
    except bounds.KeyFormatError:
        return _UNREADABLE
    return ""


def _of_chain(chain: Sequence[x509.Certificate], private: str) -> SuppliedCertificate:
    text = "".join(c.public_bytes(serialization.Encoding.PEM).decode() for c in chain)
    return SuppliedCertificate(
        value=SecretValue(private + text),
        start=chain[0].not_valid_before_utc,
        end=chain[0].not_valid_after_utc,
    )


# --- certificates --------------------------------------------------------------------------


def _certificates(content: SecretValue, name: str) -> list[x509.Certificate]:
    raw = content.reveal().encode(errors="surrogateescape")
    if not raw.strip():
        raise UnusableCertificateError("is empty: put the certificate there")
    if len(raw) > certificates.MAX_CONTENT:
        raise UnusableCertificateError(
            f"is larger than {certificates.MAX_CONTENT // 1024} KiB: give the certificate and its "
            "chain only"
        )
    text = unfolded(content.reveal())
    if "-----BEGIN" in text:
        return _from_pem(text, name)
    return [_from_der(_undo_base64(raw), name)]


def _from_pem(text: str, name: str) -> list[x509.Certificate]:
    found = pem.blocks(text)
    if f"{_PRIVATE}-----" in text:
        raise UnusableCertificateError(
            "holds a private key where a certificate is meant: give the certificate alone, or both "
            "in a Secret of type kubernetes.io/tls"
        )
    texts = [block for label, block in found if label == pem.CERTIFICATE]
    if not texts:
        known = next((_NOT_A_CERTIFICATE[n] for n, _ in found if n in _NOT_A_CERTIFICATE), None)
        raise UnusableCertificateError(known or pem_fault(text, name) or _UNREADABLE)
    if len(texts) > certificates.MAX_CERTIFICATES:
        raise UnusableCertificateError(
            f"holds {len(texts)} certificates: give one and its chain, at most "
            f"{certificates.MAX_CERTIFICATES}"
        )
    return certificates.load_certificates(texts)


def _undo_base64(raw: bytes) -> bytes:
    """Return the DER in a base64 text, or `raw` itself when it is not base64."""
    try:
        return base64.b64decode(b"".join(raw.split()), validate=True)
    except binascii.Error:
        return raw


def _from_der(raw: bytes, name: str) -> x509.Certificate:
    try:
        return certificates.load_certificate(raw)
    except ValueError:
        fault = pem_fault(raw.decode(errors="surrogateescape"), name)
        if not fault and bounds.is_private_der(raw):
            fault = "holds a private key where a certificate is meant: give the certificate"
        raise UnusableCertificateError(fault or _UNREADABLE) from None


# --- private keys --------------------------------------------------------------------------


def _private_key(key: SecretValue) -> rsa.RSAPrivateKey:
    text = unfolded(key.reveal()) if len(key.reveal()) <= bounds.MAX_KEY else key.reveal()
    try:
        return bounds.load_rsa_key(text)
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
        fault = pem_fault(text, _KEY_FILE) or "cannot be read: store it as PEM"
        raise UnusableCertificateError(f"has a private key beside it that {fault}") from None
