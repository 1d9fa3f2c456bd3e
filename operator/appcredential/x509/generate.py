"""Makes keys and certificates, and signs with them.

The value of a credential of type Certificate is one text: the private key (PKCS #8) and then
the certificate, both PEM; in a chain the leaf comes first. azure-identity reads the same text
as `client.pem`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
from cryptography.x509.oid import ExtendedKeyUsageOID

from appcredential.domain.secret import pem
from appcredential.domain.secret_value import SecretValue
from appcredential.x509 import bounds, certificates

_BACKDATE: Final = timedelta(minutes=5)
_ASSERTION_LIFE: Final = timedelta(minutes=5)
_EXPONENT: Final = 65537
_PROOF_AUDIENCE: Final = "00000002-0000-0000-c000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A private key with its certificate.

    Attributes:
        value: both as PEM.
        end: notAfter, whole seconds.
    """

    value: SecretValue
    end: datetime


def generate(subject: str, size: int, now: datetime, end: datetime) -> KeyPair:
    """Make an RSA key and a self-signed certificate. It may take seconds: not on the event loop.

    The certificate is X.509 v3 (RFC 5280) with a random serial number, key usage for client
    authentication and a subject key identifier. It starts a little in the past, because Entra
    has another clock. Its times are whole seconds: Graph refuses to keep an entry whose times
    it cannot compare.

    Args:
        subject: a distinguished name (RFC 4514).
        size: of the modulus, in bits.
        now: aware; the certificate starts five minutes earlier.
        end: aware; notAfter.

    Raises:
        ValueError: `subject` is not a distinguished name.
    """
    name = x509.Name.from_rfc4514_string(subject)
    key = new_key(size)
    start = (now - _BACKDATE).replace(microsecond=0)
    end = end.replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    text = _private_pem(key) + certificate.public_bytes(serialization.Encoding.PEM).decode()
    return KeyPair(value=SecretValue(text), end=end)


def new_key(size: int) -> rsa.RSAPrivateKey:
    """Make an RSA key, which may take seconds."""
    return rsa.generate_private_key(_EXPONENT, size)


def sign_assertion(value: SecretValue, client_id: str, audience: str, now: datetime) -> SecretValue:
    """Return a client assertion (RFC 7523) in the form that Entra documents: PS256, `x5t#S256`.

    Args:
        value: key and certificate.
        client_id: issuer and subject.
        audience: the address of the token endpoint.
        now: aware; the assertion is good for five minutes.

    Raises:
        ValueError: the value holds no RSA key.
    """
    key, chain = load_pair(value)
    header = {
        "alg": "PS256",
        "typ": "JWT",
        "x5t#S256": _segment(chain[0].fingerprint(hashes.SHA256())),
    }
    claims: dict[str, str | int] = {
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        **_times(now),
    }
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
    return _signed(key, header, claims, scheme)


def sign_possession(value: SecretValue, object_id: str, now: datetime) -> SecretValue:
    """Return the proof that addKey and removeKey require, in the form that Graph documents.

    Source: learn.microsoft.com/graph/application-rollkey-prooftoken. Its issuer is the object id of
    the application, and nothing in it is padded.

    Args:
        value: key and certificate; Entra must know it, and it must be valid.
        object_id: of the application whose certificates are changed.
        now: aware, by Entra's clock; the proof is good for five minutes, where ten are allowed.

    Raises:
        ValueError: the value holds no RSA key.
    """
    key, chain = load_pair(value)
    thumbprint = hashlib.sha1(
        chain[0].public_bytes(serialization.Encoding.DER), usedforsecurity=False
    ).digest()
    header = {"alg": "RS256", "typ": "JWT", "x5t": _segment(thumbprint)}
    claims: dict[str, str | int] = {"aud": _PROOF_AUDIENCE, "iss": object_id, **_times(now)}
    return _signed(key, header, claims, padding.PKCS1v15())


def _times(now: datetime) -> dict[str, int]:
    issued = int(now.timestamp())
    return {"iat": issued, "nbf": issued, "exp": issued + int(_ASSERTION_LIFE.total_seconds())}


def _signed(
    key: rsa.RSAPrivateKey,
    header: Mapping[str, str],
    claims: Mapping[str, str | int],
    scheme: AsymmetricPadding,
) -> SecretValue:
    signed = f"{_segment(_compact(header))}.{_segment(_compact(claims))}"
    signature = key.sign(signed.encode(), scheme, hashes.SHA256())
    return SecretValue(f"{signed}.{_segment(signature)}")


def load_pair(value: SecretValue) -> tuple[rsa.RSAPrivateKey, list[x509.Certificate]]:
    """Return the private key and the certificates of a value, the leaf first.

    Raises:
        ValueError: the value holds no RSA key with a certificate.
    """
    found = pem.blocks(value.reveal())
    private = "".join(block for label, block in found if label.endswith("PRIVATE KEY"))
    try:
        key = bounds.load_rsa_key(private)
        chain = certificates.load_certificates(
            [b for label, b in found if label == pem.CERTIFICATE]
        )
        is_pair = bool(chain) and certificates.rsa_of(chain[0]) == bounds.numbers_of(key)
    except (ValueError, UnsupportedAlgorithm):
        is_pair = False
    if not is_pair:
        raise ValueError("the value holds no key and certificate")
    return key, chain


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _compact(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
