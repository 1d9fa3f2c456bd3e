"""The credential of a client in the header of a token request."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote_plus

from entra_emulator.values.secret_text import SecretText


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicCredential:
    """What `Authorization: Basic` contains; both are empty if it cannot be read."""

    client_id: str
    client_secret: SecretText | None


def read_basic(header: str | None) -> BasicCredential | None:
    """Read the header of a token request; None if it is absent or of another scheme.

    Id and secret are form-encoded before they are joined by a colon (RFC 6749, section 2.3.1), so
    a secret may contain a colon or a plus sign.
    """
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    name, _, secret = text.partition(":")
    value = unquote_plus(secret)
    return BasicCredential(
        client_id=unquote_plus(name).lower(),
        client_secret=SecretText(value) if value else None,
    )
