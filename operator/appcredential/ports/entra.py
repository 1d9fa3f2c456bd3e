"""What the operator needs from Microsoft Entra, as Protocols.

The adapters in `entra/` implement them and raise only the errors of `errors.py`. The world
model and unit tests implement them in memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from appcredential.domain.observed.app_policy import AppPolicy
from appcredential.domain.observed.entra import Application, Credential, Tenant
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.proof import SignInResult
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    ClientId,
    EntraTenantSpec,
    KeyId,
    ObjectId,
    VerificationScope,
)
from appcredential.domain.spec.trusts import Trust


@dataclass(frozen=True, slots=True)
class MintedPassword:
    """The answer to addPassword: the only time the value is shown."""

    credential: Credential
    value: SecretValue


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCertificate:
    """A certificate to register. Its key id is ours, so that registering twice is once.

    Attributes:
        content: base64 of its DER bytes.
    """

    key_id: KeyId
    display_name: str
    start: datetime
    end: datetime
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a look at a tenant told beside that it can be used.

    Attributes:
        expiration: when the operator's own credential ends; None when that cannot be told.
        policy: what the tenant's policy allows, or that it may not be read; None when
            nothing was learnt about it this time.
    """

    expiration: datetime | None = None
    policy: AppPolicy | None = None


@dataclass(frozen=True, slots=True)
class CertificateLoss:
    """A certificate of another owner that went while the list was changed by us and others."""

    key_id: KeyId
    is_restored: bool


class Directory(Protocol):
    """Graph, for one tenant. Writes to one application are serialised inside."""

    async def application(self, client_id: ClientId, max_age: timedelta) -> Application:
        """Read an application with its password credentials.

        A shared read not older than `max_age` will do; concurrent callers share one.

        Raises:
            NotFoundError: 404; may also mean "not replicated yet".
            PermissionDeniedError, ThrottledError, UnavailableError, RejectedError.
        """
        ...

    async def add_password(
        self,
        object_id: ObjectId,
        display_name: str,
        end: datetime,
        *,
        deadline: float = math.inf,
    ) -> MintedPassword:
        """Add a password credential. Never retried.

        Args:
            object_id: of the application.
            display_name: with the marker.
            end: of the credential, aware.
            deadline: by the clock's `monotonic`; looked at when nothing but sending is left.

        Raises:
            TooLateError: the deadline passed meanwhile; certainly not sent.
            OutcomeUnknownError: sent, and no usable answer: it may exist.
            RejectedError, NotFoundError, PermissionDeniedError, ThrottledError,
            ConflictError: certainly not made.
        """
        ...

    async def remove_password(self, object_id: ObjectId, key_id: KeyId) -> None:
        """Remove a password credential.

        Raises:
            NotFoundError: Graph knows no such credential; gone, or not replicated yet.
        """
        ...

    async def add_certificate(
        self,
        object_id: ObjectId,
        certificate: NewCertificate,
        known: frozenset[KeyId],
        gone: frozenset[KeyId],
    ) -> None:
        """Register a certificate; one that is registered already is left as it is.

        Args:
            object_id: the application.
            certificate: with the key id to register it under.
            known: certificates recorded to exist: a read that lacks one is stale.
            gone: certificates of ours that sign-ins proved to be gone: nothing waits for them.

        Raises:
            UnavailableError: reads do not agree, or no usable answer; the same call is safe
                to repeat.
            RejectedError, NotFoundError, PermissionDeniedError, ThrottledError,
            ConflictError: certainly not made.
        """
        ...

    async def remove_certificate(
        self, object_id: ObjectId, key_id: KeyId, known: frozenset[KeyId]
    ) -> None:
        """Remove a certificate; absent already is success.

        Raises:
            UnavailableError: reads do not agree, or no usable answer.
        """
        ...

    async def federated(self, object_id: ObjectId, max_age: timedelta) -> FederatedList:
        """Read an application's federated credentials; shared as `application` is.

        Raises:
            NotFoundError: 404 for the application; may also mean "not replicated yet".
        """
        ...

    async def add_federated(
        self, object_id: ObjectId, name: str, trust: Trust, description: str
    ) -> None:
        """Create a federated credential.

        Raises:
            ConflictError, RejectedError: nothing was made, perhaps because the name, or
                issuer and subject, are there already.
            OutcomeUnknownError: sent, and no usable answer; the same call is safe to repeat.
        """
        ...

    async def update_federated(
        self, object_id: ObjectId, id_: str, trust: Trust, description: str
    ) -> None:
        """Change a federated credential by its id; its name stays.

        Raises:
            NotFoundError: there is none of that id, or it is not replicated yet.
        """
        ...

    async def remove_federated(self, object_id: ObjectId, id_: str) -> None:
        """Delete a federated credential by its id.

        Raises:
            NotFoundError: gone already, or not replicated yet.
        """
        ...

    def take_losses(self, object_id: ObjectId) -> tuple[CertificateLoss, ...]:
        """Return, once, the certificates of others that were lost around a change of ours."""
        ...

    async def is_client_id(self, principal_id: str) -> bool:
        """Tell whether an id that should be a principal's is an application's client id.

        False also when the operator may not look.
        """
        ...

    def skew(self) -> timedelta | None:
        """Return Entra's clock minus ours, from its answers; None when unknown."""
        ...


class SignIn(Protocol):
    """The token endpoint, for one tenant."""

    async def with_secret(
        self,
        client_id: ClientId,
        secret: SecretValue,
        scope: VerificationScope,
        correlation: str,
    ) -> SignInResult:
        """Sign in once on a new connection, past every cache; the token is discarded.

        Never raises: everything an endpoint or network can do is a result.
        """
        ...

    async def with_certificate(
        self,
        client_id: ClientId,
        value: SecretValue,
        scope: VerificationScope,
        correlation: str,
    ) -> SignInResult:
        """The same with an assertion that is signed with a certificate's key."""
        ...

    async def with_assertion(
        self,
        client_id: ClientId,
        assertion: SecretValue,
        scope: VerificationScope,
        correlation: str,
    ) -> SignInResult:
        """The same with a token that somebody else issued."""
        ...


class Session(Protocol):
    """An open session with one tenant."""

    @property
    def directory(self) -> Directory:
        """Graph."""
        ...

    @property
    def sign_in(self) -> SignIn:
        """The token endpoint."""
        ...

    @property
    def authority_host(self) -> str:
        """What consumers read as AZURE_AUTHORITY_HOST."""
        ...

    @property
    def client_id(self) -> ClientId | None:
        """Whom the operator signs in as; None until that is known."""
        ...

    async def probe(self) -> Probe:
        """Sign in, read applications and the policy; raises errors of `errors.py`."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


OpenSession = Callable[[EntraTenantSpec, OperatorCredential, Callable[[], bool]], Session | None]
"""Opens a session; None when `cloud: Custom` has no endpoints in the settings.

The last argument tells whether this process may act: asked before something is mended.
"""


@dataclass(frozen=True, slots=True)
class Access:
    """A usable tenant."""

    tenant: Tenant
    session: Session
