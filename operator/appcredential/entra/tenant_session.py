"""Everything that talks to one Entra tenant, opened and closed together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appcredential.domain.observed.app_policy import PERMISSION_MISSING, AppPolicy
from appcredential.domain.operator_credential import OperatorCredential, rejected
from appcredential.domain.spec.model import ClientId, Cloud, EntraTenantSpec
from appcredential.entra.clouds import Endpoints, endpoints_for
from appcredential.entra.connection import Connection
from appcredential.entra.directory import GraphDirectory
from appcredential.entra.key_entries import Loss
from appcredential.entra.operations import Observe, ignore
from appcredential.entra.operator_token import OperatorToken
from appcredential.entra.projected_token import ProjectedToken
from appcredential.entra.rate_limit import PACING, Pacing, Sleep
from appcredential.entra.signin import TokenEndpoint
from appcredential.entra.token_sources import token_source
from appcredential.errors import (
    AppCredentialError,
    IdentityRejectedError,
    PermissionDeniedError,
)
from appcredential.ports.entra import Directory, Probe, SignIn
from appcredential.ports.local import Clock

_TOKEN_SECONDS: Final = 10.0
"""For one token of the operator, retries included."""
_log = logging.getLogger(__name__)


class TenantSession:
    """One tenant's adapters.

    Attributes:
        authority_host: the URL that workloads sign in at.
        client_id: whom the operator signs in as; None until that is known.
    """

    def __init__(
        self,
        connection: Connection,
        directory: GraphDirectory,
        sign_in: SignIn,
        authority_host: str,
        *,
        token: OperatorToken,
        client_id: ClientId | None,
        own: OperatorCredential,
    ) -> None:
        self.directory: Directory = directory
        self.sign_in = sign_in
        self.authority_host = authority_host
        self._graph = directory
        self._connection = connection
        self.client_id = client_id
        self._token = token
        self._own = own
        self._is_policy_denied = False

    async def probe(self) -> Probe:
        """Sign in, read applications and the policy; raises errors of `errors.py`.

        A token holds the permissions of the time it was issued, for an hour or more:
        after a refusal the next probe asks for a new one, so that consent is noticed.
        Without a permission to read the policy the tenant is as usable as with it.
        """
        if self._is_policy_denied:
            await self._connection.forget_token()
        try:
            if self.client_id is None:
                self.client_id = await self._token.client_id()
            end = await self._graph.probe(self.client_id, self._own)
        except PermissionDeniedError:
            await self._connection.forget_token()
            raise
        return Probe(expiration=end, policy=await self._policy())

    async def _policy(self) -> AppPolicy | None:
        """Read the policy; None when nothing was learnt about it this time."""
        self._is_policy_denied = False
        try:
            return await self._graph.default_policy()
        except IdentityRejectedError:
            return None
        except PermissionDeniedError:
            self._is_policy_denied = True
            return AppPolicy(unknown=PERMISSION_MISSING)
        except AppCredentialError as error:
            _log.warning("the app management policy cannot be read: %s", error)
            return None

    async def close(self) -> None:
        """Close every connection."""
        await self._graph.close()
        await self._connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomCloud:
    """What `cloud: Custom` means, from the operator's settings, past `check_custom`."""

    endpoints: Endpoints
    ca_file: str | None


def session_opener(
    *,
    clock: Clock,
    token: ProjectedToken,
    custom: CustomCloud | None,
    pacing: Pacing = PACING,
    observe: Observe = ignore,
    report: Callable[[Loss], None] = lambda _: None,
    sleep: Sleep = asyncio.sleep,
) -> Callable[[EntraTenantSpec, OperatorCredential, Callable[[], bool]], TenantSession | None]:
    """Return what opens a tenant's session: None for `Custom` without `custom`.

    Opening makes no request. Call it on the event loop that uses the session.
    The CA file counts for `Custom` alone: no setting weakens a public cloud's TLS.
    """

    def open_session(
        spec: EntraTenantSpec, own: OperatorCredential, may_act: Callable[[], bool]
    ) -> TenantSession | None:
        endpoints = endpoints_for(spec.cloud, custom.endpoints if custom else None)
        if endpoints is None:
            return None
        ca_file = custom.ca_file if custom and spec.cloud is Cloud.CUSTOM else None
        source = token_source(spec, own, endpoints, ca_file, token)
        told = rejected(spec.identity).message
        operator = OperatorToken(source, endpoints.graph_scope, clock, _TOKEN_SECONDS, told=told)
        connection = Connection(operator, endpoints, ca_file=ca_file, clock=clock, observe=observe)
        directory = GraphDirectory(
            connection,
            clock=clock,
            pacing=pacing,
            sleep=sleep,
            report=report,
            may_act=may_act,
        )
        sign_in = TokenEndpoint(
            spec.tenant_id,
            endpoints,
            ca_file=ca_file,
            clock=clock,
            observe=observe,
            skew=connection.skew,
        )
        client_id = spec.identity.client_id
        return TenantSession(
            connection,
            directory,
            sign_in,
            endpoints.authority,
            token=operator,
            client_id=client_id,
            own=own,
        )

    return open_session
