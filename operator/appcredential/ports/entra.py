"""What the operator needs from Microsoft Entra, as Protocols.

The adapters in `entra/` implement them and raise only the errors of `errors.py`. The world
model and unit tests implement them in memory.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from appcredential.domain.observed.app_policy import AppPolicy
from appcredential.domain.observed.entra import Application, Credential
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.proof import SignInResult
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import ClientId, KeyId, ObjectId, VerificationScope
from appcredential.domain.spec.trusts import Trust


@dataclass(frozen=True, slots=True)
class MintedPassword:
    """The answer to addPassword: the only time the value is shown."""

    credential: Credential
    value: SecretValue


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCertificate:
    """A certificate to register. The operator chooses its key id, so a repeated call is harmless.

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
    """Extra facts that a successful probe of a tenant returned.

    Attributes:
        expiration: when the operator's own credential ends; None when that is not known.
        policy: what the tenant's policy allows, or that the operator may not read it; None
            when this probe learnt nothing about it.
        roles: the permissions for Graph that the operator's token names; None when the token
            cannot be read.
    """

    expiration: datetime | None = None
    policy: AppPolicy | None = None
    roles: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class CertificateLoss:
    """A certificate of another owner that went missing when several writers changed the list."""

    key_id: KeyId
    is_restored: bool


class Directory(Protocol):
    """Graph, for one tenant. Writes to one application never overlap."""

    def turn(self, object_id: ObjectId, who: str) -> AbstractContextManager[None]:
        """Hold an application's turn to be written, for what the running task does inside.

        Nobody waits for a turn; one in which nothing was sent costs nothing. The place in the
        line is kept for `who`.

        Raises:
            NotYetError: the turn has not come; come again after its `retry_after`.
            ThrottledError: Graph asked for a pause.
        """
        ...

    async def application(self, client_id: ClientId, max_age: timedelta) -> Application:
        """Read an application with its password credentials and certificates.

        A shared read that left at most `max_age` ago is good enough; callers at the same time
        share one.

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
            deadline: by the clock's `monotonic`; checked right before the request is sent.

        Raises:
            TooLateError: the deadline has passed; certainly not sent.
            OutcomeUnknownError: sent, and no usable answer: it may exist.
            RejectedError, NotFoundError, PermissionDeniedError, ThrottledError,
            ConflictError: certainly not made.
        """
        ...

    async def remove_password(self, object_id: ObjectId, key_id: KeyId) -> None:
        """Remove a password credential.

        Raises:
            NotFoundError: Graph knows no such credential: it is gone, or not replicated yet.
        """
        ...

    async def add_certificate(
        self,
        object_id: ObjectId,
        certificate: NewCertificate,
        known: frozenset[KeyId],
        gone: frozenset[KeyId],
    ) -> None:
        """Register a certificate; an entry with its key id stays as it is.

        Args:
            object_id: the application.
            certificate: with the key id to register it under.
            known: certificates that are known to exist: a read without one of them is stale.
            gone: our own certificates that are gone, as sign-ins proved: a read may lack them.

        Raises:
            UnavailableError: the reads differ, or there was no usable answer; the same call
                is safe to repeat.
            RejectedError, NotFoundError, PermissionDeniedError, ThrottledError,
            ConflictError: certainly not made.
        """
        ...

    async def remove_certificate(
        self, object_id: ObjectId, key_id: KeyId, known: frozenset[KeyId]
    ) -> None:
        """Remove a certificate; one that is gone already is a success.

        Raises:
            UnavailableError: the reads differ, or there was no usable answer.
        """
        ...

    async def federated(self, object_id: ObjectId, max_age: timedelta) -> FederatedList:
        """Read an application's federated credentials; reads are shared as for `application`.

        Raises:
            NotFoundError: 404 for the application; may also mean "not replicated yet".
        """
        ...

    async def add_federated(
        self, object_id: ObjectId, name: str, trust: Trust, description: str
    ) -> None:
        """Create a federated credential.

        Raises:
            ConflictError, RejectedError: nothing was made; perhaps another credential has
                the name, or the issuer and subject.
            OutcomeUnknownError: sent, and no usable answer; the same call is safe to repeat.
        """
        ...

    async def update_federated(
        self, object_id: ObjectId, id_: str, trust: Trust, description: str
    ) -> None:
        """Change a federated credential by its id; its name stays.

        Raises:
            NotFoundError: no credential has that id, or it is not replicated yet.
        """
        ...

    async def remove_federated(self, object_id: ObjectId, id_: str) -> None:
        """Delete a federated credential by its id.

        Raises:
            NotFoundError: gone already, or not replicated yet.
        """
        ...

    def take_losses(self, object_id: ObjectId) -> tuple[CertificateLoss, ...]:
        """Return, once, the certificates of others that a change of ours may have dropped."""
        ...

    async def is_client_id(self, principal_id: str) -> bool:
        """Return whether an id that should be a service principal's is a client id.

        False also when the operator lacks the permission to read that.
        """
        ...

    def skew(self) -> timedelta | None:
        """Return Entra's clock minus ours, from its answers; None when unknown."""
        ...

    def is_skew_doubted(self) -> bool:
        """Return whether one answer has shown a large difference, which a second may confirm."""
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
        """Sign in once on a new connection, past every cache, and discard the token.

        Never raises: each answer, and each failure of the network, is a result.
        """
        ...

    async def with_certificate(
        self,
        client_id: ClientId,
        value: SecretValue,
        scope: VerificationScope,
        correlation: str,
    ) -> SignInResult:
        """Sign in with an assertion that the private key in `value` signs."""
        ...

    async def with_assertion(
        self,
        client_id: ClientId,
        assertion: SecretValue,
        scope: VerificationScope,
        correlation: str,
    ) -> SignInResult:
        """Sign in with a token of another issuer (a federated credential)."""
        ...
