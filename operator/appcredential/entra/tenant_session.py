"""All connections to one Entra tenant, opened and closed together."""

from __future__ import annotations

import logging

from appcredential.domain.observed.app_policy import PERMISSION_MISSING, AppPolicy
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.spec.model import ClientId
from appcredential.domain.write_permission import WritePermission, write_permission
from appcredential.entra.connection import Connection
from appcredential.entra.directory import GraphDirectory
from appcredential.entra.operator_token import OperatorToken
from appcredential.entra.tls import issuer_of
from appcredential.errors import (
    AppCredentialError,
    IdentityRejectedError,
    PermissionDeniedError,
    UntrustedServerError,
)
from appcredential.ports.entra import Directory, Probe, SignIn
from appcredential.ports.lists import Lists
from appcredential.ports.own_keys import OwnKeys
from appcredential.ports.session import Pace

_log = logging.getLogger(__name__)


class TenantSession:
    """One tenant's adapters. Implements `ports.session.Session`.

    Attributes:
        authority_host: the URL at which workloads sign in.
        client_id: the client as which the operator signs in; None until that is known.
        principal_id: the object id of its service principal; empty until that is known.
    """

    def __init__(
        self,
        connection: Connection,
        directory: GraphDirectory,
        sign_in: SignIn,
        authority_host: str,
        *,
        graph_url: str,
        token: OperatorToken,
        client_id: ClientId | None,
        credential: OperatorCredential,
    ) -> None:
        self.directory: Directory = directory
        self.lists: Lists = directory.lists
        self.own_keys: OwnKeys = directory.own_keys
        self.sign_in = sign_in
        self.authority_host = authority_host
        self._graph = directory
        self._graph_url = graph_url
        self._connection = connection
        self.client_id = client_id
        self.principal_id = ""
        self._token = token
        self._credential = credential
        self._is_policy_denied = False
        self._may_not_write = False

    def pace(self) -> Pace:
        """Return how much of Graph's quotas is used, and the pause; for any thread."""
        return self._graph.pace()

    async def probe(self) -> Probe:
        """Sign in, and read applications and the policy; see `ports.session.Session`.

        For an hour or more, a token keeps the permissions that the operator had when it was
        issued. So after a refusal, or without one to write, the next probe asks for a new one, to
        notice a consent. The permission to read the policy is optional.
        """
        if self._is_policy_denied or self._may_not_write:
            await self._connection.forget_token()
        try:
            if self.client_id is None:
                self.client_id = await self._token.client_id()
            self.principal_id = await self._token.principal_id()
            roles = await self._token.roles()
            self._may_not_write = write_permission(roles) is WritePermission.NONE
            end = await self._graph.probe(self.client_id, self._credential)
        except PermissionDeniedError:
            await self._connection.forget_token()
            raise
        except UntrustedServerError as error:
            of_graph, of_tokens = self._graph_url, self.authority_host
            error.issuer = await issuer_of(of_tokens if error.is_token_endpoint else of_graph)
            raise
        return Probe(expiration=end, policy=await self._policy(), roles=roles)

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
