"""PEM texts (RFC 7468) without cryptography: blocks and thumbprints."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Final

CERTIFICATE: Final = "CERTIFICATE"
_BLOCK: Final = re.compile(
    # Linear in any text: no part of the pattern can match what the next part matches.
    r"-----BEGIN (?P<label>[A-Z0-9 ]+)-----(?P<body>[A-Za-z0-9+/=\s]*)"
    r"-----END (?P=label)-----\n?"
)


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the blocks of a text in their order, each as its label and the whole block."""
    return [(match["label"], match[0]) for match in _BLOCK.finditer(text)]


def split_bundle(text: str) -> tuple[str, str]:
    """Return the private key and the certificates of a value; each empty when it has none."""
    found = blocks(text)
    private = "".join(block for label, block in found if label.endswith("PRIVATE KEY"))
    chain = "".join(block for label, block in found if label == CERTIFICATE)
    return private, chain


def leaf_der(text: str) -> bytes:
    """Return the first certificate, DER.

    Raises:
        ValueError: the text has none.
    """
    for match in _BLOCK.finditer(text):
        if match["label"] == CERTIFICATE:
            try:
                return base64.b64decode("".join(match["body"].split()), validate=True)
            except binascii.Error as error:
                raise ValueError("the certificate is no base64") from error
    raise ValueError("there is no certificate")


def sha1_thumbprint(der: bytes) -> str:
    """Return SHA-1 in upper-case hexadecimal digits, as the portal shows it."""
    return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()


def sha256_thumbprint(der: bytes) -> str:
    """Return SHA-256 in upper-case hexadecimal digits."""
    return hashlib.sha256(der).hexdigest().upper()


def x5t(der: bytes) -> str:
    """Return the JWS header parameter `x5t` (RFC 7515 §4.1.7)."""
    return _url64(hashlib.sha1(der, usedforsecurity=False).digest())


def x5t_s256(der: bytes) -> str:
    """Return the JWS header parameter `x5t#S256` (RFC 7515 §4.1.8)."""
    return _url64(hashlib.sha256(der).digest())


def _url64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def has_certificate(text: str) -> bool:
    """Return whether a value holds a certificate."""
    try:
        leaf_der(text)
    except ValueError:
        return False
    return True


def has_private_key(text: str) -> bool:
    """Return whether a value holds the private key of its certificate."""
    return bool(split_bundle(text)[0])
