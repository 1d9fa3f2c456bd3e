"""Secret values: a type that redacts them, values like Entra's, and stored digests."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass, field
from typing import NoReturn

_ALPHABET = string.ascii_letters + string.digits + "_.~-"
HINT_LENGTH = 3


class SecretText:
    """A secret value that `repr`, `str`, format and pickle never reveal."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the value itself, for the single answer that may contain it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret value is never serialised")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretDigest:
    """A salted digest of a secret: enough to recognise it, but not to use it."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    def matches(self, secret: SecretText) -> bool:
        """Return whether this is the digest of the given value."""
        return hmac.compare_digest(self.digest, _salted(self.salt, secret))


def digest_of(secret: SecretText) -> SecretDigest:
    """Return a digest with a fresh salt."""
    salt = secrets.token_bytes(16)
    return SecretDigest(salt=salt, digest=_salted(salt, secret))


def hint_of(secret: SecretText) -> str:
    """Return the part of a secret that Graph shows on later reads."""
    return secret.reveal()[:HINT_LENGTH]


def new_secret() -> SecretText:
    """Make a value in Entra's shape: 3 letters, a digit, `Q~`, 34 more characters."""
    head = "".join(secrets.choice(string.ascii_letters) for _ in range(HINT_LENGTH))
    tail = "".join(secrets.choice(_ALPHABET) for _ in range(34))
    return SecretText(f"{head}{secrets.choice(string.digits)}Q~{tail}")


def _salted(salt: bytes, secret: SecretText) -> bytes:
    return hashlib.sha256(salt + secret.reveal().encode()).digest()
