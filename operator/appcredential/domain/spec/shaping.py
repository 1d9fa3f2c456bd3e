"""Manifests as JSON become the shapes of `manifest.py` and `manifest_cluster.py`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from appcredential.domain.spec.shape import Shape
from appcredential.errors import InvalidSpecError

S = TypeVar("S", bound=Shape)

_MISSING: Final = re.compile(r"Object missing required field `(.*)`")
_AT: Final = " - at `$"


def shaped(manifest: Mapping[str, Any], shape: type[S]) -> S:
    """Return a manifest as a shape, whose defaults fill in what is missing.

    Raises:
        InvalidSpecError: a member is unknown, missing or of another type; it names the field.
    """
    try:
        return msgspec.convert(_read_part(manifest), shape)
    except msgspec.ValidationError as error:
        raise _explain(str(error)) from None


def _read_part(manifest: Any) -> Any:
    """Return what is read of a manifest: metadata and status are longer than the spec."""
    if not isinstance(manifest, Mapping):
        return manifest
    found = {name: manifest.get(name) for name in ("metadata", "spec")}
    return {
        name: _without_nulls(part) if name == "spec" else part
        for name, part in found.items()
        if part is not None
    }


def _without_nulls(value: Any) -> Any:
    """Drop null members, as the API server does before it fills in defaults."""
    if isinstance(value, Mapping):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(v) for v in value]
    return value


def _explain(message: str) -> InvalidSpecError:
    """Turn msgspec's message, which ends in the path of a deeper fault, into ours."""
    what, _, path = message.partition(_AT)
    path = path.strip("`.")
    missing = _MISSING.fullmatch(what)
    if missing is not None:
        return InvalidSpecError(f"{path}.{missing[1]}".lstrip("."), "is required")
    return InvalidSpecError(path, what[0].lower() + what[1:].replace(" | null", ""))
