"""Values of `secret.data`: text with Kubernetes' own `$(name)` references.

The rules are those of Kubernetes' variable expansion: the character after a `$` decides. `$$`
is one `$`, so `$$(name)` is literal; `$(` without a closing parenthesis is literal too. Unlike
there, an unknown name is refused: a typing error in a connection string would show only when
the workload fails.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from urllib.parse import quote

from appcredential.domain.spec.model import CredentialType

_COMMON: Final = ("tenantId", "clientId", "authorityHost", "azureEnvironment", "mountPath")
_TOKEN: Final = re.compile(r"[$](?:[$]|[(]([^)]*)[)])")
MAX_REFERENCES: Final = 16
"""In one value. What they stand for may be long."""
_BYTES: Final = "pkcs12"
"""Binary: it can be written as it is or as base64."""

KEYSTORE_NAMES: Final = frozenset({_BYTES})
"""The names that exist only with a PKCS #12 file."""

_OF_CERTIFICATE: Final = (
    "privateKey",
    "certificate",
    "thumbprint",
    "thumbprintSHA256",
    "x5t",
    "x5tS256",
    "jwk",
    *sorted(KEYSTORE_NAMES),
)


def _names(kind: CredentialType) -> tuple[str, ...]:
    match kind:
        case CredentialType.CLIENT_SECRET:
            return (*_COMMON, "clientSecret")
        case CredentialType.CERTIFICATE:
            return (*_COMMON, *_OF_CERTIFICATE)
        case CredentialType.FEDERATED_IDENTITY:
            return ()
        case _:
            assert_never(kind)


TEMPLATE_NAMES: Final[Mapping[CredentialType, tuple[str, ...]]] = MappingProxyType(
    {kind: _names(kind) for kind in CredentialType}
)
"""What `$(name)` may refer to, by the type of the credential."""


def _plain(value: str) -> str:
    return value


def _base64(value: str) -> str:
    return base64.b64encode(value.encode(errors="surrogateescape")).decode()


def _url(value: str) -> str:
    return quote(value, safe="")


_FORMATS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {"": _plain, "json": json.dumps, "base64": _base64, "url": _url}
)
_GROWTH: Final[Mapping[str, int]] = MappingProxyType({"": 1, "json": 6, "base64": 2, "url": 3})
"""How many times longer a format makes a value at most; json adds two quotes as well."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Literal text."""

    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """`$(name)` or `$(name:format)`. An empty format is the value as it is."""

    name: str
    format: str = ""


Part: TypeAlias = Literal | Reference


@functools.lru_cache(maxsize=512)
def parse_template(text: str, kind: CredentialType) -> tuple[Part, ...]:
    """Split a value into literals and references, in time that grows with its length alone.

    Args:
        text: the value.
        kind: the type of the credential, which decides the names.

    Raises:
        ValueError: a reference has an unknown name or format, or there are too many.
    """
    # Within `$$` nothing refers, as in the CRD's rule about the same number.
    if text.replace("$$", "").count("$(") > MAX_REFERENCES:
        raise ValueError(f"refers to more than {MAX_REFERENCES} values: split it over several keys")
    parts: list[Part] = []
    literal, at = "", 0
    for token in _TOKEN.finditer(text):
        literal, at = literal + text[at : token.start()], token.end()
        if token[1] is None:
            literal += "$"
            continue
        parts += [Literal(literal)] if literal else []
        parts.append(_reference(token[1], TEMPLATE_NAMES[kind]))
        literal = ""
    literal += text[at:]
    return (*parts, Literal(literal)) if literal else tuple(parts)


class Values:
    """One value for each name of a type. It holds the secret: never log it.

    Each is brought into a format once, however many references ask for that: to percent-encode
    a chain of certificates takes milliseconds.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._formatted: dict[Reference, str] = {}

    def of(self, reference: Reference) -> str:
        """Return what stands in place of a reference."""
        if reference not in self._formatted:
            text = self._values[reference.name]
            self._formatted[reference] = _FORMATS[reference.format](text)
        return self._formatted[reference]


def render_template(parts: Iterable[Part], values: Values) -> str:
    """Return the text with the values in place of the references.

    Args:
        parts: the result of `parse_template`.
        values: those of the type.
    """
    return "".join(part.text if isinstance(part, Literal) else values.of(part) for part in parts)


def rendered_bytes(parts: Iterable[Part], sizes: Mapping[str, int]) -> int:
    """Return how many bytes of UTF-8 a text has at most once it is rendered.

    Args:
        parts: the result of `parse_template`.
        sizes: the bytes of each name's value.
    """
    return sum(
        len(part.text.encode(errors="surrogateescape"))
        if isinstance(part, Literal)
        else _GROWTH[part.format] * sizes[part.name] + 4
        for part in parts
    )


def names_in(text: str, kind: CredentialType) -> frozenset[str]:
    """Return the names that a value refers to.

    Raises:
        ValueError: as `parse_template`.
    """
    return frozenset(p.name for p in parse_template(text, kind) if isinstance(p, Reference))


def _reference(inside: str, names: Collection[str]) -> Reference:
    name, colon, wanted = inside.partition(":")
    if name not in names:
        raise ValueError(f"refers to an unknown name: use one of {', '.join(names)}")
    if wanted not in _FORMATS or (colon and not wanted):
        raise ValueError("refers with an unknown format: use :json, :base64 or :url")
    if name == _BYTES and wanted not in {"", "base64"}:
        raise ValueError(f"refers to {_BYTES}, which is no text: use it alone or with :base64")
    return Reference(name, wanted)
