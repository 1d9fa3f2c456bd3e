"""One tenant in memory whose application has all three types of credentials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from appcredential.domain.observed.entra import Credential
from appcredential.domain.observed.federated import FederatedCredential, FederatedList
from appcredential.domain.proof import PROVEN, SignInResult
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    ClientId,
    CredentialType,
    KeyId,
    ObjectId,
    VerificationScope,
)
from appcredential.domain.spec.trusts import Trust
from appcredential.errors import AppCredentialError, NotFoundError
from appcredential.ports.entra import CertificateLoss, NewCertificate
from tests.support.builders import OBJECT_ID
from tests.support.clock import HandClock
from tests.support.session import MemorySession


@dataclass(frozen=True)
class Failure:
    """How one write fails.

    Attributes:
        what: how the write begins, see `FullSession.writes`.
        error: what it raises.
        is_committed: the change was made all the same, and only the answer was lost.
    """

    what: str
    error: AppCredentialError
    is_committed: bool = False


class FullSession(MemorySession):
    """A session for worlds with certificates and federated credentials.

    Attributes:
        trusts: the application's federated credentials, by id.
        hidden: ids of federated credentials that reads do not show yet.
        clients: ids that are client ids.
        failures: of writes to come, each once.
        after_read: called once, when the next read of federated credentials is answered.
        losses: certificates of others that are reported once.
        writes: the writes so far: a verb, and what is added, changed or removed.
        exchanges: how many tokens were exchanged.
        sign_in_result: how sign-ins with certificates and exchanges end.
    """

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock)
        self.trusts: dict[str, FederatedCredential] = {}
        self.hidden: set[str] = set()
        self.clients: set[str] = set()
        self.failures: list[Failure] = []
        self.after_read: Callable[[], None] = lambda: None
        self.losses: list[CertificateLoss] = []
        self.writes: list[str] = []
        self.exchanges = 0
        self.sign_in_result: SignInResult = PROVEN

    def put(self, *trusts: FederatedCredential) -> None:
        """Make federated credentials as if somebody else had."""
        self.trusts |= {c.id: c for c in trusts}

    @property
    def directory(self) -> FullSession:
        return self

    @property
    def sign_in(self) -> FullSession:
        return self

    # --- certificates ----------------------------------------------------------------------

    async def add_certificate(  # type: ignore[override]
        self,
        object_id: ObjectId,
        certificate: NewCertificate,
        known: frozenset[KeyId],
        gone: frozenset[KeyId],
    ) -> None:
        failure = self._write(f"add {certificate.key_id}")
        if failure is None or failure.is_committed:
            self.credentials[certificate.key_id] = Credential(
                key_id=certificate.key_id,
                display_name=certificate.display_name,
                start=certificate.start,
                end=certificate.end,
                type=CredentialType.CERTIFICATE,
            )
        if failure is not None:
            raise failure.error

    async def remove_certificate(  # type: ignore[override]
        self, object_id: ObjectId, key_id: KeyId, known: frozenset[KeyId]
    ) -> None:
        assert key_id not in known, "nothing waits for what is to be removed"
        failure = self._write(f"remove {key_id}")
        if failure is not None:
            raise failure.error
        await self.remove_password(object_id, key_id)

    def take_losses(self, object_id: ObjectId) -> tuple[CertificateLoss, ...]:  # type: ignore[override]
        found, self.losses = tuple(self.losses), []
        return found

    async def with_certificate(  # type: ignore[override]
        self, client_id: ClientId, value: SecretValue, scope: VerificationScope, correlation: str
    ) -> SignInResult:
        return self.sign_in_result

    # --- federated credentials -------------------------------------------------------------

    async def federated(  # type: ignore[override]
        self, object_id: ObjectId, max_age: timedelta
    ) -> FederatedList:
        self._call("read federated")
        shown = tuple(c for c in self.trusts.values() if c.id not in self.hidden)
        after, self.after_read = self.after_read, lambda: None
        after()
        return FederatedList(object_id=OBJECT_ID, credentials=shown, read_time=self._clock.now())

    async def add_federated(  # type: ignore[override]
        self, object_id: ObjectId, name: str, trust: Trust, description: str
    ) -> None:
        failure = self._write(f"add {trust.subject}")
        if failure is None or failure.is_committed:
            made = FederatedCredential(
                id=f"id-{next(self._numbers)}",
                name=name,
                issuer=trust.issuer,
                subject=trust.subject,
                audiences=(trust.audience,),
                description=description,
            )
            self.put(made)
        if failure is not None:
            raise failure.error

    async def update_federated(  # type: ignore[override]
        self, object_id: ObjectId, id_: str, trust: Trust, description: str
    ) -> None:
        failure = self._write(f"update {id_}")
        if failure is not None:
            raise failure.error
        found = self.trusts[id_]
        self.trusts[id_] = FederatedCredential(
            id=id_,
            name=found.name,
            issuer=trust.issuer,
            subject=trust.subject,
            audiences=(trust.audience,),
            description=description,
        )

    async def remove_federated(self, object_id: ObjectId, id_: str) -> None:  # type: ignore[override]
        failure = self._write(f"remove {id_}")
        if failure is not None:
            raise failure.error
        if self.trusts.pop(id_, None) is None:
            raise NotFoundError("no such credential")

    async def is_client_id(self, principal_id: str) -> bool:  # type: ignore[override]
        return principal_id in self.clients

    async def with_assertion(  # type: ignore[override]
        self,
        client_id: ClientId,
        assertion: SecretValue,
        scope: VerificationScope,
        correlation: str,
    ) -> SignInResult:
        self.exchanges += 1
        return self.sign_in_result

    def _write(self, what: str) -> Failure | None:
        self.writes.append(what)
        failure = next((f for f in self.failures if what.startswith(f.what)), None)
        if failure is not None:
            self.failures.remove(failure)
        return failure
