"""Reads certificates that users supply, as PEM, DER or base64.

Users may supply any file, so a refusal names what the file is. No message holds any of its
content.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from appcredential.domain.observed.certificate import SuppliedCertificate
from appcredential.domain.secret.file_forms import is_pfx, pem_fault, unfolded
from appcredential.domain.secret_value import SecretValue
from appcredential.errors import UnusableCertificateError
from appcredential.x509 import bounds, certificates
from appcredential.x509.both import (
    PRIVATE,
    SIZES,
    UNREADABLE,
    certificate_blocks,
    private_keys,
    private_pem,
    raw_of,
    read_both,
    undo_base64,
)
from appcredential.x509.bounds import numbers_of
from appcredential.x509.chains import chains_of

_CERTIFICATE_FILE: Final = "tls.crt"
_Offer: TypeAlias = tuple[str, Sequence[x509.Certificate]]
"""A private key as PEM, empty when it is elsewhere, and a chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """The bytes in which a source has a certificate.

    Attributes:
        content: PEM, DER, or base64 of either; alone or with its chain, in any order. The same
            with literal backslashes and n for line breaks.
        private: the private key beside it, PEM, not encrypted; None when it is elsewhere.
        may_hold_key: whether `content` may hold the private key as well: PEM with both, or a
            PKCS #12 file or base64 of one.
        password: of that file; empty without one.
        name: of the file with `content`, for commands that convert it.
    """

    content: SecretValue
    private: SecretValue | None = None
    may_hold_key: bool = False
    password: SecretValue = field(default_factory=lambda: SecretValue(""))
    name: str = _CERTIFICATE_FILE


def read_files(files: CertificateFiles) -> SuppliedCertificate:
    """Read a certificate, with its private key if that is in the same file or beside it.

    Raises:
        UnusableCertificateError: it cannot be used; the message says why.
    """
    both = read_both(files.content, files.password, files.name) if files.may_hold_key else None
    if both is not None:
        with _naming():
            return _supplied_with(both.keys, _loaded(both.certificates))
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
            raise UnusableCertificateError(UNREADABLE)
        return _supplied([("", chain) for chain in chains])


def read_pair(
    content: SecretValue, key: SecretValue, *, name: str = _CERTIFICATE_FILE
) -> SuppliedCertificate:
    """Read a certificate together with its private key; see `CertificateFiles`.

    Raises:
        UnusableCertificateError: either cannot be used, or they do not belong together.
    """
    keys = private_keys(key)
    with _naming():
        return _supplied_with(keys, _certificates(content, name))


@contextmanager
def _naming() -> Iterator[None]:
    """Translate the errors that cryptography raises late, for odd versions, keys and names."""
    try:
        yield
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise UnusableCertificateError(UNREADABLE) from None


def _supplied_with(
    keys: Sequence[rsa.RSAPrivateKey], found: Sequence[x509.Certificate]
) -> SuppliedCertificate:
    """Return the certificates that belong to one of the keys."""
    by_numbers = {numbers_of(key): key for key in keys}  # a file may repeat one many times
    chains = chains_of(found, by_numbers)
    if not chains:
        raise UnusableCertificateError(
            "does not belong to the private key beside it: issue both together"
        )
    texts = {numbers: private_pem(key) for numbers, key in by_numbers.items()}
    return _supplied([(texts[certificates.rsa_of(chain[0])], chain) for chain in chains])


def _supplied(offers: Sequence[_Offer]) -> SuppliedCertificate:
    """Return those that Entra can use, or say why it can use none of them."""
    refusals = [_refusal(chain[0]) for _, chain in offers]
    usable = [offer for offer, why in zip(offers, refusals, strict=True) if not why]
    if not usable:
        raise UnusableCertificateError(refusals[0])
    first, *others = (_of_chain(private, chain) for private, chain in usable)
    return replace(first, others=tuple(others))


def _refusal(leaf: x509.Certificate) -> str:
    """Return why Entra cannot use a certificate; empty when it can."""
    try:
        certificates.rsa_of(leaf)
    except bounds.OtherKeyError:
        return "has no RSA key, and Entra's clients sign with RSA only: issue it with an RSA key"
    except bounds.KeySizeError as exc:
        return f"{exc}: {SIZES}"
    except bounds.KeyFormatError:
        return UNREADABLE
    return ""


def _of_chain(private: str, chain: Sequence[x509.Certificate]) -> SuppliedCertificate:
    text = "".join(c.public_bytes(serialization.Encoding.PEM).decode() for c in chain)
    return SuppliedCertificate(
        value=SecretValue(private + text),
        start=chain[0].not_valid_before_utc,
        end=chain[0].not_valid_after_utc,
    )


# --- certificates --------------------------------------------------------------------------


def _certificates(content: SecretValue, name: str) -> list[x509.Certificate]:
    raw = raw_of(content)
    text = unfolded(content.reveal())
    if "-----BEGIN" in text:
        return _from_pem(text, name)
    return [_from_der(undo_base64(raw), name)]


def _from_pem(text: str, name: str) -> list[x509.Certificate]:
    if f"{PRIVATE}-----" in text:
        raise UnusableCertificateError(
            "holds a private key where a certificate is meant: give the certificate alone, or both "
            "in a Secret of type kubernetes.io/tls"
        )
    return _loaded(certificate_blocks(text, name))


def _loaded(found: Sequence[bytes]) -> list[x509.Certificate]:
    if len(found) > certificates.MAX_CERTIFICATES:
        raise UnusableCertificateError(
            f"holds {len(found)} certificates: give one and its chain, at most "
            f"{certificates.MAX_CERTIFICATES}"
        )
    return [certificates.load_certificate(raw) for raw in found]


def _from_der(raw: bytes, name: str) -> x509.Certificate:
    try:
        return certificates.load_certificate(raw)
    except ValueError:
        raise UnusableCertificateError(_other_form(raw, name)) from None


def _other_form(raw: bytes, name: str) -> str:
    """Return what bytes are that are no certificate, with the remedy."""
    text = raw.decode(errors="surrogateescape")
    if is_pfx(text):
        return (
            "is a PKCS #12 file (PFX), which holds a private key: put it into a Secret and use "
            f"source Secret, or give the certificate alone: openssl pkcs12 -in {name} -nokeys"
        )
    fault = pem_fault(text, name)
    if not fault and bounds.is_private_der(raw):
        return "holds a private key where a certificate is meant: give the certificate"
    return fault or UNREADABLE
