"""One tenant in memory: connection, directory and token endpoint in one."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

from appcredential.domain.observed.app_policy import UNRESTRICTED, AppPolicy
from appcredential.domain.observed.entra import Credential
from appcredential.domain.proof import PROVEN, SignInResult
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import ClientId, VerificationScope
from appcredential.errors import AppCredentialError
from appcredential.ports.entra import Probe
from tests.support.clock import HandClock
from tests.support.directory import MemoryDirectory, fail_test


class MemorySession(MemoryDirectory):
    """A `tenants.Session` that is its own directory and its own token endpoint.

    Attributes:
        client_id: the operator's, with which this session was opened.
        probe_errors: what the next probes raise, one each; after those, `error` counts.
        expiration: when the operator's own credential ends, as a probe returns it.
        policy: what a probe returns about the tenant's policy; None for nothing.
        probes: how many probes there were.
        closed: how often the session was closed.
    """

    authority_host = "https://login.microsoftonline.com/"

    def __init__(self, clock: HandClock, *credentials: Credential) -> None:
        super().__init__(clock, *credentials)
        self.client_id: ClientId | None = None
        self.probe_errors: list[AppCredentialError | None] = []
        self.expiration: datetime | None = None
        self.policy: AppPolicy | None = UNRESTRICTED
        self.probes = 0
        self.closed = 0

    @property
    def directory(self) -> MemorySession:
        return self

    @property
    def sign_in(self) -> MemorySession:
        return self

    async def probe(self) -> Probe:
        self.probes += 1
        error = self.probe_errors.pop(0) if self.probe_errors else self.error
        if error is not None:
            raise error
        return Probe(expiration=self.expiration, policy=self.policy)

    async def close(self) -> None:
        self.closed += 1

    async def with_secret(
        self, client_id: ClientId, secret: SecretValue, scope: VerificationScope, correlation: str
    ) -> SignInResult:
        self.calls.append("sign-in")
        return PROVEN

    async def with_assertion(self, *_: object, **__: object) -> NoReturn:
        fail_test()

    async def with_certificate(self, *_: object, **__: object) -> NoReturn:
        fail_test()
