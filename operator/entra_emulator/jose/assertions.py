"""Client assertions: a JWT that an application signs with the key of one of its certificates.

As in RFC 7523, with what Entra accepts: PS256 with `x5t#S256` or RS256 with `x5t`, segments with or
without padding, fractional times, and no `nbf`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from entra_emulator.directory.entities import VERIFY, KeyCredential
from entra_emulator.errors.tokens import TokenError
from entra_emulator.jose.jwt import decode_segment
from entra_emulator.values.certificates import Certificate, read_certificate

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SKEW_SECONDS = 300
"""The accepted difference between the signer's clock and ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A decoded JWT that nobody has verified yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    @property
    def issuer(self) -> str:
        """The `iss` claim; empty if it is missing."""
        return str(self.claims.get("iss") or "")


def read_assertion(text: str) -> Assertion:
    """Split and decode an assertion.

    Raises:
        TokenError: 50027, the text is not a JWT.
    """
    try:
        header, payload, signature = text.split(".")
        return Assertion(
            header=msgspec.json.decode(decode_segment(header), type=dict[str, Any]),
            claims=msgspec.json.decode(decode_segment(payload), type=dict[str, Any]),
            signed=f"{header}.{payload}".encode(),
            signature=decode_segment(signature),
        )
    except (ValueError, binascii.Error, msgspec.DecodeError, RecursionError):
        raise TokenError(50027) from None


def check_assertion(
    assertion: Assertion,
    *,
    client_id: str,
    audiences: Sequence[str],
    keys: Sequence[KeyCredential],
    now: float,
) -> KeyCredential:
    """Return the currently valid certificate of the application that signed an assertion.

    Args:
        assertion: what `read_assertion` returned.
        client_id: the application, which must be its subject.
        audiences: the URLs of this token endpoint.
        keys: the application's certificates on the chosen replica.
        now: Unix time of the emulated clock.

    Raises:
        TokenError: 700027 no such key, 50012 bad signature, 700024 time,
            700023 audience, 50027 malformed.
    """
    if assertion.claims.get("sub") != client_id:
        raise TokenError(50027)
    usable = [key for key in keys if key.usage == VERIFY]
    key = signing_key(assertion, client_id, usable, now)
    check_signature(assertion, key)
    check_times(assertion, now)
    if assertion.claims.get("aud") not in audiences:
        raise TokenError(700023)
    return key


def signing_key(
    assertion: Assertion, client_id: str, keys: Sequence[KeyCredential], now: float
) -> KeyCredential:
    """Return the currently valid certificate that the header names.

    Raises:
        TokenError: 700027 there is none, 50027 the header names no key.
    """
    thumbprint, wanted = _named_key(assertion)
    found = [key for key in keys if _is_named(key.certificate, thumbprint)]
    if not found:
        raise TokenError(700027, app=client_id, name=wanted, reason="The key was not found.")
    instant = int(now * 10_000_000)
    usable = [key for key in found if key.start <= instant < key.end]
    if not usable:
        reason = "The key used is expired or not yet valid."
        raise TokenError(700027, app=client_id, name=wanted, reason=reason)
    return usable[0]


def _named_key(assertion: Assertion) -> tuple[bytes, str]:
    """Return the thumbprint in the header, as bytes and as Entra's error shows it."""
    header = assertion.header
    try:
        for name in ("x5t#S256", "x5t"):
            if isinstance(header.get(name), str):
                thumbprint = decode_segment(header[name])
                return thumbprint, thumbprint.hex().upper()
        chain = header.get("x5c")
        if isinstance(chain, list) and chain:
            certificate = read_certificate(base64.b64decode(str(chain[0])))
            return certificate.sha256, certificate.sha256.hex().upper()
    except (ValueError, binascii.Error):
        raise TokenError(50027) from None
    raise TokenError(50027)


def _is_named(certificate: Certificate, thumbprint: bytes) -> bool:
    return thumbprint in {certificate.sha256, bytes.fromhex(certificate.thumbprint)}


def check_signature(assertion: Assertion, key: KeyCredential) -> None:
    """Accept an assertion that the private key of a certificate signed.

    Raises:
        TokenError: 50012 bad signature, 50027 an algorithm that Entra does not accept.
    """
    public = key.certificate.public_key
    if public is None:
        raise TokenError(50012)
    schemes: dict[str, padding.AsymmetricPadding] = {
        "PS256": padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.AUTO),
        "RS256": padding.PKCS1v15(),
    }
    scheme = schemes.get(str(assertion.header.get("alg")))
    if scheme is None:
        raise TokenError(50027)
    _verify(public, assertion, scheme)


def _verify(
    public: rsa.RSAPublicKey, assertion: Assertion, scheme: padding.AsymmetricPadding
) -> None:
    try:
        public.verify(assertion.signature, assertion.signed, scheme, hashes.SHA256())
    except InvalidSignature:
        raise TokenError(50012) from None


def check_times(assertion: Assertion, now: float) -> None:
    """Refuse an assertion before `nbf` or after `exp`, with five minutes of tolerance.

    Raises:
        TokenError: 700024, or 50027 for a missing `exp` or a time that is not a number.
    """
    start, end = time_of(assertion, "nbf"), time_of(assertion, "exp")
    if end is None:
        raise TokenError(50027)
    if now >= end + SKEW_SECONDS or (start is not None and now < start - SKEW_SECONDS):
        raise TokenError(
            700024, parts={"now": _shown(now), "start": _shown(start), "end": _shown(end)}
        )


def _shown(instant: float | None) -> str:
    if instant is None:
        return "-"
    try:
        return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
    except (ValueError, OverflowError, OSError):
        return "-"


def time_of(assertion: Assertion, name: str) -> float | None:
    """Return a time claim as Unix time; None if it is missing.

    Raises:
        TokenError: 50027, the claim is not a number.
    """
    value = assertion.claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(50027)
    try:
        return float(value)
    except OverflowError:
        raise TokenError(50027) from None
