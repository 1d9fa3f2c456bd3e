"""One tenant in memory: connection, directory and token endpoint in one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from appcredential.domain.observed.app_policy import UNRESTRICTED, AppPolicy
from appcredential.domain.observed.entra import Credential
from appcredential.domain.proof import PROVEN, SignInResult
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import ClientId, CredentialType, VerificationScope
from appcredential.domain.write_permission import OF_OWNED
from appcredential.errors import AppCredentialError
from appcredential.ports.entra import Probe
from appcredential.ports.session import Pace
from tests.support.clock import HandClock
from tests.support.directory import MemoryDirectory
from tests.support.lists import MemoryLists
from tests.support.own_keys import NoOwnKeys


class MemorySession(MemoryDirectory):
    """A `tenants.Session` that is its own directory and its own token endpoint.

    Attributes:
        client_id: the operator's, with which this session was opened.
        principal_id: the object id of the operator's service principal.
        probe_errors: what the next probes raise, one each; after those, `error` counts.
        expiration: when the operator's own credential ends, as a probe returns it.
        policy: what a probe returns about the tenant's policy; None for nothing.
        roles: the permissions that a probe finds in the operator's token.
        probes: how many probes there were.
        closed: how often the session was closed.
        sign_in_result: how every sign-in and exchange ends.
        exchanges: how many tokens were exchanged.
        lists: what lists of the tenant show.
    """

    authority_host = "https://login.microsoftonline.com/"

    def __init__(
        self,
        clock: HandClock,
        *credentials: Credential,
        types: Iterable[CredentialType] = (CredentialType.CLIENT_SECRET,),
    ) -> None:
        super().__init__(clock, *credentials, types=types)
        self.client_id: ClientId | None = None
        self.principal_id = ""
        self.probe_errors: list[AppCredentialError | None] = []
        self.expiration: datetime | None = None
        self.policy: AppPolicy | None = UNRESTRICTED
        self.roles: frozenset[str] | None = frozenset({OF_OWNED})
        self.probes = 0
        self.closed = 0
        self.sign_in_result: SignInResult = PROVEN
        self.exchanges = 0
        self.lists = MemoryLists(self, clock)
        self.own_keys = NoOwnKeys()

    @property
    def directory(self) -> MemorySession:
        return self

    @property
    def sign_in(self) -> MemorySession:
        return self

    def pace(self) -> Pace:
        return Pace(units=0.0, writes=0.0, pause=0.0, pauses=0)

    async def probe(self) -> Probe:
        self.probes += 1
        error = self.probe_errors.pop(0) if self.probe_errors else self.error
        if error is not None:
            raise error
        return Probe(expiration=self.expiration, policy=self.policy, roles=self.roles)

    async def close(self) -> None:
        self.closed += 1

    async def with_secret(
        self, client_id: ClientId, secret: SecretValue, scope: VerificationScope, correlation: str
    ) -> SignInResult:
        self.calls.append("sign-in")
        return self.sign_in_result

    async def with_certificate(
        self, client_id: ClientId, value: SecretValue, scope: VerificationScope, correlation: str
    ) -> SignInResult:
        self.expect(CredentialType.CERTIFICATE)
        return self.sign_in_result

    async def with_assertion(
        self,
        client_id: ClientId,
        assertion: SecretValue,
        scope: VerificationScope,
        correlation: str,
    ) -> SignInResult:
        self.expect(CredentialType.FEDERATED_IDENTITY)
        self.exchanges += 1
        return self.sign_in_result
