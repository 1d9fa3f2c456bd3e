"""The rules for the properties of a service principal, in a create or an update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from entra_emulator.errors.graph import bad_request, unknown_property
from entra_emulator.rules.property_values import (
    Kind,
    Stored,
    is_annotation,
    read_only,
    same_value,
    stored_value,
)
from entra_emulator.rules.stored_properties import PRINCIPAL_STORED

_TYPE = "servicePrincipal"
NAMES = "servicePrincipalNames"
"""Those of the application, followed by those that were added to the service principal."""


def principal_changes(
    body: Mapping[str, Any], stored: Mapping[str, Any], shown: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the fields of a service principal that a body changes.

    Args:
        body: the body of the request.
        stored: the stored properties before.
        shown: what a read shows before; a body may repeat what it cannot change.

    Raises:
        GraphError: 400 for a wrong or unknown property, or another value of a read-only one.
    """
    changes: dict[str, Any] = {}
    values = dict(stored)
    for name, value in body.items():
        if name == "accountEnabled":
            changes["account_enabled"] = _flag(name, value)
        elif (known := PRINCIPAL_STORED.get(name)) is not None:
            current = values.get(name, known.default)
            values[name] = stored_value(known, _TYPE, name, value, current)
        elif name == NAMES and name in shown:
            values[name] = _added_names(value, stored, shown)
        elif name in shown and not same_value(value, shown[name]):
            raise read_only(name)
        elif name not in shown and not is_annotation(name):
            raise unknown_property(name, _TYPE)
    return {**changes, "stored": values}


def _added_names(
    value: Any, stored: Mapping[str, Any], shown: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the names that a body has beyond those of the application, which must all be there.

    Microsoft's guide to hybrid modern authentication in Exchange adds names so. What Entra says to
    a body without the application's own names is not known.
    """
    names = stored_value(Stored(kind=Kind.TEXTS), _TYPE, NAMES, value, None)
    added = stored.get(NAMES, ())
    own = [name for name in shown[NAMES] if name not in added]
    if not set(own) <= set(names):
        raise read_only(NAMES)
    return tuple(dict.fromkeys(name for name in names if name not in own))


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise bad_request(f"A value of type boolean is expected for property '{name}'.")
    return value
