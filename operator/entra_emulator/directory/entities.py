"""The objects of a directory, as immutable values: a change replaces them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from entra_emulator.directory.replication import Change
from entra_emulator.values.certificates import Certificate
from entra_emulator.values.instants import Ticks
from entra_emulator.values.secret_text import SecretDigest


class Permission(StrEnum):
    """The application permissions of Graph that the emulator knows."""

    READ_WRITE_OWNED = "Application.ReadWrite.OwnedBy"
    READ_WRITE_ALL = "Application.ReadWrite.All"
    READ_ALL = "Application.Read.All"
    DIRECTORY_READ_ALL = "Directory.Read.All"
    AUDIT_LOG_READ_ALL = "AuditLog.Read.All"
    POLICY_READ_ALL = "Policy.Read.All"
    POLICY_READ_APPLICATIONS = "Policy.Read.ApplicationConfiguration"
    POLICY_WRITE_APPLICATIONS = "Policy.ReadWrite.ApplicationConfiguration"


class Audience(StrEnum):
    """The values of signInAudience."""

    MY_ORG = "AzureADMyOrg"
    MULTIPLE_ORGS = "AzureADMultipleOrgs"
    ORGS_AND_PERSONAL = "AzureADandPersonalMicrosoftAccount"
    PERSONAL = "PersonalMicrosoftAccount"


CERTIFICATE, VERIFY = "AsymmetricX509Cert", "Verify"
"""Type and usage of a public certificate."""
KEY_PAIR, SIGN = "X509CertAndPassword", "Sign"
"""Type and usage of a certificate with its private key; only addKey accepts those."""

PERSONAL_AUDIENCES = frozenset({Audience.ORGS_AND_PERSONAL, Audience.PERSONAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant; the token endpoint accepts its domains in place of its id."""

    id: str
    display_name: str
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordCredential:
    """A client secret without its value."""

    key_id: str
    display_name: str | None
    start: Ticks
    end: Ticks
    hint: str
    digest: SecretDigest
    added: Change
    removed: Change | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCredential:
    """A certificate of an application; only those with the usage Verify can sign in."""

    key_id: str
    type: str = CERTIFICATE
    usage: str = VERIFY
    display_name: str
    start: Ticks
    end: Ticks
    custom_key_identifier: str
    certificate: Certificate
    added: Change
    removed: Change | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedCredential:
    """A trust: the application accepts tokens with exactly this issuer, subject and audience."""

    id: str
    ordinal: int
    name: str
    issuer: str
    subject: str
    audience: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationProperties:
    """The properties that a PATCH can change, and the owners.

    Attributes:
        stored: the values of properties that are only kept and shown, by Graph's names.
    """

    display_name: str
    sign_in_audience: Audience = Audience.MY_ORG
    tags: tuple[str, ...] = ()
    identifier_uris: tuple[str, ...] = ()
    description: str | None = None
    notes: str | None = None
    service_management_reference: str | None = None
    unique_name: str | None = None
    is_disabled: bool | None = None
    stored: Mapping[str, Any] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    deleted: Ticks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationView:
    """An application as one reader sees it at one instant."""

    id: str
    app_id: str
    tenant_id: str
    ordinal: int
    created: Ticks
    properties: ApplicationProperties
    passwords: tuple[PasswordCredential, ...]
    keys: tuple[KeyCredential, ...]
    federated: tuple[FederatedCredential, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePrincipal:
    """The instance of an application in a tenant, with the permissions granted there."""

    id: str
    app_id: str
    tenant_id: str
    ordinal: int
    display_name: str
    created: Change
    created_time: Ticks
    account_enabled: bool = True
    permissions: frozenset[Permission] = frozenset()
    owners: tuple[str, ...] = ()
    stored: Mapping[str, Any] = field(default_factory=dict)
