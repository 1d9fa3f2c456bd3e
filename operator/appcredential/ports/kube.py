"""What the operator needs from Kubernetes, as Protocols.

The adapters in `kube/` implement them and raise only the errors of `errors.py`. The world
model and unit tests implement them in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Owner
from appcredential.domain.observed.federated import Issuer, OutputMap, ServiceAccount
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.pods import UsersBySecrets
from appcredential.domain.observed.target import Abandoned, IssuedCredential, Pending, Target
from appcredential.domain.secret.content import Rendering
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId, ObjectId, TenantId


class Secrets(Protocol):
    """Target and pending Secrets. Updates carry uid and resourceVersion of the version read."""

    async def target(self, namespace: str, name: str) -> Target | None:
        """Read a target Secret; None when it does not exist."""
        ...

    async def version(self, namespace: str, name: str) -> str | None:
        """Return a Secret's resourceVersion without its data; None when it does not exist."""
        ...

    async def pending(self, owner: Owner) -> Pending | None:
        """Read the Secret that has the pending Secret's name; None when it does not exist."""
        ...

    async def put_target(
        self, namespace: str, name: str, live: Target | None, wanted: Rendering
    ) -> Target:
        """Create the target Secret, or replace exactly the version `live`.

        Raises:
            ConflictError: it exists, or has changed since.
            NamespaceTerminatingError, PermissionDeniedError, UnavailableError.
        """
        ...

    async def put_intent(self, intent: Intent, live: Pending | None) -> Pending:
        """Create the pending Secret as `Intent`, or reuse exactly the Abandoned version `live`.

        Raises:
            ConflictError: it exists, has changed since, or is not ours. The three methods
                below raise it, too.
        """
        ...

    async def put_minted(
        self, owner: Owner, live: Pending, minted: IssuedCredential, value: SecretValue
    ) -> Pending:
        """Write the value into exactly the version `live` of the pending Secret."""
        ...

    async def put_abandoned(self, owner: Owner, live: Pending) -> Pending:
        """Set exactly the version `live` of the pending Secret to `Abandoned`."""
        ...

    async def delete_pending(self, owner: Owner, live: Pending) -> None:
        """Delete exactly the version `live` of the pending Secret, if it still exists."""
        ...

    async def delete_target(self, namespace: str, live: Target) -> None:
        """Delete exactly the version `live` of the target Secret, if it still exists."""
        ...


class SecretReader(Protocol):
    """The operator's own Secrets, read by name."""

    async def values(self, namespace: str, name: str) -> Mapping[str, SecretValue] | None:
        """Return the values of a Secret by their keys; None when it does not exist.

        Raises:
            PermissionDeniedError, UnavailableError.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A private key with its certificate, made before the certificate is registered."""

    key_id: KeyId
    value: SecretValue
    not_before: datetime
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the pending Secret records before the credential exists.

    Attributes:
        labels: what the pending Secret gets besides our own: a cluster may demand them of every
            Secret.
        annotations: the same.
    """

    owner: Owner
    cluster: str
    tenant_id: TenantId
    object_id: ObjectId
    attempt_number: int
    holder: str
    time: datetime
    abandoned: tuple[Abandoned, ...]
    staged: Staged | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


class ServiceAccounts(Protocol):
    """ServiceAccounts: read and annotated, never created."""

    async def get(self, namespace: str, name: str) -> ServiceAccount | None:
        """Read a ServiceAccount; None when it does not exist or is being deleted."""
        ...

    async def annotate(
        self, live: ServiceAccount, annotations: Mapping[str, str | None]
    ) -> ServiceAccount:
        """Set annotations on exactly the version `live`; a value of None removes one.

        Raises:
            ConflictError: the ServiceAccount has changed since.
        """
        ...

    async def token(self, namespace: str, name: str, audience: str) -> SecretValue:
        """Request a short-lived token of a ServiceAccount, as a kubelet does.

        Raises:
            NotFoundError: there is no such ServiceAccount.
            PermissionDeniedError: the operator may not request its tokens.
        """
        ...


class Pods(Protocol):
    """Pods: listed when a credential may go, never watched."""

    async def users(self, namespace: str, asked: Collection[frozenset[str]]) -> UsersBySecrets:
        """Return, by one list, which of the namespace's unfinished pods use a Secret of each set.

        Raises:
            UnusableListError: there are more pods than are read.
            AppCredentialError: the API server refused, or gave no whole list.
        """
        ...


class Outputs(Protocol):
    """The ConfigMaps that tell workloads about federated credentials."""

    async def get(self, namespace: str, name: str) -> OutputMap | None:
        """Read a ConfigMap; None when it does not exist."""
        ...

    async def put(
        self, owner: Owner, name: str, data: Mapping[str, str], live: OutputMap | None
    ) -> OutputMap:
        """Create it, or replace exactly the version `live`; keys that are not ours stay.

        Raises:
            ConflictError: it exists, or has changed since.
        """
        ...

    async def delete(self, live: OutputMap) -> None:
        """Delete exactly the version `live`, if it still exists."""
        ...


class IssuerSource(Protocol):
    """The issuer of this cluster's ServiceAccount tokens."""

    async def current(self) -> Issuer | Problem:
        """Return the issuer that the last reads agreed on, or why none is known. Never raises."""
        ...


class Resources(Protocol):
    """AppCredential objects."""

    async def get(self, owner: Owner) -> Resource | None:
        """Read an AppCredential live; None when the API server answers 404."""
        ...

    async def list(self, namespace: str) -> tuple[Resource, ...]:
        """Read all AppCredentials of a namespace live."""
        ...

    async def set_finalizer(self, resource: Resource, *, present: bool) -> Resource | None:
        """Add or remove our finalizer on exactly this version; None when that deleted it."""
        ...

    async def apply_status(self, resource: Resource, status: dict[str, Any]) -> Resource:
        """Replace the whole status of exactly this version, by server-side apply."""
        ...

    async def is_crd_deleted(self) -> bool:
        """Return whether the AppCredential CRD is being deleted, by a GET of a moment ago."""
        ...

    async def crd_created(self) -> datetime | None:
        """Return by a live GET since when the AppCredential CRD has existed.

        Returns:
            None when it does not exist, is being deleted, or is not served: then a 404 says
            nothing of a resource.
        """
        ...

    async def is_namespace_leaving(self, namespace: str) -> bool:
        """Return by a live GET whether a namespace is being deleted, or does not exist.

        Raises:
            AppCredentialError: the answer was neither the namespace nor 404.
        """
        ...
