"""The one empty mapping: ten thousand resources would hold a dozen each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

_EMPTY: Final[Mapping[Any, Any]] = MappingProxyType({})


def no_entries() -> Mapping[Any, Any]:
    """Return the mapping without entries, which nobody can write to."""
    return _EMPTY
