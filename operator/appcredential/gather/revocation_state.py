"""What this process saw of one scheduled revocation, from round to round.

It is kept in memory only: after a restart the evidence is gathered again from the start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList, OutputMap
from appcredential.domain.observed.target import Pending, Target
from appcredential.domain.spec.model import AppCredentialSpec, KeyId, TenantId
from appcredential.gather.clock_watch import ClockWatch


@dataclass(frozen=True, slots=True)
class NamespaceRead:
    """What the owner's namespace holds, as read in this round.

    Attributes:
        read: when, in seconds of the monotonic clock.
    """

    read: float
    target: Target | None = None
    pending: Pending | None = None
    output: OutputMap | None = None


@dataclass(slots=True)
class RevocationState:
    """What this process saw of one revocation.

    Attributes:
        uid: of the ConfigMap; the same name with another uid is another revocation.
        absent_since: when the owner was first seen absent; None while present or unknown.
        is_owner_present: the owner was seen, so that nothing is to be revoked.
        successor: spec of a resource for another application that has the owner's name now.
        tenant_id: the directory that the reads below are from.
        application: its latest direct read, without what was removed since.
        federated: the federated credentials in that read.
        inherited: ids of those that other resources ask for.
        missing: when the application was not found: the first time, and the latest ones.
        clean_reads: times of consecutive direct reads without a credential to revoke.
        next_read_time: the application is not read before; None for at once.
        namespace: what the namespace holds; None when not read in this round.
        clock: tells when the times above say nothing any more.
        is_annotation_removed: the ServiceAccount has no annotation of ours any more.
    """

    uid: str
    absent_since: datetime | None = None
    is_owner_present: bool = False
    successor: AppCredentialSpec | None = None
    tenant_id: TenantId | None = None
    application: Application | None = None
    federated: FederatedList | None = None
    inherited: frozenset[KeyId] = frozenset()
    missing: tuple[datetime, ...] = ()
    clean_reads: tuple[datetime, ...] = ()
    next_read_time: datetime | None = None
    namespace: NamespaceRead | None = None
    is_annotation_removed: bool = False
    clock: ClockWatch = field(default_factory=ClockWatch)

    def forget_directory(self) -> None:
        """Forget what was read in a directory: the tenant leads to another one now."""
        self.application, self.missing, self.clean_reads = None, (), ()
