"""Opens everything that one EntraTenant needs: Graph, the token endpoint, one way to close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.applications.applications_request_builder import (
    ApplicationsRequestBuilder,
)

from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec import EntraTenantSpec
from appcredential.entra.clouds import Endpoints, endpoints_for
from appcredential.entra.directory import GraphDirectory
from appcredential.entra.observing import Observe, ignore
from appcredential.entra.pacing import Pacing
from appcredential.entra.session import Call, Identity, TenantSession
from appcredential.entra.signin import TokenEndpoint
from appcredential.ports import Clock

PROBE: Final = "application.list"
_Query = ApplicationsRequestBuilder.ApplicationsRequestBuilderGetQueryParameters


class EntraSession:
    """An open session with one tenant.

    Attributes:
        directory: Graph.
        sign_in: the token endpoint, for proving credentials.
        authority_host: what consumers read as AZURE_AUTHORITY_HOST.
    """

    def __init__(
        self,
        session: TenantSession,
        directory: GraphDirectory,
        sign_in: TokenEndpoint,
        authority_host: str,
    ) -> None:
        self._session = session
        self.directory = directory
        self.sign_in = sign_in
        self.authority_host = authority_host

    async def probe(self) -> None:
        """Sign in as the operator and read one application, to see that both are allowed.

        Raises:
            IdentityRejectedError: Entra refuses the operator's own credential.
            PermissionDeniedError: it may not read applications.
            AppCredentialError: anything else that `translate.py` knows.
        """

        def make() -> RequestInformation:
            query = RequestConfiguration(query_parameters=_Query(top=1, select=["id"]))
            return self._session.graph.applications.to_get_request_information(query)

        await self._session.send(Call(operation=PROBE, is_write=False, make=make))

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """Opens sessions; `custom` are the endpoints and `ca_file` the trust of `cloud: Custom`."""

    clock: Clock
    custom: Endpoints | None
    ca_file: str | None
    pacing: Pacing
    observe: Observe = ignore

    def open(self, spec: EntraTenantSpec, secret: SecretValue) -> EntraSession | None:
        """Open a tenant; None when its cloud is Custom and the settings name no endpoints."""
        endpoints = endpoints_for(spec.cloud, self.custom)
        if endpoints is None:
            return None
        ca_file = self.ca_file if endpoints is self.custom else None
        identity = Identity(
            tenant_id=spec.tenant_id, client_id=spec.identity.client_id, secret=secret
        )
        session = TenantSession(
            identity, endpoints, ca_file=ca_file, clock=self.clock, observe=self.observe
        )
        sign_in = TokenEndpoint(
            spec.tenant_id, endpoints, ca_file=ca_file, clock=self.clock, observe=self.observe
        )
        directory = GraphDirectory(session, clock=self.clock, pacing=self.pacing)
        return EntraSession(session, directory, sign_in, endpoints.authority)
