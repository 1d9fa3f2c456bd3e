"""Bounds on foreign certificates. Their keys are read from the DER, and OpenSSL loads none.

`cryptography` parses a certificate in time that grows with its length alone; only its public
key would be handed to OpenSSL.
"""

from __future__ import annotations

from typing import Final

from cryptography import x509

from appcredential.x509 import bounds, der
from appcredential.x509.bounds import PublicNumbers
from appcredential.x509.der import DerError

MAX_CONTENT: Final = 128 * 1024
"""Bytes of a certificate with its chain, in any form."""
MAX_CERTIFICATES: Final = 100
"""In one text. OpenSSL follows no longer chain."""


def load_certificate(raw: bytes) -> x509.Certificate:
    """Return a certificate in DER. Its key is not loaded: see `rsa_of`.

    Raises:
        ValueError: it is none.
    """
    if len(raw) > MAX_CONTENT:
        raise ValueError("too long for a certificate")
    return x509.load_der_x509_certificate(raw)


def load_certificates(blocks: list[str]) -> list[x509.Certificate]:
    """Return the certificates in PEM blocks.

    Raises:
        ValueError: one is none, or they are too many or too long.
    """
    if len(blocks) > MAX_CERTIFICATES or sum(map(len, blocks)) > MAX_CONTENT:
        raise ValueError("too many certificates")
    return [load_certificate(bounds.decoded(block)) for block in blocks]


def subject_in(raw: bytes) -> str:
    """Return the subject of a certificate in DER (RFC 4514); empty when it cannot be read."""
    try:
        return load_certificate(raw).subject.rfc4514_string()
    except ValueError:
        return ""


def rsa_of(certificate: x509.Certificate) -> PublicNumbers:
    """Return the key of a certificate (RFC 5280 §4.1), without having OpenSSL load it.

    Raises:
        OtherKeyError, KeySizeError, KeyFormatError: it cannot be used.
    """
    try:
        return _public_key(certificate.tbs_certificate_bytes)
    except DerError as error:
        raise bounds.KeyFormatError(str(error)) from None


def _public_key(tbs: bytes) -> PublicNumbers:
    body = der.expect(der.SEQUENCE, tbs).content
    at = der.element(body).end if der.tag_at(body, 0) == der.EXPLICIT_0 else 0  # version
    for tag in (der.INTEGER, *(der.SEQUENCE,) * 4):  # serial, algorithm, issuer, times, subject
        at = der.expect(tag, body, at).end
    info = der.expect(der.SEQUENCE, body, at).content
    algorithm = der.expect(der.SEQUENCE, info)
    bounds.check_algorithm(algorithm.content)
    key = der.expect(der.BITS, info, algorithm.end).content
    found, _ = bounds.public_numbers(der.expect(der.SEQUENCE, key[1:]).content, 0)
    return found
