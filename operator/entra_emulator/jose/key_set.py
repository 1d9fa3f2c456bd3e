"""Read the documents of an issuer: discovery document and signing keys (JWKS)."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from entra_emulator.jose.jwt import decode_segment

PublishedKeys = Mapping[str, rsa.RSAPublicKey]
"""RSA keys by their names in the header of a token: `kid` and `x5t`."""


class UnreadableDocumentError(ValueError):
    """The document is not what an issuer must publish; the text says why."""


def keys_address(document: bytes, issuer: str) -> str:
    """Return the `jwks_uri` of a discovery document.

    Raises:
        UnreadableDocumentError: the document is not JSON, names another issuer, or has no
            `jwks_uri`.
    """
    fields = _fields(document)
    if fields.get("issuer") != issuer:
        raise UnreadableDocumentError("the discovery document names another issuer")
    address = fields.get("jwks_uri")
    if not isinstance(address, str):
        raise UnreadableDocumentError("the discovery document has no jwks_uri")
    return address


def published_keys(document: bytes) -> PublishedKeys:
    """Return the RSA keys of a JWKS; Entra cannot use other kinds, so they are left out.

    Raises:
        UnreadableDocumentError: the document is not a JSON object with a list of keys.
    """
    rows = _fields(document).get("keys")
    if not isinstance(rows, list):
        raise UnreadableDocumentError("the key set has no list of keys")
    found: dict[str, rsa.RSAPublicKey] = {}
    for row in rows:
        key = _public_key(row) if isinstance(row, Mapping) else None
        if key is not None:
            names = (row.get("kid"), row.get("x5t"))
            found.update({name: key for name in names if isinstance(name, str) and name})
    return found


def _fields(document: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(document, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise UnreadableDocumentError("the document is no JSON object") from None


def _public_key(row: Mapping[str, Any]) -> rsa.RSAPublicKey | None:
    if row.get("kty") != "RSA" or row.get("use", "sig") != "sig":
        return None
    try:
        modulus, exponent = (int.from_bytes(decode_segment(row[name]), "big") for name in "ne")
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except (KeyError, AttributeError, ValueError, TypeError, binascii.Error):
        return None
