"""Graph's JSON, decoded into domain types.

Answers are decoded from bytes: the SDK's typed models take 15 times as long and 34 MiB (the
first entity imports the whole model tree). Unknown fields are ignored, because Graph adds some
without notice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from sys import intern
from typing import Any, Final, assert_never

import msgspec

from appcredential.domain.observed.entra import Application, Credential
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.checks import is_guid
from appcredential.domain.spec.grant import is_allow_tag
from appcredential.domain.spec.model import ClientId, CredentialType, KeyId, ObjectId
from appcredential.entra.answers import Guid, UnreadableAnswerError, decoded
from appcredential.entra.key_entries import ListedKey
from appcredential.ports.entra import MintedPassword

KEYS: Final = ["id", "keyCredentials"]
"""A read that selects these shows certificates with their bytes; the tenant's quota is small.

Ordinary reads select nothing, which costs as much and shows certificates without their bytes.
"""

# Old applications have null in these fields, and 9999-12-31 occurs as "never". Both bounds
# leave room for arithmetic.
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
# Entra allows 1,200 entries in all lists of an application together.
_MOST_ENTRIES: Final = 2_000
_FRACTION: Final = re.compile(r"(\.\d{6})\d+")
_THUMBPRINT: Final = re.compile(r"[0-9A-F]{40}")
_HINT: Final = re.compile(r"[!-~]{3}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class _Password(msgspec.Struct, frozen=True, rename="camel"):
    key_id: Guid
    display_name: str | None = None
    start_date_time: str | None = None
    end_date_time: str | None = None
    hint: str | None = None


class _NewPassword(_Password, frozen=True, kw_only=True, rename="camel"):
    secret_text: str

    def __repr__(self) -> str:
        return "_NewPassword(***)"


class _Key(_Password, frozen=True, rename="camel"):
    """A certificate. Others of its members are only sent back."""

    custom_key_identifier: str | None = None


class _Application(msgspec.Struct, frozen=True, rename="camel"):
    id: Guid
    app_id: Guid
    display_name: str | None = None
    created_date_time: str | None = None
    password_credentials: list[_Password] | None = None
    key_credentials: list[_Key] | None = None
    sign_in_audience: str | None = None
    tags: list[str] | None = None


class _Keys(msgspec.Struct, frozen=True, rename="camel"):
    key_credentials: list[dict[str, Any]]


class _OwnApplication(msgspec.Struct, frozen=True, rename="camel"):
    password_credentials: list[_Password] | None = None
    key_credentials: list[_Key] | None = None


class _OwnApplications(msgspec.Struct, frozen=True):
    value: list[_OwnApplication]


_APPLICATION: Final = msgspec.json.Decoder(_Application)
_KEYS: Final = msgspec.json.Decoder(_Keys)
_NEW_PASSWORD: Final = msgspec.json.Decoder(_NewPassword)
_OWN: Final = msgspec.json.Decoder(_OwnApplications)


def plain(text: str) -> str:
    """Return text of a server without control and text-direction characters."""
    return _CONTROL.sub("", text)


def decode_application(body: bytes, client_id: ClientId, read_time: datetime) -> Application:
    """Read the answer to GET /applications(appId='…').

    Args:
        body: the answer.
        client_id: of the application that the request named.
        read_time: when the request left; the state that it shows is not older.

    Raises:
        UnreadableAnswerError: the body has another shape, or is of another application.
    """
    raw = decoded(_APPLICATION, body, "an application")
    entries = [(entry, kind) for kind in CredentialType for entry in _with_application(raw, kind)]
    if len(entries) > _MOST_ENTRIES:
        raise UnreadableAnswerError("more credentials than an application can have")
    credentials = tuple(_credential(entry, kind) for entry, kind in entries)
    created = _time(raw.created_date_time, _EARLIEST)
    if raw.app_id.lower() != client_id:
        raise UnreadableAnswerError("another application than the one asked for")
    return Application(
        object_id=ObjectId(intern(raw.id)),
        client_id=client_id,
        display_name=plain(raw.display_name or ""),
        credentials=credentials,
        read_time=read_time,
        created=created,
        sign_in_audience=raw.sign_in_audience or "",
        tags=_allow_tags(raw.tags or ()),
    )


def _allow_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Return the tags that are meant for grants, in an order that does not depend on Graph's."""
    found = {tag for tag in tags if is_allow_tag(tag)}
    if len(found) > _MOST_ENTRIES:
        raise UnreadableAnswerError("more tags than an application can have")
    return tuple(intern(tag) for tag in sorted(found))


def decode_keys(body: bytes) -> tuple[ListedKey, ...]:
    """Read an application's certificates so that they can be sent back unchanged.

    Raises:
        UnreadableAnswerError: the body has another shape.
    """
    raw = decoded(_KEYS, body, "a list of certificates").key_credentials
    if len(raw) > _MOST_ENTRIES:
        raise UnreadableAnswerError("more certificates than an application can have")
    return tuple(_listed(entry) for entry in raw)


def _listed(entry: dict[str, Any]) -> ListedKey:
    content, key_id = entry.get("key"), entry.get("keyId")
    if not isinstance(key_id, str) or not is_guid(key_id.lower()):
        raise UnreadableAnswerError("a certificate without a key id")
    return ListedKey(
        key_id=KeyId(key_id.lower()),
        echo={name: value for name, value in entry.items() if name != "key" and "@" not in name},
        content=content if isinstance(content, str) else None,
    )


def decode_new_password(body: bytes) -> MintedPassword:
    """Read the answer to addPassword, the only answer that shows the value.

    Raises:
        UnreadableAnswerError: it lacks the key id or the value.
    """
    raw = decoded(_NEW_PASSWORD, body, "a password credential")
    credential = _credential(raw, CredentialType.CLIENT_SECRET)
    if not raw.secret_text:
        raise UnreadableAnswerError("a password credential without a value")
    return MintedPassword(credential, SecretValue(raw.secret_text))


def decode_own_end(body: bytes, credential: OperatorCredential) -> datetime | None:
    """Read from a list of applications when the operator's own credential ends.

    A certificate ends at its notAfter or at the end of its entry, whichever is sooner. For a
    client secret, Graph shows the first three characters: the end is known only when exactly one
    entry has those of `credential`. It is None when no or several entries have them, and when the
    application is in another tenant.

    Raises:
        UnreadableAnswerError: the body is no such list, so somebody else than Graph answered.
    """
    found = decoded(_OWN, body, "a list of applications").value
    entries = [k for app in found for k in app.key_credentials or ()]
    keys = [_end(k) for k in entries if _is(credential, k)]
    passwords = [p for app in found for p in app.password_credentials or ()]
    secrets = [_end(p) for p in passwords if _may_be(credential, p)]
    if credential.end is not None:
        return min([credential.end, *keys])
    return secrets[0] if len(secrets) == 1 else None


def _is(credential: OperatorCredential, raw: _Key) -> bool:
    thumbprint = (raw.custom_key_identifier or "").upper()
    return bool(credential.thumbprint) and thumbprint == credential.thumbprint


def _may_be(credential: OperatorCredential, raw: _Password) -> bool:
    return bool(raw.hint) and credential.value.reveal().startswith(str(raw.hint))


def _end(raw: _Password) -> datetime:
    return _time(raw.end_date_time, _LATEST)


def _with_application(raw: _Application, kind: CredentialType) -> Sequence[_Password]:
    """Return an application's credentials of a type, as Graph lists them with the application."""
    match kind:
        case CredentialType.CLIENT_SECRET:
            return raw.password_credentials or ()
        case CredentialType.CERTIFICATE:
            return raw.key_credentials or ()
        case CredentialType.FEDERATED_IDENTITY:
            return ()  # they have a list of their own, see `federated.py`
        case _:
            assert_never(kind)


def _credential(raw: _Password, kind: CredentialType) -> Credential:
    # The display name stays as it is: a cleaned foreign name could read like one of our markers.
    return Credential(
        key_id=KeyId(raw.key_id.lower()),
        display_name=raw.display_name or "",
        start=_time(raw.start_date_time, _EARLIEST),
        end=_time(raw.end_date_time, _LATEST),
        type=kind,
        shown=_shown(raw),
    )


def _shown(raw: _Password) -> str:
    """Return what the documented forms show of the value; empty for any other form."""
    text = (raw.custom_key_identifier or "").upper() if isinstance(raw, _Key) else raw.hint or ""
    return text if (_THUMBPRINT if isinstance(raw, _Key) else _HINT).fullmatch(text) else ""


def _time(text: str | None, missing: datetime) -> datetime:
    """Parse one of Graph's times: up to 7 fractional digits, of which 6 are kept.

    Raises:
        UnreadableAnswerError: it is none.
    """
    if text is None:
        return missing
    try:
        time = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    except ValueError:
        raise UnreadableAnswerError("a time in another form than Graph's") from None
    aware = time.replace(tzinfo=UTC) if time.tzinfo is None else time
    if aware.year >= _LATEST.year:
        return _LATEST
    return max(aware.astimezone(UTC), _EARLIEST) if aware.year > 1 else _EARLIEST
