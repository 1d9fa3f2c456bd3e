"""What was issued for a resource, as a ConfigMap records it: it outlives the finalizer.

Without it, a resource that goes away without its finalizer leaves credentials that nobody knows of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from appcredential.domain.marker import Owner
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.spec.model import ClientId, CredentialType, ObjectId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedRecord:
    """One record, as its ConfigMap holds it. Never a value.

    Attributes:
        left: what to revoke once the resource is gone without a deletion that we saw; its `due`
            is no time yet, and the Secrets still have to be read.
        grace: from when that is seen until the revocation.
        created: when the API server created the resource.
        cluster: which one it is in, as `ClusterIdentity.whole` says: a backup may bring a record
            into another cluster, where nothing is known of its resource.
        observes: the resource was only observed at last, so that nothing of it is touched.
    """

    left: Revocation
    grace: timedelta
    created: datetime
    cluster: str
    observes: bool

    @property
    def uid(self) -> str:
        """The ConfigMap's."""
        return self.left.uid

    @property
    def resource_version(self) -> str:
        """The ConfigMap's."""
        return self.left.resource_version


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRecord:
    """What the process holds of a record between reads: there is one for each resource.

    Attributes:
        digest: of all that the record says.
        uid: of the ConfigMap.
        resource_version: of that ConfigMap.
    """

    owner: Owner
    resource_uid: str
    tenant: str
    tenant_id: TenantId
    client_id: ClientId
    object_id: ObjectId | None
    type: CredentialType
    cluster: str
    digest: str
    uid: str = field(default="", compare=False)
    resource_version: str = field(default="", compare=False)


class Recorded(StrEnum):
    """How a resource's record compares with the resource."""

    CURRENT = "Current"
    """It says what the resource is, or there is nothing to be compared."""
    ABSENT = "Absent"
    OUTDATED = "Outdated"
    """It is this very resource's, and the spec has changed since."""
    OF_FORMER_LIFE = "OfFormerLife"
    """A deleted resource of this name, tenant, application and type left it."""
