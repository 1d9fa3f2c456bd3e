"""The target Secret and the pending Secret, as they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from appcredential.domain.marker import Attempt
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    KeyId,
    ObjectId,
    TenantId,
)


class RetireCause(StrEnum):
    """Why a credential stands in T's `retiring` list."""

    REPLACED = "Replaced"
    STRANDED = "Stranded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retiring:
    """An entry of T's `retiring` annotation."""

    key_id: KeyId
    end: datetime
    since: datetime
    cause: RetireCause
    removed: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned:
    """An attempt that was fenced from `Intent`: proven never published."""

    attempt: Attempt
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCredential:
    """A credential of ours whose value we hold (in P or T)."""

    key_id: KeyId
    attempt: Attempt
    value_sha256: str
    not_before: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class FormerOwner:
    """An entry of T's `taken-over-from`: a resource as it was when it lost the Secret."""

    owner: str
    uid: str = ""
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """T's `handed-over`: keys that the former owner wrote, which stay until a time."""

    keys: frozenset[str]
    until: datetime


@dataclass(frozen=True, slots=True)
class TargetOwner:
    """What the API server says of the resource that owns T, where that is not the observed one.

    Attributes:
        owner: as T names it.
        uid: of the resource; empty when it does not exist.
        generation: of the resource.
        absent_since: when this process first saw that it does not exist.
    """

    owner: str = ""
    uid: str = ""
    generation: int = 0
    absent_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """T, ours or not. `published` is None when it records nothing; `value` when damaged.

    `origin` is the live metadata, of which a replace carries over what is not ours.
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
    data: Mapping[str, SecretValue] = field(default_factory=lambda: MappingProxyType({}))
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    annotations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    origin: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


class PendingState(StrEnum):
    """P's `state` annotation."""

    INTENT = "Intent"
    MINTED = "Minted"
    ABANDONED = "Abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """P. `attempt` is the stored one, else the one that its own uid and number give.

    `is_foreign`: a Secret that only bears P's name, of another type or with another
    owner; it is never believed, written or deleted.
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

    @property
    def is_staged(self) -> bool:
        """An Intent that already holds its value: a certificate that is to be registered."""
        return self.state is PendingState.INTENT and self.credential is not None

    @property
    def fenced_from_intent(self) -> bool:
        """An Abandoned P without a key id never held a value."""
        return self.state is PendingState.ABANDONED and self.credential is None
