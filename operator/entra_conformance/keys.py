"""Keys and certificates that the suite makes, and assertions signed with them (RFC 7523)."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

_LIFETIME = timedelta(days=30)
_ASSERTION_SECONDS = 300


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A private RSA key with its certificate."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def make(cls, name: str, lifetime: timedelta = _LIFETIME) -> Self:
        """Make a self-signed certificate `CN=<name>` that is valid since a day ago."""
        key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC).replace(microsecond=0)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + lifetime)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a PEM file with an RSA key and its certificate.

        Raises:
            OSError: it cannot be read.
            ValueError: it lacks one of them, or the key is encrypted or no RSA key.
        """
        content = path.read_bytes()
        try:
            key = serialization.load_pem_private_key(content, None)
        except TypeError as error:
            raise ValueError("the key is encrypted: name a PEM file without password") from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("Entra accepts client assertions of RSA keys only")
        return cls(x509.load_pem_x509_certificate(content), key)

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def base64(self) -> str:
        """The certificate as a keyCredential's `key` holds it."""
        return base64.b64encode(self.der).decode()

    @property
    def thumbprint(self) -> str:
        """The SHA-1 thumbprint in 40 upper-case hexadecimal digits, as Graph shows it."""
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper()

    def assertion(self, client_id: str, audience: str, now: float) -> str:
        """Return a client assertion that is valid from `now` (Unix time) for five minutes."""
        start = int(now)
        claims = {
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": str(uuid.uuid4()),
            "nbf": start,
            "exp": start + _ASSERTION_SECONDS,
        }
        digest = hashlib.sha256(self.der).digest()
        return self._signed({"alg": "PS256", "typ": "JWT", "x5t#S256": _text(digest)}, claims)

    def foreign_token(self, issuer: str, subject: str, audience: str, now: float) -> str:
        """Return a token as an issuer of that URL would sign it, from `now` for five minutes."""
        start = int(now)
        claims = {
            "iss": issuer,
            "sub": subject,
            "aud": audience,
            "iat": start,
            "nbf": start,
            "exp": start + _ASSERTION_SECONDS,
        }
        return self._signed({"alg": "RS256", "typ": "JWT", "kid": self.thumbprint}, claims)

    def _signed(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        signed = f"{_json(header)}.{_json(claims)}"
        digest = hashes.SHA256()
        scheme: padding.AsymmetricPadding = padding.PKCS1v15()
        if header["alg"] == "PS256":
            scheme = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return f"{signed}.{_text(self.key.sign(signed.encode(), scheme, digest))}"


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token without verifying it.

    Raises:
        ValueError: it is no JWT.
    """
    parts = token.strip().split(".")
    if len(parts) != 3:
        raise ValueError("a JWT has three parts")
    payload = parts[1] + "=" * (-len(parts[1]) % 4)
    claims = json.loads(base64.urlsafe_b64decode(payload))
    if not isinstance(claims, dict):
        raise ValueError("the claims of a JWT are an object")
    return claims


def _json(part: Mapping[str, Any]) -> str:
    return _text(json.dumps(part, separators=(",", ":")).encode())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
