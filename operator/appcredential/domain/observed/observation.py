"""Observed state: everything `decide` may look at, gathered before it is called.

Short names used here and in `lifecycle.py`, as in docs/lifecycle.md: **T** is
the target Secret that workloads mount, **P** the pending Secret that holds a
successor until it is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Attempt, ClusterIdentity, Owner
from appcredential.domain.observed.app_policy import UNRESTRICTED, AppPolicy
from appcredential.domain.observed.federated import FederatedMemory, Federation
from appcredential.domain.proof import Proof
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ClientId,
    Cloud,
    CredentialType,
    KeyId,
    Limits,
    ObjectId,
    TenantId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """An AppCredential as the API server holds it. `spec` is a Problem when unusable."""

    owner: Owner
    uid: str
    resource_version: str
    generation: int
    creation_time: datetime
    deletion_time: datetime | None
    has_finalizer: bool
    finalizers: tuple[str, ...] = ()
    spec: AppCredentialSpec | Problem
    status: Mapping[str, Any]
    last_applied_time: datetime


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
        """Return what caps lifetimes in it: its limits, and Entra's policy where it is known."""
        created = application.created if application is not None else None
        return self.limits.max_lifetime, self.app_policy.max_lifetime(kind, created)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The grants that match, as a union: what they allow together."""

    name: str
    max_lifetime: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One client secret or certificate as Graph lists it."""

    key_id: KeyId
    display_name: str
    start: datetime
    end: datetime
    type: CredentialType = CredentialType.CLIENT_SECRET


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One direct read of an application. `read_time` is ours, `created` is Entra's."""

    object_id: ObjectId
    client_id: ClientId
    display_name: str
    credentials: tuple[Credential, ...]
    read_time: datetime
    created: datetime | None = None
    sign_in_audience: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppliedCertificate:
    """A certificate that others made, as it lies at its source now.

    Attributes:
        value: its private key, where it is at hand, and then its chain, PEM.
        start: of the certificate itself.
        end: of the certificate itself.
    """

    value: SecretValue
    start: datetime
    end: datetime


def _nothing_derived() -> Mapping[str, SecretValue]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateInputs:
    """What a credential or its Secret is made of beside the resource itself.

    Attributes:
        brought: what lies at the source; None for what is made here.
        problem: why the source cannot be used; then nothing new is made of it.
        keystore_problem: why the password of the PKCS #12 file cannot be used; then nothing is
            published that would need it.
        derived: template values that need cryptography, made of T's value.
    """

    supplied: SuppliedCertificate | None = None
    problem: Problem | None = None
    keystore_problem: Problem | None = None
    derived: Mapping[str, SecretValue] = field(default_factory=_nothing_derived)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What only this process knows. Losing it costs time, never safety.

    Attributes:
        pending_proof: sign-ins with P's value.
        published_proof: sign-ins with T's value.
        absences: consecutive direct reads that lacked a key.
        sightings: times of the last consecutive direct reads that showed a key of T or P.
        application_missing: times of consecutive 404 answers for the application.
        removals: when this process removed a key.
        repairs: when this process last wrote T only because its rendering differed.
        federated: of a FederatedIdentity.
        directory_problem: why the last call to the directory failed.
        problem_operation: which call that was; only its success clears the problem.
        retry_time: no Graph call for this resource before then.
    """

    pending_proof: Proof | None = None
    published_proof: Proof | None = None
    absences: Mapping[KeyId, int] = field(default_factory=lambda: MappingProxyType({}))
    consecutive_reads: Mapping[KeyId, tuple[datetime, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    application_missing: tuple[datetime, ...] = ()
    removals: Mapping[KeyId, datetime] = field(default_factory=lambda: MappingProxyType({}))
    repairs: tuple[datetime, ...] = ()
    federated: FederatedMemory = field(default_factory=FederatedMemory)
    directory_problem: Problem | None = None
    problem_operation: str = ""
    retry_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleSettings:
    """The settings that the lifecycle rules use; docs/settings.md explains each."""

    freshness: timedelta = timedelta(seconds=15)
    settle: timedelta = timedelta(seconds=30)
    removal_floor: timedelta = timedelta(minutes=10)
    min_remaining: timedelta = timedelta(minutes=10)
    expired_grace: timedelta = timedelta(minutes=10)
    intent_respect: timedelta = timedelta(seconds=60)
    journal_window: timedelta = timedelta(hours=1)
    min_lifetime: timedelta = timedelta(hours=1)
    mint_backoff: timedelta = timedelta(minutes=1)
    mint_backoff_cap: timedelta = timedelta(hours=6)
    mint_backoff_cap_unpublished: timedelta = timedelta(minutes=15)
    issued_before_spacing: timedelta = timedelta(minutes=10)
    max_clock_skew: timedelta = timedelta(minutes=5)
    arrival_grace: timedelta = timedelta(minutes=2)
    deletion_settle: timedelta = timedelta(seconds=15)
    missing_application_window: timedelta = timedelta(minutes=5)
    directory_resync: timedelta = timedelta(hours=1)
    secret_check: timedelta = timedelta(minutes=10)
    proof_max_age: timedelta = timedelta(minutes=2)
    proof_budget: timedelta = timedelta(minutes=30)
    gone_window: timedelta = timedelta(seconds=30)
    first_proof_count: int = 3
    first_proof_spacing: timedelta = timedelta(seconds=1)
    next_proof_count: int = 5
    next_proof_spread_min: timedelta = timedelta(seconds=5)
    next_proof_spread_max: timedelta = timedelta(seconds=60)
    trial: bool = False
    federated_quiet: timedelta = timedelta(seconds=90)
    federated_overlap: timedelta = timedelta(hours=24)
    federated_proof_spacing: timedelta = timedelta(seconds=60)
    issuer_agreement: timedelta = timedelta(minutes=10)
    allow_private_issuers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One consistent look at everything about one AppCredential.

    Attributes:
        now: our clock, aware UTC.
        directory_skew: Entra's clock minus ours, when known.
        cluster_skew: the API server's clock minus ours, when known.
        blocked: why no effect at all may start (not leader, lists incomplete).
        crd_deleted: the CRD is being deleted; None when not looked up.
        ticket_uid: resource uid in the ticket for this owner; None without ticket.
        application: None when not read yet in this process.
        target_owner: of a T that another resource of the namespace owns; None otherwise.
        federation: only for type FederatedIdentity.
    """

    now: datetime
    settings: LifecycleSettings
    identity: ClusterIdentity
    holder: str
    blocked: Problem | None
    directory_skew: timedelta | None
    cluster_skew: timedelta | None
    resource: Resource
    tenant: Tenant | Problem
    grant: Grant | Problem
    target: Target | None
    pending: Pending | None
    revocation_uid: str | None
    crd_deleted: bool | None
    application: Application | None
    memory: Memory
    target_owner: TargetOwner | None = None
    federation: Federation | None = None
    certificate_inputs: CertificateInputs = field(default_factory=CertificateInputs)

    @property
    def own_target(self) -> Target | None:
        """T when it is this resource's: what another one publishes there is not our state."""
        t = self.target
        return t if t is not None and t.owner == str(self.resource.owner) else None
