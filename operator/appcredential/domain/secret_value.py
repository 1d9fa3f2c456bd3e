"""The redacting type of every secret value on its way from Entra to its Secret."""

from __future__ import annotations

import hashlib
import hmac
from typing import NoReturn


class SecretValue:
    """A secret value that nobody shows by accident.

    `repr`, `str` and format return `***`, and pickling is refused. Only `reveal()` returns
    the text, and only adapters that send it to its destination call it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the value itself. The caller must not log, store or format it."""
        return self._text

    def sha256(self) -> str:
        """Return the SHA-256 of the UTF-8 text, 64 hexadecimal characters.

        Entra's secrets have 40 random characters, so the digest gives nothing away.
        """
        return hashlib.sha256(self._bytes()).hexdigest()

    def _bytes(self) -> bytes:
        # Other people's keys of a Secret may hold any bytes, which adapters decode without loss.
        return self._text.encode(errors="surrogateescape")

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretValue):
            return NotImplemented
        return hmac.compare_digest(self._bytes(), other._bytes())

    def __hash__(self) -> int:
        return hash(self.sha256())

    def __reduce__(self) -> NoReturn:
        raise TypeError("a SecretValue is never serialised")
