"""The rules for the properties of an application, in a create or an update."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from entra_emulator.directory.entities import ApplicationProperties, Audience
from entra_emulator.errors.graph import GraphError, bad_request, unknown_property

_MAX_NAME = 256


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise bad_request(
            f"Invalid value specified for property '{name}' of resource 'Application'."
        )
    return value


def _optional_text(name: str, value: Any) -> str | None:
    return None if value is None else _text(name, value)


def _display_name(name: str, value: Any) -> str:
    text = _text(name, value)
    if not 0 < len(text) <= _MAX_NAME:
        raise bad_request(
            f"Invalid value specified for property '{name}' of resource 'Application'."
        )
    return text


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise bad_request(f"A collection is expected for property '{name}'.")
    return tuple(_text(name, item) for item in value)


def _optional_flag(name: str, value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise bad_request(f"A value of type boolean is expected for property '{name}'.")
    return value


def _audience(name: str, value: Any) -> Audience:
    try:
        return Audience(_text(name, value))
    except ValueError:
        raise bad_request(
            f"Invalid value specified for property '{name}' of resource 'Application'."
        ) from None


_WRITABLE: Mapping[str, tuple[str, Callable[[str, Any], Any]]] = {
    "description": ("description", _optional_text),
    "displayName": ("display_name", _display_name),
    "identifierUris": ("identifier_uris", _texts),
    "isDisabled": ("is_disabled", _optional_flag),
    "notes": ("notes", _optional_text),
    "serviceManagementReference": ("service_management_reference", _optional_text),
    "signInAudience": ("sign_in_audience", _audience),
    "tags": ("tags", _texts),
    "uniqueName": ("unique_name", _optional_text),
}
_READ_ONLY = frozenset(
    {"id", "appId", "createdDateTime", "deletedDateTime", "disabledByMicrosoftStatus"}
)


def created_properties(body: Mapping[str, Any], owners: tuple[str, ...]) -> ApplicationProperties:
    """Return the properties of a new application; raise GraphError for a bad body."""
    if "displayName" not in body:
        raise bad_request(
            "A value is required for property 'displayName' of resource 'Application'."
        )
    base = ApplicationProperties(display_name="-", owners=owners)
    return changed_properties(base, body)


def changed_properties(
    base: ApplicationProperties, body: Mapping[str, Any]
) -> ApplicationProperties:
    """Return the properties after an update; properties that the body does not name stay."""
    changes: dict[str, Any] = {}
    for name, value in body.items():
        if "@" in name:
            continue
        if name not in _WRITABLE:
            raise _refusal(name)
        field, read = _WRITABLE[name]
        changes[field] = read(name, value)
    return replace(base, **changes)


def _refusal(name: str) -> GraphError:
    if name == "passwordCredentials":
        return bad_request("New password credentials must be generated with service actions.")
    if name in _READ_ONLY:
        return bad_request(f"Property '{name}' is read-only and cannot be set.")
    return unknown_property(name, "application")
