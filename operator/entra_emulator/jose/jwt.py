"""Signed tokens: compact JWS with RS256, and the public key as a JWKS.

Reading is as tolerant as Entra: segments may have `=` padding, and times may be fractions. Nothing
here checks times: callers do that by the emulator's clock.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from entra_emulator.files import write_private

_KEY_FILE = "token-signing-key.pem"


class BadTokenError(ValueError):
    """The token is malformed, or another key signed it."""


class TokenSigner:
    """Signs access tokens, and verifies its own."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key
        numbers = key.public_key().public_numbers()
        self._modulus = encode_segment(numbers.n.to_bytes(256, "big"))
        self._exponent = encode_segment(numbers.e.to_bytes(3, "big"))
        self.key_id = encode_segment(hashlib.sha256(self._modulus.encode()).digest()[:20])
        self._header = {"typ": "JWT", "alg": "RS256", "x5t": self.key_id, "kid": self.key_id}

    @classmethod
    def load_or_create(cls, folder: Path) -> TokenSigner:
        """Return a signer with the key in a folder, so that tokens stay valid across restarts.

        Raises:
            TypeError: the folder holds another kind of key.
        """
        path = folder / _KEY_FILE
        if not path.exists():
            write_private(path, _pem(rsa.generate_private_key(65537, 2048)))
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{path} holds no RSA key; remove it to have one made")
        return cls(key)

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] = {}) -> str:
        """Return a compact token; `header` replaces members of its header."""
        parts = ({**self._header, **header}, claims)
        signing_input = ".".join(encode_segment(msgspec.json.encode(part)) for part in parts)
        signature = self._key.sign(signing_input.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signing_input}.{encode_segment(signature)}"

    def read(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that this key signed.

        Raises:
            BadTokenError: the token is malformed, or another key signed it.
        """
        header, payload, signature = _segments(token)
        try:
            self._key.public_key().verify(
                decode_segment(signature),
                f"{header}.{payload}".encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
            return msgspec.json.decode(decode_segment(payload), type=dict[str, Any])
        except (InvalidSignature, ValueError, msgspec.DecodeError) as error:
            raise BadTokenError("not a token of this emulator") from error

    def jwk(self) -> dict[str, Any]:
        """Return the public key as a JWK."""
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.key_id,
            "x5t": self.key_id,
            "n": self._modulus,
            "e": self._exponent,
        }

    def jwks(self, issuer: str) -> dict[str, Any]:
        """Return the key set document of an issuer."""
        return {"keys": [{**self.jwk(), "issuer": issuer}]}


def encode_segment(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_segment(text: str) -> bytes:
    """Decode base64url with or without padding."""
    bare = text.rstrip("=")
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


def _segments(token: str) -> tuple[str, str, str]:
    parts = token.split(".")
    if len(parts) != 3:
        raise BadTokenError("not three segments")
    return parts[0], parts[1], parts[2]


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
