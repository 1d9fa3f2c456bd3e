"""The target Secret and the pending Secret, as they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from appcredential.domain.empty import no_entries
from appcredential.domain.marker import Attempt
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId, ObjectId, TenantId


class RetireCause(StrEnum):
    """Why a credential is in the target Secret's `retiring` list."""

    REPLACED = "Replaced"
    STRANDED = "Stranded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retiring:
    """An entry of the target Secret's `retiring` annotation.

    Attributes:
        since: by Entra's clock.
        secret: the one Secret in which workloads found it; empty when that is not proven.
        ahead: how far the API server's clock was ahead of Entra's then; None if that is not known.
    """

    key_id: KeyId
    end: datetime
    since: datetime
    cause: RetireCause
    removed: datetime | None = None
    secret: str = ""
    ahead: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned:
    """An attempt that was fenced in state `Intent`, and so was certainly never published."""

    attempt: Attempt
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCredential:
    """A credential of ours whose value the target or the pending Secret holds."""

    key_id: KeyId
    attempt: Attempt
    value_sha256: str
    not_before: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class FormerOwner:
    """An entry of `taken-over-from`: a resource as it was when it lost the target Secret."""

    owner: str
    uid: str = ""
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """The `handed-over` record: keys that the former owner wrote and that stay until a time."""

    keys: frozenset[str]
    until: datetime


@dataclass(frozen=True, slots=True)
class TargetOwner:
    """Another resource that owns the target Secret, as the API server shows it.

    Attributes:
        owner: as the Secret names it.
        uid: the resource's; empty when it does not exist.
        generation: the resource's.
        absent_since: when this process first saw that it does not exist.
    """

    owner: str = ""
    uid: str = ""
    generation: int = 0
    absent_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The target Secret, ours or another's.

    Attributes:
        published: the credential that it records; None without a readable record.
        value: the published value; None when it is damaged.
        is_ahead: its record is not believed only because it begins in the future.
        restart_since: when the publish was, by Entra's clock, for which workloads are to be
            restarted; None once they are.
        origin: live metadata that is not ours, and that a replace carries over.
    """

    name: str
    uid: str
    resource_version: str
    creation_time: datetime
    deletion_time: datetime | None
    type: str
    immutable: bool
    owner: str
    tenant_id: TenantId
    object_id: ObjectId
    published: IssuedCredential | None
    value: SecretValue | None
    verified_time: datetime | None
    published_time: datetime | None
    retiring: tuple[Retiring, ...] = ()
    abandoned: tuple[Abandoned, ...] = ()
    taken_from: tuple[FormerOwner, ...] = ()
    handed_over: HandedOver | None = None
    data: Mapping[str, SecretValue] = field(default_factory=no_entries)
    labels: Mapping[str, str] = field(default_factory=no_entries)
    annotations: Mapping[str, str] = field(default_factory=no_entries)
    origin: Mapping[str, Any] = field(default_factory=no_entries)
    is_ahead: bool = False
    restart_since: datetime | None = None


class PendingState(StrEnum):
    """The `state` annotation of the pending Secret."""

    INTENT = "Intent"
    MINTED = "Minted"
    ABANDONED = "Abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The pending Secret.

    Attributes:
        attempt: the stored one, else the one that the Secret's own uid and number make.
        is_foreign: the Secret has only the name: its type or its owner is another one. It is
            never believed, written or deleted.
        immutable: nobody can write it; it can only be deleted.
        labels: those besides our own.
        annotations: those that are no records.
    """

    uid: str
    resource_version: str
    owner: str
    tenant_id: TenantId
    object_id: ObjectId
    attempt: Attempt
    attempt_number: int
    holder: str
    state: PendingState
    intent_time: datetime
    credential: IssuedCredential | None = None
    value: SecretValue | None = None
    abandoned: tuple[Abandoned, ...] = ()
    is_foreign: bool = False
    immutable: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_staged(self) -> bool:
        """An Intent that already holds its value: a certificate waiting to be registered."""
        return self.state is PendingState.INTENT and self.credential is not None

    @property
    def fenced_from_intent(self) -> bool:
        """Abandoned without a key id: it never held a value."""
        return self.state is PendingState.ABANDONED and self.credential is None
