"""All connections to one Entra tenant, opened and closed together."""

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
"""For one token of the operator's own, retries included."""
_log = logging.getLogger(__name__)


class TenantSession:
    """One tenant's adapters. Implements `ports.entra.Session`.

    Attributes:
        authority_host: the URL at which workloads sign in.
        client_id: the client as which the operator signs in; None until that is known.
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
        credential: OperatorCredential,
    ) -> None:
        self.directory: Directory = directory
        self.sign_in = sign_in
        self.authority_host = authority_host
        self._graph = directory
        self._connection = connection
        self.client_id = client_id
        self._token = token
        self._credential = credential
        self._is_policy_denied = False

    async def probe(self) -> Probe:
        """Sign in, and read applications and the policy; see `ports.entra.Session`.

        For an hour or more, a token keeps the permissions that the operator had when it was
        issued. So after a refusal the next probe asks for a new one, to notice a consent. The
        permission to read the policy is optional.
        """
        if self._is_policy_denied:
            await self._connection.forget_token()
        try:
            if self.client_id is None:
                self.client_id = await self._token.client_id()
            end = await self._graph.probe(self.client_id, self._credential)
        except PermissionDeniedError:
            await self._connection.forget_token()
            raise
        return Probe(expiration=end, policy=await self._policy())

    async def _policy(self) -> AppPolicy | None:
        """Read the policy; None when this probe learns nothing about it."""
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
    """The endpoints of `cloud: Custom`, from settings that passed `clouds.check_custom`."""

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
    """Return a function that opens a tenant's session, or None for `Custom` without `custom`.

    To open one makes no request. Call it on the event loop that uses the session. The CA file
    is for `Custom` alone, so that no setting weakens the TLS of a public cloud.
    """

    def open_session(
        spec: EntraTenantSpec, credential: OperatorCredential, may_act: Callable[[], bool]
    ) -> TenantSession | None:
        endpoints = endpoints_for(spec.cloud, custom.endpoints if custom else None)
        if endpoints is None:
            return None
        ca_file = custom.ca_file if custom and spec.cloud is Cloud.CUSTOM else None
        source = token_source(spec, credential, endpoints, ca_file, token)
        operator = OperatorToken(
            source,
            endpoints.graph_scope,
            clock,
            _TOKEN_SECONDS,
            message=rejected(spec.identity).message,
        )
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
            credential=credential,
        )

    return open_session
