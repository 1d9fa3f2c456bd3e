"""Keys and self-signed certificates for tests, made once per process: RSA keys take time."""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12


@functools.cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """Return one of the process's keys."""
    return rsa.generate_private_key(65537, 2048)


@functools.cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """Return a key that Entra's clients cannot sign in with."""
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class MadeCertificate:
    """A self-signed certificate and its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def base64(self) -> str:
        """What the property `key` of a keyCredential holds."""
        return base64.b64encode(self.der).decode()

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    @property
    def bundle(self) -> bytes:
        """Key and certificate, as azure-identity reads them."""
        return self.key_pem + self.pem

    def pkcs12(self, password: bytes) -> bytes:
        encryption = serialization.BestAvailableEncryption(password)
        assert isinstance(self.key, rsa.RSAPrivateKey)
        return pkcs12.serialize_key_and_certificates(
            b"test", self.key, self.certificate, None, encryption
        )

    @property
    def thumbprint(self) -> str:
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper()


def make_certificate(
    name: str = "orders",
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
) -> MadeCertificate:
    """Make one that is valid from an hour ago for ninety days, or as asked for."""
    private = key or rsa_key()
    now = datetime.now(UTC).replace(microsecond=0)
    subject = x509.Name.from_rfc4514_string(f"CN={name}")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start or now - timedelta(hours=1))
        .not_valid_after(end or now + timedelta(days=90))
        .sign(private, hashes.SHA256())
    )
    return MadeCertificate(certificate, private)
