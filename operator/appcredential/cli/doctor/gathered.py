"""What was read of an installation; what could not be read says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from appcredential.cli.app_credential import AppCredential, Document


@dataclass(frozen=True, slots=True)
class Read:
    """Documents of one kind.

    Attributes:
        items: what was found; empty where there is nothing of that kind.
        missing: why nothing could be read; empty when it could.
    """

    items: tuple[Document, ...] = ()
    missing: str = ""

    @property
    def only(self) -> Document | None:
        """The document, where there is at most one; None where there is none."""
        return self.items[0] if self.items else None

    def named(self, name: str) -> Document | None:
        """Return the document of that name; None where there is none."""
        return next((found for found in self.items if found.name == name), None)


class Right(Enum):
    """A right of the operator in the namespaces that it serves: verb, API group and resource."""

    SECRETS = ("update", "", "secrets")
    LIST_SECRETS = ("list", "", "secrets")
    PODS = ("list", "", "pods")
    RESTARTS = ("patch", "apps", "deployments")
    TOKENS = ("create", "", "serviceaccounts/token")
    NAMESPACES = ("list", "", "namespaces")


@dataclass(frozen=True, slots=True)
class Grants:
    """Which rights the operator has, as the API server says.

    Attributes:
        allowed: by right and namespace; an empty namespace is all of them.
        missing: why that is not known; empty when it is.
    """

    allowed: Mapping[tuple[Right, str], bool] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All that the checks look at.

    Attributes:
        now: the API server's time.
        local_time: this machine's time at the same moment.
        tool_version: of this program.
        namespace: the only one whose AppCredentials could be read; empty when it was all.
        server: the API server's version.
        crds: those of the three kinds that exist; without any rights, only their names.
        deployments: of the operator, one for each shard.
        searched: the only namespace in which Deployments could be looked for; empty when it was
            all, or when the person named it.
        pods: of the operator.
        leases: by which its replicas elect their leaders.
        claim: the Lease with which the installation claims the cluster.
        resources: the AppCredentials.
        resources_missing: why they could not be read.
        discovery: the issuer's discovery document, as the API server serves it.
        keys: the issuer's keys, likewise.
        policies: the admission policies of the chart.
        bindings: of these policies.
        tickets: the scheduled revocations.
        rights: what the operator may do.
    """

    now: datetime
    local_time: datetime
    tool_version: str
    namespace: str = ""
    server: Read = Read()
    crds: Read = Read()
    deployments: Read = Read()
    searched: str = ""
    pods: Read = Read()
    leases: Read = Read()
    claim: Read = Read()
    tenants: Read = Read()
    grants: Read = Read()
    resources: tuple[AppCredential, ...] = ()
    resources_missing: str = ""
    discovery: Read = Read()
    keys: Read = Read()
    policies: Read = Read()
    bindings: Read = Read()
    tickets: Read = Read()
    rights: Grants = Grants()

    @property
    def has_all_resources(self) -> bool:
        """Whether the AppCredentials of all namespaces were read."""
        return not self.resources_missing and not self.namespace
