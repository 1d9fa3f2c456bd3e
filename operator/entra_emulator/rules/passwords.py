"""The rules for addPassword and removePassword, and checks that other rules share."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from entra_emulator.clock import EmulatorClock
from entra_emulator.directory.entities import (
    PERSONAL_AUDIENCES,
    ApplicationView,
    PasswordCredential,
)
from entra_emulator.directory.replication import Change
from entra_emulator.errors.graph import GraphError, bad_request, unknown_property
from entra_emulator.rules.property_values import is_annotation
from entra_emulator.values.instants import TICKS_PER_SECOND, Ticks, add_years, parse_time, ticks_of
from entra_emulator.values.secret_text import SecretText, digest_of, hint_of

_DEFAULT_YEARS = 2
_PERSONAL_LIMIT = 2
# Microsoft publishes no limit per kind; Graph has refused objects with 600 credentials.
OBJECT_LIMIT = 600
# Graph refuses a start "long in the past"; Microsoft does not say how long that is.
_OLDEST_START = timedelta(days=1)
_KNOWN = frozenset(
    {
        "customKeyIdentifier",
        "displayName",
        "endDateTime",
        "hint",
        "keyId",
        "secretText",
        "startDateTime",
    }
)


def check_count(view: ApplicationView) -> None:
    """Refuse a secret for a full object, and a third one if personal accounts can sign in."""
    check_room(view)
    personal = view.properties.sign_in_audience in PERSONAL_AUDIENCES
    if personal and len(view.passwords) >= _PERSONAL_LIMIT:
        raise bad_request(
            "An application that supports personal Microsoft accounts can have at most"
            f" {_PERSONAL_LIMIT} password credentials."
        )


def check_room(view: ApplicationView) -> None:
    """Refuse another credential for a full object."""
    if len(view.passwords) + len(view.keys) >= OBJECT_LIMIT:
        raise too_large()


def too_large() -> GraphError:
    """Return the error for an object with too many credentials."""
    return GraphError(
        403,
        "Directory_ResourceSizeExceeded",
        "The size of the object has exceeded its limit. Please reduce the number of values"
        " and retry your request.",
    )


def requested_password(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the `passwordCredential` of an addPassword body; empty if it is missing."""
    known_only(body, {"passwordCredential"}, "passwordCredential")
    wanted = body.get("passwordCredential")
    return {} if wanted is None else password_object(wanted)


def initial_passwords(wanted: Any) -> Sequence[Mapping[str, Any]]:
    """Return the `passwordCredentials` of a new application; no source shows more than one."""
    if not isinstance(wanted, list) or len(wanted) > 1:
        raise bad_request("A collection of one is expected for property 'passwordCredentials'.")
    return [password_object(one) for one in wanted]


def password_object(wanted: Any) -> Mapping[str, Any]:
    """Return a passwordCredential of a body; refuse unknown properties."""
    if not isinstance(wanted, Mapping):
        raise bad_request("A value of type object is expected for 'passwordCredential'.")
    known_only(wanted, _KNOWN, "passwordCredential")
    return wanted


def new_password(
    wanted: Mapping[str, Any], clock: EmulatorClock, added: Change, secret: SecretText
) -> PasswordCredential:
    """Return the credential that addPassword makes.

    The server chooses key id, secret and hint, and ignores those of the client.

    Raises:
        GraphError: Graph would refuse the dates, or a value has a wrong type.
    """
    start = optional_time(wanted, "startDateTime") or clock.stamp()
    end = optional_time(wanted, "endDateTime") or _default_end(start)
    _check_dates(start, end, ticks_of(clock.now()))
    return PasswordCredential(
        key_id=str(uuid.uuid4()),
        display_name=optional_text(wanted, "displayName"),
        start=start,
        end=end,
        hint=hint_of(secret),
        digest=digest_of(secret),
        added=added,
    )


def requested_key_id(body: Mapping[str, Any]) -> str:
    """Return the key id of a removePassword body in normal form."""
    known_only(body, {"keyId"}, "passwordCredential")
    try:
        return str(uuid.UUID(body["keyId"]))
    except KeyError:
        raise bad_request("A value is required for parameter 'keyId'.") from None
    except (ValueError, TypeError, AttributeError):
        raise bad_request(
            "Cannot convert a primitive value to the expected type 'Edm.Guid'."
        ) from None


def no_such_password(key_id: str) -> GraphError:
    """Return the error for a key id that the replica does not show (yet, or any more)."""
    return bad_request(f"No password credential found with keyId '{key_id}'.")


def known_only(body: Mapping[str, Any], known: set[str] | frozenset[str], type_name: str) -> None:
    """Refuse what a type does not have, except `@odata.type`, `@odata.id` and `@odata.context`."""
    for name in body:
        if not is_annotation(name) and name not in known:
            raise unknown_property(name, type_name)


def _default_end(start: Ticks) -> Ticks:
    try:
        return add_years(start, _DEFAULT_YEARS)
    except ValueError:
        raise bad_request(
            "Key credential start date is invalid.", "KeyCredentialsInvalidStartDate"
        ) from None


def _check_dates(start: Ticks, end: Ticks, now: Ticks) -> None:
    oldest = now - int(_OLDEST_START.total_seconds()) * TICKS_PER_SECOND
    if start < oldest:
        raise bad_request("Key credential start date is invalid.", "KeyCredentialsInvalidStartDate")
    if end <= start or end <= now:
        raise bad_request("Key credential end date is invalid.", "KeyCredentialsInvalidEndDate")


def optional_time(body: Mapping[str, Any], name: str) -> Ticks | None:
    """Return an Edm.DateTimeOffset of a body; None if it is missing."""
    value = body.get(name)
    if value is None:
        return None
    try:
        return parse_time(value)
    except (ValueError, TypeError):
        raise bad_request(
            f"Cannot convert the value of '{name}' to the expected type 'Edm.DateTimeOffset'."
        ) from None


def optional_text(body: Mapping[str, Any], name: str) -> str | None:
    """Return a string of a body; None if it is missing."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise bad_request(f"A value of type string is expected for '{name}'.")
    return value
