"""Observed state: everything that `decide` may look at, gathered before the call.

Two Secrets matter: workloads mount the target Secret, and the pending Secret holds a successor
until it is published. docs/lifecycle.md calls them T and P.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from appcredential.domain.conditions import Problem
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.domain.observed.actors import Actor
from appcredential.domain.observed.certificate import CertificateInputs
from appcredential.domain.observed.entra import Application, Grant, Tenant
from appcredential.domain.observed.federated import Federation
from appcredential.domain.observed.issued import Recorded
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.ownership import NOT_LOOKED, Ownership
from appcredential.domain.observed.pods import SeenPods
from appcredential.domain.observed.standing import ALONE, Standing
from appcredential.domain.observed.target import Pending, Target, TargetOwner
from appcredential.domain.observed.workloads import Restarts
from appcredential.domain.spec.model import AppCredentialSpec, Mode

REGISTER_AGAIN: Final = "appcredential.io/register-again"
"""A person writes the key id of a removed certificate here, to have it registered once more."""


CHECK_NOW: Final = ("appcredential.io/check", "reconcile.fluxcd.io/requestedAt")
"""A new value of one of these asks for a complete look at once. The second one is Flux's."""


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
    actors: tuple[Actor, ...] = ()
    register_again: str = ""

    @property
    def is_federated(self) -> bool:
        """The spec is readable and of type FederatedIdentity."""
        return isinstance(self.spec, AppCredentialSpec) and self.spec.type.is_federated

    @property
    def is_suspended(self) -> bool:
        """The spec is readable and suspended, and the resource is not being deleted."""
        is_suspended = isinstance(self.spec, AppCredentialSpec) and self.spec.suspend
        return is_suspended and self.deletion_time is None

    @property
    def observes(self) -> bool:
        """The spec is readable and asks for reports only."""
        return isinstance(self.spec, AppCredentialSpec) and self.spec.mode is Mode.OBSERVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One consistent look at everything about one AppCredential.

    Attributes:
        now: the time by our clock, aware UTC.
        process_started: when this process began.
        directory_skew: Entra's clock minus ours, when known.
        cluster_skew: the API server's clock minus ours, when known.
        blocked: why no effect at all may start (not leader, lists incomplete).
        crd_deleted: whether the CRD is being deleted; None when not looked up.
        revocation_uid: resource uid in this owner's scheduled revocation, of several in one of
            an earlier life; None without one.
        revocation_names: names of these ConfigMaps.
        application: None when not read yet in this process.
        target_owner: the owner of the target Secret, if that is another resource of the
            namespace; None otherwise.
        standing: its place among the resources of its namespace and application.
        federation: what only a FederatedIdentity needs; None for other types.
        is_untouched: this process leads since before the resource was created, saw it without
            finalizer and status, and began nothing for it, so that nobody did.
        has_begun: this process began something for it that a deletion has to undo.
        unpublished_attempt: this process made it in this term, and has not begun to publish it;
            empty without one.
        open_revocations: how many deletions of the namespace wait for their revocation. Four
            whose tenant cannot be used count as one: nobody knows when they end.
        is_target_read: whether `target` is what a read showed; else it says nothing.
        recorded: how the record of what was issued compares with the resource.
        is_record_refused: the API server just refused to have that record written.
        unowned_records: how many records of the namespace have no resource any more.
        pods: the last look at the pods that use the Secret; None before the first one.
        awaits_pods: a look at them was asked for, and the resource is looked at again once its
            answer is there.
        restarts: what is known of the restart of its workloads.
        may_read_tags: nobody knows the tags of the application that alone decide whether a grant
            matches, and it may be read for them.
        tags_seen: when the tags that count were seen; None while a direct read is held.
        ownership: whether the operator owns the application, by the daily look.
    """

    now: datetime
    settings: LifecycleSettings
    identity: ClusterIdentity
    holder: str
    process_started: datetime
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
    revocation_names: tuple[str, ...] = ()
    standing: Standing = ALONE
    certificate_inputs: CertificateInputs = field(default_factory=CertificateInputs)
    is_untouched: bool = False
    has_begun: bool = False
    open_revocations: int = 0
    unpublished_attempt: str = ""
    is_target_read: bool = True
    recorded: Recorded = Recorded.CURRENT
    is_record_refused: bool = False
    unowned_records: int = 0
    pods: SeenPods | None = None
    awaits_pods: bool = False
    restarts: Restarts = field(default_factory=Restarts)
    may_read_tags: bool = False
    tags_seen: datetime | None = None
    ownership: Ownership = NOT_LOOKED

    @property
    def own_target(self) -> Target | None:
        """The target Secret if it is ours: what another resource publishes is not our state."""
        target = self.target
        return target if target is not None and target.owner == str(self.resource.owner) else None

    @property
    def usable_spec(self) -> AppCredentialSpec:
        """The spec, behind the gate that holds an unusable one."""
        spec = self.resource.spec
        assert isinstance(spec, AppCredentialSpec)  # noqa: S101 - gate 4 holds it
        return spec
