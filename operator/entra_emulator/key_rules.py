"""The rules of `keyCredentials` on values: what a PATCH of the whole list keeps, adds and removes.

There is no compare-and-swap: what the list does not name is gone, whoever added it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from entra_emulator.certificates import (
    Certificate,
    decode_binary,
    encode_binary,
    read_certificate,
)
from entra_emulator.clock import EmulatorClock
from entra_emulator.entities import ApplicationView, KeyCredential
from entra_emulator.graph_errors import GraphError, bad_request
from entra_emulator.graph_time import Ticks, add_years, ticks_of
from entra_emulator.password_rules import (
    OBJECT_LIMIT,
    known_only,
    optional_text,
    optional_time,
    too_large,
)
from entra_emulator.replication import Change

CERTIFICATE = "AsymmetricX509Cert"
VERIFY = "Verify"
_MAX_NAME = 90
_MAX_IDENTIFIER = 32
_DEFAULT_YEARS = 1
_USAGES = frozenset({"Sign", VERIFY})
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


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a PATCH makes of the list."""

    kept: frozenset[str]
    added: tuple[KeyCredential, ...]


def replaced_keys(
    view: ApplicationView, body: Any, clock: EmulatorClock, change: Callable[[], Change]
) -> Replacement:
    """Compare a whole list with the keys that exist.

    An entry with a known keyId stays and may not differ in anything; `key` may be
    null or left out there. Any other entry is new and needs its `key`.

    Args:
        view: the authoritative state.
        body: the value of `keyCredentials` in the request.
        clock: the emulated time.
        change: makes the change of a new entry.

    Raises:
        GraphError: whatever Graph refuses; nothing was changed then.
    """
    if not isinstance(body, list):
        raise bad_request("A collection is expected for property 'keyCredentials'.")
    existing = {key.key_id: key for key in view.keys}
    kept: set[str] = set()
    new: list[KeyCredential] = []
    for entry in body:
        wanted = _entry(entry)
        known = _kept_entry(existing, wanted)
        if known is not None:
            _check_unchanged(known, wanted)
            kept.add(known.key_id)
        else:
            new.append(_new_key(wanted, clock, change()))
    _check_ids(kept, new, len(body))
    if len(kept) + len(new) + len(view.passwords) > OBJECT_LIMIT:
        raise too_large()
    return Replacement(frozenset(kept), tuple(new))


def _entry(entry: Any) -> Mapping[str, Any]:
    if not isinstance(entry, Mapping):
        raise bad_request("A value of type object is expected for 'keyCredentials'.")
    known_only(entry, _KNOWN, "keyCredential")
    return entry


def _kept_entry(
    existing: Mapping[str, KeyCredential], wanted: Mapping[str, Any]
) -> KeyCredential | None:
    """Return the key that an entry stands for: by keyId, else by identifier and bytes."""
    key_id = _key_id(wanted)
    if key_id is not None:
        return existing.get(key_id)
    identifier, content = wanted.get("customKeyIdentifier"), wanted.get("key")
    return next(
        (
            key
            for key in existing.values()
            if identifier == key.custom_key_identifier and _is_same_key(key, content)
        ),
        None,
    )


def _is_same_key(key: KeyCredential, content: Any) -> bool:
    return isinstance(content, str) and _certificate(content).der == key.certificate.der


def _key_id(wanted: Mapping[str, Any]) -> str | None:
    value = wanted.get("keyId")
    if value is None:
        return None
    try:
        return str(uuid.UUID(value))
    except (ValueError, TypeError, AttributeError):
        raise bad_request(
            "Cannot convert a primitive value to the expected type 'Edm.Guid'."
        ) from None


def _check_unchanged(key: KeyCredential, wanted: Mapping[str, Any]) -> None:
    times = {"startDateTime": key.start, "endDateTime": key.end}
    texts = {
        "displayName": key.display_name,
        "type": CERTIFICATE,
        "usage": VERIFY,
        "customKeyIdentifier": key.custom_key_identifier,
    }
    changed = any(optional_time(wanted, name) not in {None, at} for name, at in times.items())
    changed = changed or any(wanted.get(name, text) != text for name, text in texts.items())
    content = wanted.get("key")
    if changed or (content is not None and not _is_same_key(key, content)):
        raise GraphError(
            400,
            "Request_BadRequest",
            f"Update to existing credential with KeyId '{key.key_id}' is not allowed.",
            details=[
                {
                    "code": "KeyNotUpdatable",
                    "message": "Existing key credentials cannot be changed.",
                    "target": "keyCredentials",
                }
            ],
        )


def _new_key(wanted: Mapping[str, Any], clock: EmulatorClock, added: Change) -> KeyCredential:
    _check_kind(wanted)
    certificate = _certificate(_required_key(wanted))
    now = ticks_of(clock.now())
    start = optional_time(wanted, "startDateTime") or clock.stamp()
    end = optional_time(wanted, "endDateTime") or add_years(start, _DEFAULT_YEARS)
    _check_dates(certificate, start, end, now)
    name = optional_text(wanted, "displayName") or certificate.subject
    return KeyCredential(
        key_id=_key_id(wanted) or str(uuid.uuid4()),
        display_name=name[:_MAX_NAME],
        start=start,
        end=end,
        custom_key_identifier=_identifier(wanted) or certificate.thumbprint,
        certificate=certificate,
        added=added,
    )


def _check_kind(wanted: Mapping[str, Any]) -> None:
    if wanted.get("usage") not in _USAGES:
        raise bad_request(
            'The value for the property "usage" in one of your credentials is invalid. Acceptable'
            " values are Sign, Verify."
        )
    if wanted.get("type") != CERTIFICATE or wanted["usage"] != VERIFY:
        raise bad_request(
            'The value for the property "type" in one of your credentials is invalid: a'
            f" certificate has the type {CERTIFICATE} and the usage {VERIFY}."
        )


def _required_key(wanted: Mapping[str, Any]) -> str:
    content = wanted.get("key")
    if content is None:
        raise bad_request("A value is required for property 'key' of a new key credential.")
    if not isinstance(content, str):
        raise _no_binary()
    return content


def _certificate(text: str) -> Certificate:
    try:
        content = decode_binary(text)
    except ValueError:
        raise _no_binary() from None
    try:
        return read_certificate(content)
    except ValueError:
        raise bad_request("Key credential value is not a valid certificate.") from None


def _no_binary() -> GraphError:
    return bad_request(
        "Cannot convert a primitive value to the expected type 'Edm.Binary'. See the inner"
        " exception for more details."
    )


def _identifier(wanted: Mapping[str, Any]) -> str | None:
    text = optional_text(wanted, "customKeyIdentifier")
    if text is None:
        return None
    try:
        content = decode_binary(text)
    except ValueError:
        raise _no_binary() from None
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


def _check_ids(kept: set[str], new: Sequence[KeyCredential], entries: int) -> None:
    ids = kept | {key.key_id for key in new}
    if len(ids) != entries:
        raise bad_request("Two key credentials of the list have the same keyId.")
