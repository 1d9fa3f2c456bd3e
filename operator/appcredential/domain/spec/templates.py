"""Values of `secret.data`: text with Kubernetes' own `$(name)` references.

The rules are those of Kubernetes' variable expansion: the character after a `$` decides. `$$`
is one `$`, so `$$(name)` is literal; `$(` without a closing parenthesis is literal too. Unlike
there, an unknown name is refused: a typing error in a connection string would show only when
the workload fails.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from urllib.parse import quote

from appcredential.domain.spec.model import CredentialType

_COMMON: Final = ("tenantId", "clientId", "authorityHost", "azureEnvironment", "mountPath")
_BYTES: Final = "pkcs12"
"""Binary: it can be written as it is or as base64."""

KEYSTORE_NAMES: Final = frozenset({_BYTES, "pkcs12Password"})
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


def parse_template(text: str, kind: CredentialType) -> tuple[Part, ...]:
    """Split a value into literals and references.

    Args:
        text: the value.
        kind: the type of the credential, which decides the names.

    Raises:
        ValueError: a reference has an unknown name or format.
    """
    parts: list[Part] = []
    rest = text
    while rest:
        literal, dollar, rest = rest.partition("$")
        _add(parts, Literal(literal))
        if dollar:
            part, rest = _read_after_dollar(rest, TEMPLATE_NAMES[kind])
            _add(parts, part)
    return tuple(parts)


def render_template(parts: Iterable[Part], values: Mapping[str, str]) -> str:
    """Return the text with the values in place of the references.

    Args:
        parts: the result of `parse_template`.
        values: one value for each name of the type.
    """
    return "".join(
        part.text if isinstance(part, Literal) else _FORMATS[part.format](values[part.name])
        for part in parts
    )


def names_in(text: str, kind: CredentialType) -> frozenset[str]:
    """Return the names that a value refers to.

    Raises:
        ValueError: as `parse_template`.
    """
    return frozenset(p.name for p in parse_template(text, kind) if isinstance(p, Reference))


def _read_after_dollar(rest: str, names: Collection[str]) -> tuple[Part, str]:
    if rest.startswith("$"):
        return Literal("$"), rest[1:]
    if rest.startswith("(") and ")" in rest:
        inside, _, rest = rest[1:].partition(")")
        return _reference(inside, names), rest
    return Literal("$"), rest


def _reference(inside: str, names: Collection[str]) -> Reference:
    name, colon, wanted = inside.partition(":")
    if name not in names:
        raise ValueError(f"refers to an unknown name: use one of {', '.join(names)}")
    if wanted not in _FORMATS or (colon and not wanted):
        raise ValueError("refers with an unknown format: use :json, :base64 or :url")
    if name == _BYTES and wanted not in {"", "base64"}:
        raise ValueError(f"refers to {_BYTES}, which is no text: use it alone or with :base64")
    return Reference(name, wanted)


def _add(parts: list[Part], part: Part) -> None:
    """Append a part. Adjacent literals become one, so that each text has one form."""
    last = parts[-1] if parts else None
    if isinstance(part, Literal) and isinstance(last, Literal):
        parts[-1] = Literal(last.text + part.text)
    elif part != Literal(""):
        parts.append(part)
