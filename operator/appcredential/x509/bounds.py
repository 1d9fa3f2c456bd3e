"""Bounds on foreign keys, checked before `cryptography` sees their bytes.

OpenSSL tests the primes of an RSA key that it loads. For a key of 20,000 bits that takes more
than a minute and holds the interpreter: no probe is answered and the Lease is not renewed. So
sizes are read from the DER here, and only then the key is loaded, without that test;
`load_rsa_key` proves in another way that its numbers belong together. Keys on curves and
encrypted keys are refused by their algorithm: no curve is computed and no password derived.

The longest step is a signature with 8,192 bits: some 0.1 s with the interpreter held. A
thread is therefore good enough for all of this.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from appcredential.domain.secret import pem
from appcredential.x509 import der
from appcredential.x509.der import DerError

MIN_BITS: Final = 2048
MAX_BITS: Final = 8192
MAX_EXPONENT_BITS: Final = 32
MAX_KEY: Final = 32 * 1024
"""Characters of a private key as PEM; one of 8,192 bits has 6,400."""

_RSA: Final = (
    bytes.fromhex("2a864886f70d010101"),  # rsaEncryption
    bytes.fromhex("2a864886f70d01010a"),  # RSASSA-PSS
)
_PKCS8: Final = "PRIVATE KEY"
_PKCS1: Final = "RSA PRIVATE KEY"
_PROBE: Final = b"appcredential"


class KeyFormatError(ValueError):
    """A text holds no private key that can be read."""


class EncryptedKeyError(KeyFormatError):
    """A private key is encrypted with a password."""


class OtherKeyError(KeyFormatError):
    """A key is not one of RSA."""


class KeySizeError(KeyFormatError):
    """An RSA key has a size that is not used here; `args[0]` says which."""


@dataclass(frozen=True, slots=True)
class PublicNumbers:
    """Modulus and exponent of an RSA key, within the bounds."""

    modulus: int
    exponent: int


# --- private keys --------------------------------------------------------------------------


def load_rsa_key(text: str) -> rsa.RSAPrivateKey:
    """Return the RSA key in a PEM text (PKCS #8 or PKCS #1, not encrypted).

    The time it takes is bounded: by a signature and its check, with at most 8,192 bits.

    Raises:
        EncryptedKeyError, OtherKeyError, KeySizeError, KeyFormatError: it cannot be used.
    """
    return load_rsa_der(_private_der(text))


def load_rsa_der(raw: bytes) -> rsa.RSAPrivateKey:
    """Return the RSA key in DER (PKCS #8 or PKCS #1, not encrypted), in the same time.

    Raises:
        OtherKeyError, KeySizeError, KeyFormatError: it cannot be used.
    """
    if len(raw) > MAX_KEY:
        raise KeySizeError(f"is larger than {MAX_KEY // 1024} KiB")
    try:
        _check_private(raw)
    except DerError as error:
        raise KeyFormatError(str(error)) from None
    try:
        key = serialization.load_der_private_key(
            raw, password=None, unsafe_skip_rsa_key_validation=True
        )
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError):
        raise KeyFormatError("not a private key") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise OtherKeyError("not an RSA key")
    _check_pair(key)
    return key


def numbers_of(key: rsa.RSAPrivateKey) -> PublicNumbers:
    """Return the public numbers of a private key."""
    public = key.public_key().public_numbers()
    return PublicNumbers(public.n, public.e)


def is_private_der(raw: bytes) -> bool:
    """Return whether bytes look like a private key in DER, of any kind; they are not loaded."""
    try:
        outer = der.expect(der.SEQUENCE, raw).content
        first = der.element(outer)
    except DerError:
        return False
    if first.tag == der.INTEGER:  # the version of PKCS #8, PKCS #1 and SEC 1
        return True
    # EncryptedPrivateKeyInfo (RFC 5958): an algorithm, then an octet string, and no more.
    return first.tag == der.SEQUENCE and der.tag_at(outer, first.end) == der.OCTETS


def _private_der(text: str) -> bytes:
    if len(text) > MAX_KEY:
        raise KeySizeError(f"is larger than {MAX_KEY // 1024} KiB")
    if "ENCRYPTED" in text:
        raise EncryptedKeyError("encrypted")  # PKCS #8, or OpenSSL's older header Proc-Type
    found = [(label, block) for label, block in pem.blocks(text) if label.endswith(_PKCS8)]
    if not found:
        raise KeyFormatError("no private key as PEM")
    label, block = found[0]
    if label not in {_PKCS8, _PKCS1}:
        raise OtherKeyError(label)
    return decoded(block)


def decoded(block: str) -> bytes:
    """Return the DER in a PEM block.

    Raises:
        KeyFormatError: it is no base64.
    """
    body = "".join(block.split("-----")[2].split())
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise KeyFormatError("no base64") from None


def _check_private(raw: bytes) -> None:
    """Check the sizes of an RSAPrivateKey (RFC 8017 A.1.2), alone or within PKCS #8."""
    body = der.expect(der.SEQUENCE, raw).content
    version = der.natural(body, 0)
    second = der.element(body, version.end)
    if second.tag == der.SEQUENCE:  # PKCS #8: the algorithm
        check_algorithm(second.content)
        wrapped = der.expect(der.OCTETS, body, second.end)
        body = der.expect(der.SEQUENCE, wrapped.content).content
        version = der.natural(body, 0)
    if der.bits(version):
        raise OtherKeyError("an RSA key of more than two primes")
    found, at = public_numbers(body, version.end)
    most = found.modulus.bit_length()
    for _ in range(6):  # d, p, q, dP, dQ, qInv: none is longer than the modulus
        part = der.natural(body, at)
        if der.bits(part) > most:
            raise KeyFormatError("a number is too long")
        at = part.end


def _check_pair(key: rsa.RSAPrivateKey) -> None:
    """Check that a key's numbers belong together: by arithmetic, then by a signature.

    Both are cheap within the bounds, and together as good as testing the primes: with a wrong
    prime the signature is wrong.
    """
    if not _is_consistent(key.private_numbers()):
        raise KeyFormatError("its numbers do not belong together")
    padded, digest = padding.PKCS1v15(), hashes.SHA256()
    try:
        signature = key.sign(_PROBE, padded, digest)
        key.public_key().verify(signature, _PROBE, padded, digest)
    except (ValueError, InvalidSignature, InternalError):
        raise KeyFormatError("its numbers do not belong together") from None


def _is_consistent(numbers: rsa.RSAPrivateNumbers) -> bool:
    public, p, q = numbers.public_numbers, numbers.p, numbers.q
    if p * q != public.n or p % 2 == 0 or q % 2 == 0 or min(p, q) == 1:
        return False
    return (
        numbers.dmp1 == numbers.d % (p - 1)
        and numbers.dmq1 == numbers.d % (q - 1)
        and numbers.iqmp * q % p == 1
        and public.e * numbers.dmp1 % (p - 1) == 1
        and public.e * numbers.dmq1 % (q - 1) == 1
    )


# --- keys of both kinds --------------------------------------------------------------------


def check_algorithm(content: bytes) -> None:
    """Check an AlgorithmIdentifier (RFC 5280 §4.1.1.2).

    Raises:
        OtherKeyError, DerError: it is not RSA.
    """
    if der.expect(der.OID, content).content not in _RSA:
        raise OtherKeyError("not an RSA key")


def public_numbers(body: bytes, at: int) -> tuple[PublicNumbers, int]:
    """Return modulus and exponent within the bounds, and the offset behind them.

    Raises:
        KeySizeError, DerError: they are not.
    """
    modulus = der.natural(body, at)
    exponent = der.natural(body, modulus.end)
    bits = der.bits(modulus)
    if not MIN_BITS <= bits <= MAX_BITS:
        raise KeySizeError(f"has a key of {bits} bits")
    if der.bits(exponent) > MAX_EXPONENT_BITS:
        raise KeySizeError("has an unusual public exponent")
    n, e = int.from_bytes(modulus.content), int.from_bytes(exponent.content)
    if e < 3 or e % 2 == 0 or n % 2 == 0:
        raise KeySizeError("has an unusual public exponent or modulus")
    return PublicNumbers(n, e), exponent.end
