"""YAML as kubectl reads it, where Python's reader is of another mind. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
_BASE_SIXTY: Final = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")


class _Loader(yaml.SafeLoader):
    """Leaves times such as `2026-11-22T10:00:00Z` and `22:00` the strings that kubectl sends."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        found = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        is_base_sixty = isinstance(value, str) and _BASE_SIXTY.fullmatch(value) is not None
        return self.DEFAULT_SCALAR_TAG if found == _TIMESTAMP or is_base_sixty else found


def load_all(text: str) -> Iterator[Any]:
    """Yield the documents of a text.

    Raises:
        yaml.YAMLError, ValueError, RecursionError: it is no YAML.
    """
    return yaml.load_all(text, _Loader)
