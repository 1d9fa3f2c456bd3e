"""Values that are never shown: secrets, tokens, assertions."""

from __future__ import annotations

import re
from typing import Any, Final

_HIDDEN: Final = "[redacted]"
# A shorter one is no secret, and replacing it would tear other words.
_SHORTEST: Final = 8
_VALUES: Final = frozenset({"secretText", "access_token", "token", "clientSecret"})
_GUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_THUMBPRINT = re.compile(r"\b[0-9A-F]{40}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?")


class Redacted:
    """A value that prints as `[redacted]`; only `reveal` returns it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, to be sent and never to be shown."""
        return self._value

    def __repr__(self) -> str:
        return _HIDDEN

    def __len__(self) -> int:
        return len(self._value)


class Vault:
    """Every value of a run, so that texts of others can be cleaned of them."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def keep(self, value: str) -> Redacted:
        """Return a value as one that does not show itself."""
        if len(value) >= _SHORTEST:
            self._values.add(value)
        return Redacted(value)

    def hide_in(self, document: Any) -> Any:
        """Return a JSON document in which the members that hold values are redacted ones."""
        if isinstance(document, dict):
            return {
                name: self.keep(item)
                if name in _VALUES and isinstance(item, str)
                else self.hide_in(item)
                for name, item in document.items()
            }
        if isinstance(document, list):
            return [self.hide_in(item) for item in document]
        return document

    def cleaned(self, text: str) -> str:
        """Return a text without any value, should a server repeat one in an error."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, _HIDDEN)
        return text


def neutral(text: str) -> str:
    """Return a text that is the same in each run: without ids, thumbprints and times."""
    text = _GUID.sub("<guid>", text)
    return _TIME.sub("<time>", _THUMBPRINT.sub("<thumbprint>", text))
