"""What the attackers send: costly to take, cheap to make. Pure.

The RSA keys have Mersenne primes, so that a check for primality goes all its rounds, and nobody
had to look for primes. The other files are DER by hand, because no library would spend the time.
"""

from __future__ import annotations

import base64
import math
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

RSA_SIZES: Final = {8676: (4423, 4253), 15636: (11213, 4423), 19630: (9941, 9689)}
"""Exponents of the two Mersenne primes of each modulus."""
_E: Final = 65537
_SHA256: Final = b"\x60\x86\x48\x01\x65\x03\x04\x02\x01"
_HMAC_SHA256: Final = b"\x2a\x86\x48\x86\xf7\x0d\x02\x09"
_AES256_CBC: Final = b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a"
_PBES2: Final = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"
_PBKDF2: Final = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c"
_DATA: Final = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
_RSA: Final = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"


def der(tag: int, *parts: bytes) -> bytes:
    """Return one DER value."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _int(number: int) -> bytes:
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _sequence(*parts: bytes) -> bytes:
    return der(0x30, *parts)


def _oid(raw: bytes) -> bytes:
    return der(0x06, raw)


def pem(label: str, content: bytes) -> str:
    """Return one PEM block."""
    text = base64.encodebytes(content).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"


def big_rsa(bits: int) -> str:
    """Return PEM with a certificate and its RSA key of one of `RSA_SIZES`."""
    p, q = ((1 << exponent) - 1 for exponent in RSA_SIZES[bits])
    d = pow(_E, -1, math.lcm(p - 1, q - 1))
    numbers = (0, p * q, _E, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    key = _sequence(*map(_int, numbers))
    algorithm = _sequence(_oid(_RSA), b"\x05\x00")
    pkcs8 = _sequence(_int(0), algorithm, der(0x04, key))
    public = rsa.RSAPublicNumbers(_E, p * q).public_key()
    return _certificate(public) + pem("PRIVATE KEY", pkcs8)


def _certificate(public: rsa.RSAPublicKey) -> str:
    now = datetime.now(UTC).replace(microsecond=0)
    name = x509.Name.from_rfc4514_string("CN=attacker")
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=90))
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    return pem("CERTIFICATE", made.public_bytes(Encoding.DER))


def encrypted_key(rounds: int) -> str:
    """Return an encrypted PKCS #8 key whose password takes so many rounds of PBKDF2."""
    prf = _sequence(_oid(_HMAC_SHA256), b"\x05\x00")
    kdf = _sequence(_oid(_PBKDF2), _sequence(der(0x04, bytes(16)), _int(rounds), prf))
    cipher = _sequence(_oid(_AES256_CBC), der(0x04, bytes(16)))
    algorithm = _sequence(_oid(_PBES2), _sequence(kdf, cipher))
    return pem("ENCRYPTED PRIVATE KEY", _sequence(algorithm, der(0x04, bytes(1264))))


def keystore(rounds: int) -> bytes:
    """Return a PKCS #12 file whose MAC takes so many rounds."""
    empty = _sequence()
    content = _sequence(_oid(_DATA), der(0xA0, der(0x04, empty)))
    digest = _sequence(_sequence(_oid(_SHA256), b"\x05\x00"), der(0x04, bytes(32)))
    mac = _sequence(digest, der(0x04, bytes(8)), _int(rounds))
    return _sequence(_int(3), content, mac)


def encoded(content: str | bytes) -> str:
    """Return content as `data` of a Secret holds it."""
    raw = content.encode() if isinstance(content, str) else content
    return base64.b64encode(raw).decode()
