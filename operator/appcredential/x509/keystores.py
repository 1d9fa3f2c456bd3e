"""PKCS #12 files and JSON Web Keys, for clients that cannot read PEM."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Final, assert_never

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.certificate import KeystoreProfile
from appcredential.x509.generate import load_pair

_ROUNDS: Final = 20_000
_NAME: Final = b"appcredential"


def pack_pkcs12(
    value: SecretValue,
    password: SecretValue,
    profile: KeystoreProfile = KeystoreProfile.MODERN,
) -> SecretValue:
    """Return a PKCS #12 file (RFC 7292) with key, certificate and chain.

    The salts are random, so each call makes another file.

    Args:
        value: key and certificates, PEM.
        password: not empty.
        profile: its algorithms; docs/guides/certificates.md says who reads which.

    Raises:
        ValueError: the value holds no RSA key with its certificate.
    """
    key, chain = load_pair(value)
    scheme, digest_algorithm = _algorithms(profile)
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(_ROUNDS)
        .key_cert_algorithm(scheme)
        .hmac_hash(digest_algorithm)
        .build(password.reveal().encode())
    )
    packed = pkcs12.serialize_key_and_certificates(_NAME, key, chain[0], chain[1:], encryption)
    return SecretValue(packed.decode(errors="surrogateescape"))


def _algorithms(profile: KeystoreProfile) -> tuple[pkcs12.PBES, hashes.HashAlgorithm]:
    match profile:
        case KeystoreProfile.MODERN:
            return pkcs12.PBES.PBESv2SHA256AndAES256CBC, hashes.SHA256()
        case KeystoreProfile.LEGACY_DES:
            # Who reads nothing else asks for it; the file lies next to its key in clear text.
            return pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC, hashes.SHA1()  # noqa: S303
        case _:
            assert_never(profile)


def digest(
    packed: SecretValue,
    value: SecretValue,
    password: SecretValue,
    profile: KeystoreProfile = KeystoreProfile.MODERN,
) -> str:
    """Return what tells, without opening a PKCS #12 file, that it holds a value under a password.

    The password is stretched as often as in the file itself, so that guessing it by the digest
    is no easier than by the file.
    """
    # Records from before there were profiles name none.
    other = "" if profile is KeystoreProfile.MODERN else f" {profile}"
    salt = f"{value.sha256()} {packed.sha256()}{other}".encode()
    return hashlib.pbkdf2_hmac("sha256", password.reveal().encode(), salt, _ROUNDS).hex()


def build_jwk(value: SecretValue) -> SecretValue:
    """Return the private key as a JSON Web Key (RFC 7517, RFC 7518 §6.3) with its thumbprints.

    The same value always gives the same text.

    Raises:
        ValueError: the value holds no RSA key with its certificate.
    """
    key, chain = load_pair(value)
    numbers, der = key.private_numbers(), _der(chain[0])
    public = numbers.public_numbers
    fields = {
        "kty": "RSA",
        "use": "sig",
        "kid": pem.sha1_thumbprint(der),
        "x5t": pem.x5t(der),
        "x5t#S256": pem.x5t_s256(der),
        "x5c": [base64.b64encode(_der(c)).decode() for c in chain],
        "n": _number(public.n),
        "e": _number(public.e),
        "d": _number(numbers.d),
        "p": _number(numbers.p),
        "q": _number(numbers.q),
        "dp": _number(numbers.dmp1),
        "dq": _number(numbers.dmq1),
        "qi": _number(numbers.iqmp),
    }
    return SecretValue(json.dumps(fields, separators=(",", ":")))


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _number(value: int) -> str:
    """Return a number as Base64urlUInt (RFC 7518 §2)."""
    raw = value.to_bytes((value.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
