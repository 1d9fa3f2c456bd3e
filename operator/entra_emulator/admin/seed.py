"""The documents of seed files and of the admin API, and how to read them from JSON.

Unknown fields are refused with their name. Times can be absolute or in days from the start, because
a file with absolute dates would be out of date a year later.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from entra_emulator.directory.entities import Audience, Permission
from entra_emulator.faults.documents import Faults
from entra_emulator.policies.documents import AppPolicy, TenantPolicy
from entra_emulator.values.secret_text import SecretText

T = TypeVar("T")
_Id = Annotated[str, msgspec.Meta(min_length=1, pattern="^[^A-Z]*$")]
"""An id in lower case, as Graph writes them."""
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_Days = Annotated[float, msgspec.Meta(ge=-100_000, le=1_000_000)]


class _Strict(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Base of all documents: camel case in JSON, unknown fields refused."""


class PasswordSeed(_Strict, frozen=True):
    """An existing client secret; without a value one is generated and returned once."""

    display_name: str | None = None
    value: SecretText | None = None
    key_id: _Id | None = None
    start_date_time: _Instant | None = None
    end_date_time: _Instant | None = None
    start_in_days: _Days = 0.0
    end_in_days: _Days = 730.0


class KeySeed(_Strict, frozen=True):
    """An existing certificate, as PEM or base64 of DER; its dates come from the certificate."""

    certificate: str
    display_name: str | None = None
    key_id: _Id | None = None


class FederatedSeed(_Strict, frozen=True, kw_only=True):
    """An existing federated identity credential, with any values."""

    name: str
    issuer: str
    subject: str
    audiences: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=1)] = (
        "api://AzureADTokenExchange",
    )
    description: str | None = None
    id: _Id | None = None


class PrincipalSeed(_Strict, frozen=True):
    """A service principal with its permissions in Graph."""

    id: _Id | None = None
    permissions: tuple[Permission, ...] = ()
    account_enabled: bool = True


class ForeignPrincipalSeed(PrincipalSeed, frozen=True, kw_only=True):
    """The service principal of an application of any tenant."""

    app_id: _Id


class ApplicationSeed(_Strict, frozen=True):
    """An application; `owners` are appIds or ids of service principals of the same tenant."""

    display_name: str = "application"
    id: _Id | None = None
    app_id: _Id | None = None
    sign_in_audience: Audience = Audience.MY_ORG
    tags: tuple[str, ...] = ()
    identifier_uris: tuple[str, ...] = ()
    notes: str | None = None
    is_disabled: bool | None = None
    owners: tuple[str, ...] = ()
    passwords: tuple[PasswordSeed, ...] = ()
    keys: tuple[KeySeed, ...] = ()
    created_date_time: _Instant | None = None
    policy: _Id | None = None
    federated_identity_credentials: tuple[FederatedSeed, ...] = ()
    service_principal: PrincipalSeed | None = PrincipalSeed()


class TenantSeed(_Strict, frozen=True):
    """A tenant with its applications and policies."""

    id: _Id | None = None
    display_name: str = "Emulated tenant"
    domains: tuple[str, ...] = ()
    default_policy: TenantPolicy = TenantPolicy()
    policies: tuple[AppPolicy, ...] = ()
    federated_issuers: tuple[str, ...] | None = None
    applications: tuple[ApplicationSeed, ...] = ()
    service_principals: tuple[ForeignPrincipalSeed, ...] = ()


class IssuerSeed(_Strict, frozen=True, kw_only=True):
    """An issuer whose tokens may be exchanged.

    Either the emulator hosts it, or the emulator reaches it over TLS and trusts one CA for that
    (`ca` in PEM, or the file `caFile`). `jwksUri` is the address of its keys, if that is on
    another host than the URL.
    """

    url: Annotated[str, msgspec.Meta(pattern=r"^https://[^/?#@\s]+(/[^?#\s]*)?$")]
    name: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9-]+$")] | None = None
    hosted: bool = False
    ca: str | None = None
    ca_file: str | None = None
    jwks_uri: Annotated[str, msgspec.Meta(pattern="^https://")] | None = None


class ResourceSeed(_Strict, frozen=True, kw_only=True):
    """A service that tokens may be for, in every tenant."""

    app_id: _Id
    identifier_uris: tuple[str, ...] = ()


class Seed(_Strict, frozen=True):
    """The initial state of an emulator."""

    issuers: tuple[IssuerSeed, ...] = ()
    resources: tuple[ResourceSeed, ...] = ()
    tenants: tuple[TenantSeed, ...] = ()
    faults: Faults = Faults()


def read_document(kind: type[T], document: Any) -> T:
    """Convert parsed JSON to a document of that type.

    Raises:
        msgspec.ValidationError: names the field that is wrong, never its value.
    """
    return msgspec.convert(document, kind, dec_hook=_decode)


def read_file(kind: type[T], path: Path) -> T:
    """Read a JSON file as a document of that type.

    Raises:
        ValueError: names the file and its error.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind, dec_hook=_decode)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: {error}") from error


def _decode(kind: type, value: Any) -> Any:
    if kind is SecretText and isinstance(value, str):
        return SecretText(value)
    raise ValueError("a string is expected")
