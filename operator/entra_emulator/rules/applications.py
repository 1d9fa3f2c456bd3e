"""The rules for the properties of an application, in a create or an update."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from entra_emulator.directory.entities import ApplicationProperties, Audience
from entra_emulator.errors.graph import GraphError, bad_request, unknown_property
from entra_emulator.rules.property_values import (
    is_annotation,
    not_emulated,
    read_only,
    same_value,
    stored_value,
)
from entra_emulator.rules.stored_properties import (
    APPLICATION_ABSENT,
    APPLICATION_FIXED,
    APPLICATION_STORED,
)

_MAX_NAME = 256
_TYPE = "application"


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


def _unique_name(name: str, value: Any) -> str | None:
    """A name that is empty could not stand in a path."""
    return None if value is None else _display_name(name, value)


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
    "uniqueName": ("unique_name", _unique_name),
}
_READ_ONLY = frozenset({"id", "appId", "createdDateTime", "deletedDateTime", *APPLICATION_FIXED})


def created_properties(body: Mapping[str, Any], owners: tuple[str, ...]) -> ApplicationProperties:
    """Return the properties of a new application; raise GraphError for a bad body."""
    if "displayName" not in body:
        raise bad_request(
            "A value is required for property 'displayName' of resource 'Application'."
        )
    base = ApplicationProperties(display_name="-", owners=owners)
    return changed_properties(base, body, {})


def changed_properties(
    base: ApplicationProperties, body: Mapping[str, Any], shown: Mapping[str, Any]
) -> ApplicationProperties:
    """Return the properties after an update; properties that the body does not name stay.

    Args:
        base: the properties before.
        body: the body of the request.
        shown: what a read shows before; a body may repeat what it cannot change.

    Raises:
        GraphError: 400 for a wrong or unknown property, or another value of a read-only one.
    """
    changes: dict[str, Any] = {}
    stored = dict(base.stored)
    for name, value in body.items():
        if name in _WRITABLE:
            field, read = _WRITABLE[name]
            changes[field] = read(name, value)
        elif (known := APPLICATION_STORED.get(name)) is not None:
            current = stored.get(name, known.default)
            stored[name] = stored_value(known, _TYPE, name, value, current)
        elif not is_annotation(name) and not (name in shown and same_value(value, shown[name])):
            raise _refusal(name)
    changed = replace(base, **changes, stored=stored)
    # Graph, resource type application: immutable; one that was never set can be set once (Bicep
    # templates for Graph, "Onboard existing resources").
    if base.unique_name not in {None, changed.unique_name}:
        raise read_only("uniqueName")
    return changed


def _refusal(name: str) -> GraphError:
    if name == "passwordCredentials":
        return bad_request("New password credentials must be generated with service actions.")
    if name in _READ_ONLY:
        return read_only(name)
    if name in APPLICATION_ABSENT:
        return not_emulated(name, _TYPE)
    return unknown_property(name, _TYPE)
