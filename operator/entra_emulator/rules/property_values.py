"""The types of properties in bodies, and what a body may carry beside properties."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, assert_never

from entra_emulator.errors.graph import GraphError, bad_request, unknown_property
from entra_emulator.values.instants import TICKS_PER_SECOND, parse_time

_ANNOTATIONS = frozenset({"odata.type", "odata.id", "odata.context"})


class Kind(Enum):
    """The types of properties, as far as a body is checked."""

    TEXT = auto()
    FLAG = auto()
    GUID = auto()
    TEXTS = auto()
    GUIDS = auto()
    OBJECTS = auto()
    OBJECT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A property that the emulator keeps and shows, and that has no effect in it.

    Args:
        kind: its type; only the top level is checked.
        default: what a read shows where nobody has set it.
        members: the members of an OBJECT; one that a body does not name stays as it is.
    """

    kind: Kind
    default: Any = None
    members: tuple[str, ...] = ()


def is_annotation(name: str) -> bool:
    """Return whether a member says only what the type, the id or the context of something is."""
    return name.partition("@")[2] in _ANNOTATIONS


def stored_value(stored: Stored, type_name: str, name: str, value: Any, current: Any) -> Any:
    """Return the value of a property after an update; null sets it back to its default.

    Args:
        stored: the property.
        type_name: the type that has it, such as `application`.
        name: its name.
        value: what the body says.
        current: what a read shows before.

    Raises:
        GraphError: the value has another type.
    """
    if value is None and stored.kind not in _COLLECTIONS:
        return stored.default
    if stored.kind is Kind.OBJECT:
        return _merged(stored, type_name, name, value, current)
    if not _fits(stored.kind, value):
        raise _wrong_type(type_name, name)
    return value


def same_value(value: Any, shown: Any) -> bool:
    """Return whether a body repeats what reads show.

    Instants are compared by whole seconds, and GUIDs without regard to case.
    """
    if value == (list(shown) if isinstance(shown, tuple) else shown):
        return True
    if _is_guid(value) and isinstance(shown, str):
        return bool(value.lower() == shown.lower())
    try:
        return parse_time(value) // TICKS_PER_SECOND == parse_time(shown) // TICKS_PER_SECOND
    except (TypeError, ValueError):
        return False


def read_only(name: str) -> GraphError:
    """Return the error for another value of a property that only the server sets."""
    return bad_request(f"Property '{name}' is read-only and cannot be set.")


def not_emulated(name: str, type_name: str) -> GraphError:
    """Return the error for a property that Graph has and the emulator has not."""
    return bad_request(
        f"Property '{name}' of type 'microsoft.graph.{type_name}' is not emulated here."
    )


_COLLECTIONS = frozenset({Kind.TEXTS, Kind.GUIDS, Kind.OBJECTS})


def _fits(kind: Kind, value: Any) -> bool:
    match kind:
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.FLAG:
            return isinstance(value, bool)
        case Kind.GUID:
            return _is_guid(value)
        case Kind.TEXTS:
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case Kind.GUIDS:
            return isinstance(value, list) and all(_is_guid(one) for one in value)
        case Kind.OBJECTS:
            return isinstance(value, list) and all(isinstance(one, Mapping) for one in value)
        case Kind.OBJECT:
            return isinstance(value, Mapping)
        case _:
            assert_never(kind)


def _merged(stored: Stored, type_name: str, name: str, value: Any, current: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong_type(type_name, name)
    given = {key: one for key, one in value.items() if not is_annotation(key)}
    shown = current or {}
    for key, one in given.items():
        if key not in stored.members and not (key in shown and one == shown[key]):
            raise unknown_property(key, f"{type_name}/{name}")
    return {**dict.fromkeys(stored.members), **shown, **given}


def _is_guid(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == 36 and uuid.UUID(value) is not None
    except ValueError:
        return False


def _wrong_type(type_name: str, name: str) -> GraphError:
    resource = type_name[:1].upper() + type_name[1:]
    return bad_request(f"Invalid value specified for property '{name}' of resource '{resource}'.")
