"""Bounds on foreign bytes, checked before `cryptography` sees them.

OpenSSL tests the primes of an RSA key that it loads. For a key of 20,000 bits that takes more
than a minute and holds the interpreter: no probe is answered and the Lease is not renewed. So
the sizes are read from the DER here, in constant time per byte, and only then the key is
loaded, without that test (`load_rsa_key` proves it in another way).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from appcredential.domain.secret import pem

MIN_BITS: Final = 2048
MAX_BITS: Final = 8192
MAX_EXPONENT_BITS: Final = 32
MAX_KEY: Final = 32 * 1024
"""Bytes of a private key as text: one of 8,192 bits has 6,400."""

_SEQUENCE, _INTEGER, _OCTETS, _OID = 0x30, 0x02, 0x04, 0x06
_RSA: Final = bytes.fromhex("2a864886f70d010101")
_PROBE: Final = b"appcredential"


class KeyFormatError(ValueError):
    """A text holds no private key that can be read."""


class EncryptedKeyError(KeyFormatError):
    """A private key is encrypted with a password."""


class OtherKeyError(KeyFormatError):
    """A private key is not one of RSA."""


class KeySizeError(KeyFormatError):
    """An RSA key has a size that is not used here; `args[0]` says which."""


def load_rsa_key(text: str) -> rsa.RSAPrivateKey:
    """Return the RSA key in a PEM text (PKCS #8 or PKCS #1, not encrypted).

    The time it takes is bounded: a signature with the key and its check, at most 8,192 bits.

    Raises:
        EncryptedKeyError, OtherKeyError, KeySizeError, KeyFormatError: it cannot be used.
    """
    der = _private_der(text)
    _check_numbers(der)
    try:
        key = serialization.load_der_private_key(
            der, password=None, unsafe_skip_rsa_key_validation=True
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFormatError("not a private key") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise OtherKeyError("not an RSA key")
    _check_pair(key)
    return key


def is_private_der(raw: bytes) -> bool:
    """Return whether bytes look like a private key in DER, of any kind; they are not loaded."""
    try:
        outer = _sequence(raw)
        first = _element(outer, 0)
    except KeyFormatError:
        return False
    if first.tag == _INTEGER:  # the version of PKCS #8, PKCS #1 and SEC 1
        return True
    # EncryptedPrivateKeyInfo (RFC 5958): an algorithm, then an octet string, and no more.
    return first.tag == _SEQUENCE and _tag_at(outer, first.end) == _OCTETS


def check_public(key: object) -> None:
    """Check a certificate's public key.

    Raises:
        OtherKeyError, KeySizeError: it cannot be used.
    """
    if not isinstance(key, rsa.RSAPublicKey):
        raise OtherKeyError("not an RSA key")
    _check_sizes(key.key_size, key.public_numbers().e)


def _private_der(text: str) -> bytes:
    if len(text) > MAX_KEY:
        raise KeySizeError(f"is larger than {MAX_KEY // 1024} KiB")
    if "ENCRYPTED" in text:
        raise EncryptedKeyError("encrypted")  # PKCS #8, or OpenSSL's older header Proc-Type
    found = [(label, block) for label, block in pem.blocks(text) if label.endswith("PRIVATE KEY")]
    if not found:
        raise KeyFormatError("no private key as PEM")
    label, block = found[0]
    if label not in {"PRIVATE KEY", "RSA PRIVATE KEY"}:
        raise OtherKeyError(label)
    body = "".join(block.split("-----")[2].split())
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise KeyFormatError("no base64") from None


def _check_pair(key: rsa.RSAPrivateKey) -> None:
    """Sign, and check the signature with the public part: both belong together."""
    padded, digest = padding.PKCS1v15(), hashes.SHA256()
    try:
        signature = key.sign(_PROBE, padded, digest)
        key.public_key().verify(signature, _PROBE, padded, digest)
    except (ValueError, InvalidSignature):
        raise KeyFormatError("its numbers do not belong together") from None


# --- DER (X.690), as far as a key needs it ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Element:
    tag: int
    content: bytes
    end: int


def _check_numbers(der: bytes) -> None:
    """Check the numbers of an RSAPrivateKey (RFC 8017 A.1.2), alone or within PKCS #8."""
    body = _sequence(der)
    version = _element(body, 0)
    second = _element(body, version.end)
    if second.tag == _SEQUENCE:  # PKCS #8: the algorithm
        if _element(second.content, 0) != _Element(_OID, _RSA, len(_RSA) + 2):
            raise OtherKeyError("not an RSA key")
        wrapped = _element(body, second.end)
        if wrapped.tag != _OCTETS:
            raise KeyFormatError("no private key in it")
        body = _sequence(wrapped.content)
        version = _element(body, 0)
    modulus = _integer(body, version.end)
    exponent = _integer(body, modulus.end)
    bits = _bits(modulus.content)
    _check_sizes(bits, int.from_bytes(exponent.content[:8]) if _bits(exponent.content) <= 64 else 0)
    at = exponent.end
    for _ in range(6):  # d, p, q, dP, dQ, qInv: none is longer than the modulus
        part = _integer(body, at)
        if _bits(part.content) > bits:
            raise KeyFormatError("a number is too long")
        at = part.end


def _check_sizes(bits: int, exponent: int) -> None:
    if not MIN_BITS <= bits <= MAX_BITS:
        raise KeySizeError(f"has a key of {bits} bits")
    if not 3 <= exponent < 1 << MAX_EXPONENT_BITS or exponent % 2 == 0:
        raise KeySizeError("has an unusual public exponent")


def _bits(content: bytes) -> int:
    """Return the length of a non-negative number; its leading zero byte does not count."""
    stripped = content.lstrip(b"\0")
    return (len(stripped) - 1) * 8 + stripped[0].bit_length() if stripped else 0


def _sequence(der: bytes) -> bytes:
    found = _element(der, 0)
    if found.tag != _SEQUENCE:
        raise KeyFormatError("no DER")
    return found.content


def _integer(der: bytes, at: int) -> _Element:
    found = _element(der, at)
    if found.tag != _INTEGER or not found.content or found.content[0] & 0x80:
        raise KeyFormatError("no number where one is due")
    return found


def _tag_at(der: bytes, at: int) -> int:
    return der[at] if at < len(der) else 0


def _element(der: bytes, at: int) -> _Element:
    """Return the element that begins at an offset; its content is a slice, never parsed deeper."""
    head = der[at : at + 2]
    if len(head) < 2:
        raise KeyFormatError("the DER ends early")
    start, length = at + 2, head[1]
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise KeyFormatError("an unusual length")
        length = int.from_bytes(der[start : start + count])
        start += count
    if start + length > len(der):
        raise KeyFormatError("the DER ends early")
    return _Element(head[0], der[start : start + length], start + length)
