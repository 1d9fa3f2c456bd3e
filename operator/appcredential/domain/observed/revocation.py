"""A scheduled revocation, and what was observed about it.

One is scheduled for each AppCredential that is deleted. Until its time, creating the resource
again cancels it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import OutputMap
from appcredential.domain.observed.target import Pending, Target
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ClientId,
    CredentialType,
    DeletionPolicy,
    KeyId,
    ObjectId,
    TenantId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One deletion to finish, as its ConfigMap records it.

    Attributes:
        owner: the deleted AppCredential.
        resource_uid: of the deleted AppCredential.
        tenant: name of its EntraTenant.
        tenant_id: the directory its credentials are in; empty when not known.
        object_id: of the application; None when not known.
        secret_uid: of the target Secret; empty when there was none.
        pending_attempt: the unpublished attempt; empty when there was none.
        due: nothing is revoked before.
        service_account: that was annotated; empty for none.
        config_map: name of the output ConfigMap; empty for none.
        uid: of the ConfigMap that holds this.
        resource_version: of that ConfigMap.
    """

    owner: Owner
    resource_uid: str
    tenant: str
    tenant_id: TenantId
    client_id: ClientId
    object_id: ObjectId | None
    type: CredentialType
    policy: DeletionPolicy
    secret_name: str
    secret_uid: str
    pending_attempt: str
    due: datetime
    service_account: str = ""
    config_map: str = ""
    uid: str = ""
    resource_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationObservation:
    """Everything about one revocation.

    Attributes:
        owner_absent_since: when this process first saw the owner absent; None while present
            or unknown.
        successor: spec of a resource for another application that has the owner's name now.
        tenant_id: of the revocation's EntraTenant as it is now; None when it cannot be used.
        is_tenant_missing: there is no EntraTenant of that name.
        application: None when not read.
        application_gone: it answered 404 lastingly.
        has_secrets: the target and the pending Secret, or the output ConfigMap, were read in
            this round.
        clean_reads: times of consecutive direct reads without a credential to revoke.
        inherited: ids that another resource of the namespace asks for and takes over.
        is_annotation_removed: the ServiceAccount was looked at, and has no annotation of ours
            any more.
        output: the output ConfigMap, None when it does not exist or none was asked for.
        absence: the owner must have been absent for so long.
        intent_respect: how long a mint may still be in flight after its intent was written.
        freshness: an older read of the application is repeated.
    """

    now: datetime
    identity: ClusterIdentity
    revocation: Revocation
    owner_absent_since: datetime | None
    successor: AppCredentialSpec | None = None
    tenant_id: TenantId | None
    is_tenant_missing: bool = False
    application: Application | None
    application_gone: bool
    target: Target | None
    pending: Pending | None
    has_secrets: bool = True
    clean_reads: tuple[datetime, ...] = ()
    inherited: frozenset[KeyId] = frozenset()
    is_annotation_removed: bool = False
    output: OutputMap | None = None
    absence: timedelta = timedelta(minutes=10)
    intent_respect: timedelta = timedelta(seconds=60)
    freshness: timedelta = timedelta(seconds=15)
