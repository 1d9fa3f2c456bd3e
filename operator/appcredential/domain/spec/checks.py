"""Checks of single values: each returns the parsed value, or names the field and the remedy.

Patterns and bounds are those of the CRDs. Python's `$` also matches before a final line
break, so every pattern has to match in full.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn, TypeVar

from appcredential.domain.spec.durations import format_duration, parse_duration
from appcredential.domain.spec.reserved import (
    RESERVED_NAMESPACES,
    AllowedKeys,
    is_reserved_key,
)
from appcredential.errors import InvalidSpecError

T = TypeVar("T")

MAX_LIST: Final = 256
MAX_ENTRIES: Final = 32

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")
_QUALIFIED: Final = re.compile(
    r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?"
)
_TRIMMED: Final = re.compile(r"[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?")
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?)?")
_TIME: Final = re.compile(
    r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)


def refuse(path: str, remedy: str) -> NoReturn:
    """Raise for the field at `path`."""
    raise InvalidSpecError(path, remedy)


def require(ok: bool, path: str, remedy: str) -> None:
    """Raise for the field at `path` unless `ok`."""
    if not ok:
        refuse(path, remedy)


def is_guid(value: str) -> bool:
    """Return whether a value is a GUID in lower case."""
    return _GUID.fullmatch(value) is not None


def guid(path: str, value: str) -> str:
    """Return an id that is a GUID in lower case, as Graph writes it."""
    lower = value.lower()
    remedy = f"must be in lower case: {lower}" if is_guid(lower) else "must be a GUID in lower case"
    require(is_guid(value), path, remedy)
    return value


def is_object_name(value: str) -> bool:
    """Return whether an object can have this name: a DNS-1123 subdomain."""
    return len(value) <= 253 and all(_LABEL.fullmatch(part) for part in value.split("."))


def object_name(path: str, value: str) -> str:
    """Return the name of a Kubernetes object: a DNS-1123 subdomain."""
    remedy = "must be a lower-case DNS name of at most 253 characters"
    require(is_object_name(value), path, remedy)
    return value


def is_namespace_name(value: str) -> bool:
    """Return whether a namespace can have this name: a DNS-1123 label."""
    return len(value) <= 63 and _LABEL.fullmatch(value) is not None


def namespace_name(path: str, value: str) -> str:
    """Return the name of a namespace that a grant may name."""
    remedy = "must be a lower-case DNS label of at most 63 characters"
    require(is_namespace_name(value), path, remedy)
    ok = value not in RESERVED_NAMESPACES
    require(ok, path, f"may not be {', '.join(RESERVED_NAMESPACES)}: name another namespace")
    return value


def secret_key(path: str, value: str) -> str:
    """Return a key of a Secret."""
    ok = (
        len(value) <= 253
        and _KEY.fullmatch(value) is not None
        and value != "."
        and not value.startswith("..")
    )
    remedy = (
        "must consist of at most 253 letters, digits, dots, dashes and underscores, "
        "and may not be . or start with .."
    )
    require(ok, path, remedy)
    return value


def duration(path: str, value: str, low: timedelta, high: timedelta | None = None) -> timedelta:
    """Return a duration within inclusive bounds."""
    try:
        found = parse_duration(value)
    except ValueError as error:
        refuse(path, str(error))
    require(found >= low, path, f"must be at least {format_duration(low)}")
    if high is not None:
        require(found <= high, path, f"must be at most {format_duration(high)}")
    return found


def between(path: str, value: int, low: int, high: int) -> int:
    """Return a number within inclusive bounds."""
    require(low <= value <= high, path, f"must be between {low} and {high}")
    return value


def moment(path: str, value: str) -> datetime:
    """Return an RFC 3339 time in UTC."""
    remedy = (
        "must be an RFC 3339 time such as 2026-11-22T10:00:00Z; "
        "the one of this moment is what date -u +%Y-%m-%dT%H:%M:%SZ prints"
    )
    require(_TIME.fullmatch(value) is not None, path, remedy)
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        refuse(path, remedy)


def listed(
    path: str, values: list[T], each: Callable[[str, T], T], most: int = MAX_LIST
) -> frozenset[T]:
    """Return a list's items as a set: at least one, bounded, no duplicates."""
    require(len(values) >= 1, path, "must have at least one item")
    require(len(values) <= most, path, f"must have at most {most} items")
    found = frozenset(each(f"{path}[{i}]", value) for i, value in enumerate(values))
    require(len(found) == len(values), path, "may not contain an item twice")
    return found


def entries(path: str, values: Mapping[str, object]) -> None:
    """Check the number of entries of a map."""
    require(len(values) <= MAX_ENTRIES, path, f"must have at most {MAX_ENTRIES} entries")


def is_metadata_key(value: str) -> bool:
    """Return whether a label or annotation can have this key."""
    return len(value) <= 317 and value.find("/") <= 253 and _QUALIFIED.fullmatch(value) is not None


def metadata_keys(path: str, keys: Iterable[str], allowed: AllowedKeys) -> None:
    """Check keys of labels or annotations: their form, and that they are allowed."""
    form = (
        "keys must be a name of at most 63 letters, digits, dots, dashes and underscores, "
        "with an optional lower-case DNS prefix and a slash before it"
    )
    for key in keys:
        require(is_metadata_key(key), path, form)
        remedy = f"may not contain {key}: other tools act on it; remove the key"
        require(not is_reserved_key(key), path, remedy)
        remedy = (
            f"may not contain {key}, which is not among the allowed keys: remove the key, or ask "
            "the administrator to add it, or its prefix with the slash, to the operator's setting "
            "ALLOWED_SECRET_KEYS (settings.allowedSecretKeys of the chart)"
        )
        require(allowed.allows(key), path, remedy)


def is_label_value(value: str) -> bool:
    """Return whether a label can have this value."""
    return len(value) <= 63 and _LABEL_VALUE.fullmatch(value) is not None


def label_value(path: str, value: str) -> str:
    """Return the value of a label."""
    remedy = (
        "must be at most 63 letters, digits, dots, dashes and underscores, "
        "beginning and ending with a letter or digit"
    )
    require(is_label_value(value), path, remedy)
    return value


def trimmed(path: str, value: str, length: int) -> str:
    """Return a text of bounded length that neither begins nor ends with a blank."""
    at_most(path, value, length)
    remedy = "may not be empty, contain control characters, or begin or end with a blank"
    require(_TRIMMED.fullmatch(value) is not None, path, remedy)
    return value


def at_most(path: str, value: str, length: int) -> str:
    """Return a text of bounded length."""
    require(len(value) <= length, path, f"must have at most {length} characters")
    return value
