"""What the operator needs from Kubernetes, as Protocols.

The adapters in `kube/` implement them and raise only the errors of `errors.py`. The world
model and unit tests implement them in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Owner
from appcredential.domain.observed.federated import Issuer, OutputMap, ServiceAccount
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.target import Abandoned, IssuedCredential, Pending, Target
from appcredential.domain.revocation import Revocation
from appcredential.domain.secret.content import Rendering
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId, ObjectId, TenantId


class Secrets(Protocol):
    """Target and pending Secrets. Updates carry uid and resourceVersion."""

    async def target(self, namespace: str, name: str) -> Target | None:
        """Read T; None when it does not exist."""
        ...

    async def version(self, namespace: str, name: str) -> str | None:
        """Return T's resourceVersion without reading its data; None when it does not exist."""
        ...

    async def pending(self, owner: Owner) -> Pending | None:
        """Read the Secret of P's name; None when it does not exist."""
        ...

    async def put_target(
        self, namespace: str, name: str, live: Target | None, wanted: Rendering
    ) -> Target:
        """Create T, or replace exactly the version `live`.

        Raises:
            ConflictError: it exists, or changed since.
            NamespaceTerminatingError, PermissionDeniedError, UnavailableError.
        """
        ...

    async def put_intent(self, intent: Intent, live: Pending | None) -> Pending:
        """Create P as `Intent`, or take exactly the Abandoned version `live` up again.

        Raises:
            ConflictError: it exists, changed since, or is foreign; also of the three below.
        """
        ...

    async def put_minted(
        self, owner: Owner, live: Pending, minted: IssuedCredential, value: SecretValue
    ) -> Pending:
        """Write the value into exactly the version `live` of P."""
        ...

    async def put_abandoned(self, owner: Owner, live: Pending) -> Pending:
        """Set exactly the version `live` of P to `Abandoned`."""
        ...

    async def delete_pending(self, owner: Owner, live: Pending) -> None:
        """Delete exactly the version `live` of P. Gone already is success."""
        ...

    async def delete_target(self, namespace: str, live: Target) -> None:
        """Delete exactly the version `live` of T. Gone already is success."""
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
    """A value that is ours before the credential exists: a key with its certificate."""

    key_id: KeyId
    value: SecretValue
    not_before: datetime
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What P records before the credential exists."""

    owner: Owner
    cluster: str
    tenant_id: TenantId
    object_id: ObjectId
    attempt_number: int
    holder: str
    time: datetime
    abandoned: tuple[Abandoned, ...]
    staged: Staged | None = None


class InputKind(StrEnum):
    """Kinds of objects that users bring something in."""

    SECRET = "Secret"
    CONFIG_MAP = "ConfigMap"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputObject:
    """One of them, as read. `version` changes with every write, also of a namesake."""

    version: str
    data: Mapping[str, SecretValue]


class Inputs(Protocol):
    """Secrets and ConfigMaps of users, read by name."""

    async def read(
        self, kind: InputKind, namespace: str, name: str, held: InputObject | None
    ) -> InputObject | None:
        """Read one; `held` itself when it is still the same version, None when absent.

        Raises:
            SecretForbiddenError, PermissionDeniedError: the operator may not read it.
        """
        ...


class ServiceAccounts(Protocol):
    """ServiceAccounts: read and annotated, never created."""

    async def get(self, namespace: str, name: str) -> ServiceAccount | None:
        """Read one; None when it does not exist or is going away."""
        ...

    async def annotate(
        self, live: ServiceAccount, annotations: Mapping[str, str | None]
    ) -> ServiceAccount:
        """Set annotations on exactly this version; None removes one.

        Raises:
            ConflictError: it changed since.
        """
        ...

    async def token(self, namespace: str, name: str, audience: str) -> SecretValue:
        """Ask for a short-lived token of one, as a kubelet does.

        Raises:
            NotFoundError: there is no such ServiceAccount.
            PermissionDeniedError: the operator may not.
        """
        ...


class Outputs(Protocol):
    """The output ConfigMaps."""

    async def get(self, namespace: str, name: str) -> OutputMap | None:
        """Read one; None when it does not exist."""
        ...

    async def put(
        self, owner: Owner, name: str, data: Mapping[str, str], live: OutputMap | None
    ) -> OutputMap:
        """Create, or replace exactly the version `live`; keys that are not ours stay.

        Raises:
            ConflictError: it exists, or changed since.
        """
        ...

    async def delete(self, live: OutputMap) -> None:
        """Delete exactly the version `live`. Gone already is success."""
        ...


class IssuerSource(Protocol):
    """Who issues this cluster's ServiceAccount tokens."""

    async def current(self) -> Issuer | Problem:
        """Return the issuer as the last reads agreed, or why nobody can say. Never raises."""
        ...


class Resources(Protocol):
    """AppCredential objects."""

    async def get(self, owner: Owner) -> Resource | None:
        """Read one live; None when the API server answers 404 for it."""
        ...

    async def list(self, namespace: str) -> tuple[Resource, ...]:
        """Read all of a namespace live."""
        ...

    async def set_finalizer(self, resource: Resource, *, present: bool) -> Resource | None:
        """Add or remove our finalizer on exactly this version; None when it is gone then."""
        ...

    async def apply_status(self, resource: Resource, status: dict[str, Any]) -> Resource:
        """Server-side apply the whole status to exactly this version."""
        ...

    async def is_crd_deleted(self) -> bool:
        """Tell by a live GET whether the AppCredential CRD is going away."""
        ...

    async def is_namespace_gone(self, namespace: str) -> bool:
        """Tell by a live GET whether a namespace does not exist; an error is raised."""
        ...


class Revocations(Protocol):
    """Revocations in the operator's namespace."""

    async def get(self, name: str) -> Revocation | None:
        """Read one; None when absent."""
        ...

    async def list(self) -> tuple[Revocation, ...]:
        """Read all."""
        ...

    async def put(self, name: str, revocation: Revocation, live: Revocation | None) -> Revocation:
        """Create, or replace exactly the version `live`."""
        ...

    async def delete(self, name: str, live: Revocation) -> None:
        """Delete exactly the version `live`. Gone already is success."""
        ...


class Events(Protocol):
    """Kubernetes Events (events.k8s.io). Losing one is no failure."""

    async def emit(self, about: EventSubject, reason: str, note: str, *, warning: bool) -> None:
        """Write one Event; failures are logged, never raised."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSubject:
    """The object an Event is about; `namespace` is empty for cluster-scoped kinds."""

    kind: str
    namespace: str
    name: str
    uid: str
