"""Entra as last read: the tenant, its grants, an application and its credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.app_policy import UNRESTRICTED, AppPolicy
from appcredential.domain.spec.model import (
    DEFAULT_MAX_CREDENTIALS,
    ClientId,
    Cloud,
    CredentialType,
    KeyId,
    Limits,
    ObjectId,
    TenantId,
)

CERTIFICATE_LAG: Final = timedelta(minutes=15)
"""No replica of Entra is trusted to show an application's certificates within less.

A change of the list demands a certificate for as long after a read showed it, and one that
works counts as lost only after reads lacked it for longer.
"""


NEVER_READ: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of a direct read that was not made: only lists have shown it, so that nothing may be
done for what it shows before there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """The EntraTenant that the resource names, as far as a resource needs it."""

    name: str
    tenant_id: TenantId
    cloud: Cloud
    authority_host: str
    limits: Limits
    operator_client_ids: frozenset[ClientId]
    problem: Problem | None
    app_policy: AppPolicy = UNRESTRICTED

    def ceilings(
        self, kind: CredentialType, application: Application | None
    ) -> tuple[timedelta | None, ...]:
        """Return what caps lifetimes: the EntraTenant's limits, and Entra's policy where known."""
        created = application.created if application is not None else None
        return self.limits.max_lifetime, self.app_policy.max_lifetime(kind, created)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The union of the matching grants: what they allow together."""

    name: str
    max_lifetime: timedelta | None
    max_credentials: int = DEFAULT_MAX_CREDENTIALS


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One client secret or certificate as Graph lists it.

    Attributes:
        shown: what Graph shows of the value: the first three characters of a secret, the SHA-1
            thumbprint of a certificate in upper-case hexadecimal. Empty when unknown.
    """

    key_id: KeyId
    display_name: str
    start: datetime
    end: datetime
    type: CredentialType = CredentialType.CLIENT_SECRET
    shown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectRead:
    """One direct read of something in Entra, at a time of ours, and what lists showed since.

    Attributes:
        read_time: when it left; `NEVER_READ` for what only lists have shown.
        confirmed: when a list that showed the same left; None before.
        doubted: when a list that showed something else left, or showed no such application. Only
            another direct read tells which of them is right.
    """

    read_time: datetime
    confirmed: datetime | None = None
    doubted: datetime | None = None

    @property
    def known_time(self) -> datetime:
        """When Entra last showed this, be it in a list."""
        return self.read_time if self.confirmed is None else max(self.read_time, self.confirmed)

    @property
    def is_listed_only(self) -> bool:
        """No direct read was made: a list showed what status says, after a restart."""
        return self.read_time == NEVER_READ

    @property
    def is_doubted(self) -> bool:
        """A list showed something else since the direct read."""
        return self.doubted is not None and self.doubted >= self.read_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Application(DirectRead):
    """One direct read of an application.

    Attributes:
        created: by Entra's time.
        tags: those that are meant for grants, see `spec.grant.is_allow_tag`.
    """

    object_id: ObjectId
    client_id: ClientId
    display_name: str
    credentials: tuple[Credential, ...]
    created: datetime | None = None
    sign_in_audience: str = ""
    tags: tuple[str, ...] = ()
