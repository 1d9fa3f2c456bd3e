"""The rules for federated identity credentials.

The content of an issuer or a subject is not checked: Graph accepts wrong ones, and the error shows
only when a token is exchanged.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from entra_emulator.directory.entities import FederatedCredential
from entra_emulator.errors.graph import GraphError, bad_request
from entra_emulator.rules.passwords import known_only, optional_text
from entra_emulator.rules.property_values import same_value

FIELDS = ("id", "name", "issuer", "subject", "description", "audiences")
MOST_CREDENTIALS = 20
_LONGEST = 600
_NAME = re.compile(r"[A-Za-z0-9._~=-]{1,120}")
_TYPE = "federatedIdentityCredential"
_INVALID = "InvalidFederatedIdentityCredentialValue"


def created_credential(
    body: Mapping[str, Any], existing: Sequence[FederatedCredential], ordinal: int
) -> FederatedCredential:
    """Return the credential that a body asks for, with an id chosen by the server.

    Args:
        body: the body of the request.
        existing: the authoritative credentials of the application.
        ordinal: the position of the new one in lists.

    Raises:
        GraphError: 409 for a name that is taken, 403 for the 21st, 400 for bad values.
    """
    known_only(body, frozenset(FIELDS), _TYPE)
    name = _required(body, "name")
    _check_name(name)
    if any(same_name(one, name) for one in existing):
        raise GraphError(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            f"FederatedIdentityCredential with name {name} already exists.",
        )
    made = FederatedCredential(
        id=str(uuid.uuid4()),
        ordinal=ordinal,
        name=name,
        issuer=_required(body, "issuer"),
        subject=_required(body, "subject"),
        audience=_audience(body.get("audiences")),
        description=_description(body),
    )
    _check_pair(made, existing)
    if len(existing) >= MOST_CREDENTIALS:
        raise GraphError(
            403,
            "Directory_QuotaExceeded",
            f"The limit of {MOST_CREDENTIALS} federated identity credentials has been reached.",
        )
    return made


def changed_credential(
    current: FederatedCredential,
    body: Mapping[str, Any],
    existing: Sequence[FederatedCredential],
) -> FederatedCredential:
    """Return a credential with the values of a body; values that it does not name stay.

    Raises:
        GraphError: 400 for bad values or another name: the name is immutable.
    """
    known_only(body, frozenset(FIELDS), _TYPE)
    for name, value in (("name", current.name), ("id", current.id)):
        if not same_value(body.get(name, value), value):
            raise bad_request(f"Property '{name}' of a federated identity credential is immutable.")
    wanted: dict[str, Any] = {name: _required(body, name) for name in _PAIR if name in body}
    if "audiences" in body:
        wanted["audience"] = _audience(body["audiences"])
    if "description" in body:
        wanted["description"] = _description(body)
    changed = replace(current, **wanted)
    _check_pair(changed, existing)
    return changed


_PAIR = ("issuer", "subject")


def same_name(credential: FederatedCredential, name: str) -> bool:
    """Return whether a credential has that name; Graph ignores case in names."""
    return credential.name.lower() == name.lower()


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise bad_request(f"Federated Identity Credential name '{name}' is invalid.")


def _required(body: Mapping[str, Any], name: str) -> str:
    text = optional_text(body, name)
    if not text:
        raise bad_request(f"A value is required for property '{name}' of type '{_TYPE}'.")
    return _bounded(name, text)


def _description(body: Mapping[str, Any]) -> str | None:
    text = optional_text(body, "description")
    return None if text is None else _bounded("description", text)


def _bounded(name: str, text: str) -> str:
    if len(text) > _LONGEST:
        raise bad_request(f"The value of property '{name}' is longer than {_LONGEST} characters.")
    return text


def _audience(value: Any) -> str:
    if not isinstance(value, list) or len(value) != 1:
        raise bad_request("Federated identity credentials must have exactly one audience.")
    return _required({"audiences": value[0]}, "audiences")


def _check_pair(wanted: FederatedCredential, existing: Sequence[FederatedCredential]) -> None:
    """Refuse an issuer and subject that another credential of the application has."""
    for one in existing:
        if one.id != wanted.id and (one.issuer, one.subject) == (wanted.issuer, wanted.subject):
            raise bad_request(
                "The combination of issuer and subject must be unique for the application."
                f" Issuer {wanted.issuer} and Subject: {wanted.subject} already exist."
                f" paramName: FederatedIdentityCredential.Subject, paramValue: {wanted.subject},"
                " objectType: Microsoft.Online.DirectoryServices.Application",
                _INVALID,
            )
