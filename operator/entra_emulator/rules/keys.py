"""The rules for one new `keyCredential`: kind, bytes, identifier and dates."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from entra_emulator.clock import EmulatorClock
from entra_emulator.directory.entities import CERTIFICATE, KEY_PAIR, SIGN, VERIFY, KeyCredential
from entra_emulator.directory.replication import Change
from entra_emulator.errors.graph import GraphError, bad_request
from entra_emulator.rules.passwords import known_only, optional_text, optional_time
from entra_emulator.values.certificates import (
    Certificate,
    decode_binary,
    encode_binary,
    read_certificate,
    read_key_pair,
)
from entra_emulator.values.instants import Ticks, add_years, ticks_of

_MAX_NAME = 90
_MAX_IDENTIFIER = 32
_DEFAULT_YEARS = 1
_USAGES = frozenset({SIGN, VERIFY})
_KNOWN = frozenset(
    {
        "customKeyIdentifier",
        "displayName",
        "endDateTime",
        "key",
        "keyId",
        "startDateTime",
        "type",
        "usage",
    }
)


def key_object(value: Any) -> Mapping[str, Any]:
    """Return a keyCredential of a body; refuse unknown properties."""
    if not isinstance(value, Mapping):
        raise bad_request("A value of type object is expected for 'keyCredentials'.")
    known_only(value, _KNOWN, "keyCredential")
    return value


def new_certificate(
    wanted: Mapping[str, Any], clock: EmulatorClock, added: Callable[[], Change]
) -> KeyCredential:
    """Return the public certificate that a PATCH or addKey makes.

    Args:
        wanted: the entry of the body.
        clock: the emulated time.
        added: makes the change; called only after all checks.

    Raises:
        GraphError: Graph would refuse the kind, the content or the dates.
    """
    _check_kind(wanted, CERTIFICATE, VERIFY)
    certificate = certificate_of(_content(wanted))
    return _new(wanted, certificate, clock, added)


def new_key_pair(
    wanted: Mapping[str, Any], password: str, clock: EmulatorClock, added: Callable[[], Change]
) -> KeyCredential:
    """Return the certificate that addKey makes of a PKCS #12 file.

    Raises:
        GraphError: Graph would refuse the kind, the content, the password or the dates.
    """
    _check_kind(wanted, KEY_PAIR, SIGN)
    try:
        certificate = read_key_pair(_binary(_content(wanted)), password)
    except ValueError:
        raise bad_request(
            "Key credential value is not a certificate with a private key that the password opens."
        ) from None
    return _new(wanted, certificate, clock, added)


def certificate_of(text: str) -> Certificate:
    """Read the certificate in a `key`: base64 of DER or PEM."""
    content = _binary(text)
    try:
        return read_certificate(content)
    except ValueError:
        raise bad_request("Key credential value is not a valid certificate.") from None


def key_id_of(wanted: Mapping[str, Any]) -> str | None:
    """Return the keyId in normal form; None if it is missing."""
    value = wanted.get("keyId")
    if value is None:
        return None
    try:
        return str(uuid.UUID(value))
    except (ValueError, TypeError, AttributeError):
        raise bad_request(
            "Cannot convert a primitive value to the expected type 'Edm.Guid'."
        ) from None


def _new(
    wanted: Mapping[str, Any],
    certificate: Certificate,
    clock: EmulatorClock,
    added: Callable[[], Change],
) -> KeyCredential:
    # A certificate of a client whose clock is ahead is not valid yet.
    start = optional_time(wanted, "startDateTime") or max(clock.stamp(), certificate.start)
    default = min(add_years(start, _DEFAULT_YEARS), certificate.end)
    end = optional_time(wanted, "endDateTime") or default
    _check_dates(certificate, start, end, ticks_of(clock.now()))
    name = optional_text(wanted, "displayName") or certificate.subject
    return KeyCredential(
        key_id=key_id_of(wanted) or str(uuid.uuid4()),
        type=wanted["type"],
        usage=wanted["usage"],
        display_name=name[:_MAX_NAME],
        start=start,
        end=end,
        custom_key_identifier=_identifier(wanted) or certificate.thumbprint,
        certificate=certificate,
        added=added(),
    )


def _check_kind(wanted: Mapping[str, Any], kind: str, usage: str) -> None:
    if wanted.get("usage") not in _USAGES:
        raise bad_request(
            'The value for the property "usage" in one of your credentials is invalid. Acceptable'
            " values are Sign, Verify."
        )
    if wanted.get("type") != kind or wanted["usage"] != usage:
        raise bad_request(
            'The value for the property "type" in one of your credentials is invalid: what has'
            f" the type {kind} has the usage {usage}."
        )


def _content(wanted: Mapping[str, Any]) -> str:
    content = wanted.get("key")
    if content is None:
        raise bad_request("A value is required for property 'key' of a new key credential.")
    if not isinstance(content, str):
        raise _no_binary()
    return content


def _binary(text: str) -> bytes:
    try:
        return decode_binary(text)
    except ValueError:
        raise _no_binary() from None


def _no_binary() -> GraphError:
    return bad_request(
        "Cannot convert a primitive value to the expected type 'Edm.Binary'. See the inner"
        " exception for more details."
    )


def _identifier(wanted: Mapping[str, Any]) -> str | None:
    text = optional_text(wanted, "customKeyIdentifier")
    if text is None:
        return None
    content = _binary(text)
    if not 0 < len(content) <= _MAX_IDENTIFIER:
        raise bad_request(
            "The application key identifier cannot be empty and can be at most"
            f" {_MAX_IDENTIFIER} bytes."
        )
    return encode_binary(content)


def _check_dates(certificate: Certificate, start: Ticks, end: Ticks, now: Ticks) -> None:
    if start < certificate.start or start >= certificate.end:
        raise bad_request("Key credential start date is invalid.", "KeyCredentialsInvalidStartDate")
    if end > certificate.end or end <= start or end <= now:
        raise bad_request("Key credential end date is invalid.", "KeyCredentialsInvalidEndDate")
