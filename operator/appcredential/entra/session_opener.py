"""Opens the session of an EntraTenant: `composition.py` hands it to `tenants/sessions.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.operator_problems import rejected
from appcredential.domain.spec.model import Cloud, EntraTenantSpec
from appcredential.entra.clouds import Endpoints, endpoints_for
from appcredential.entra.connection import Connection
from appcredential.entra.directory import GraphDirectory
from appcredential.entra.key_entries import Loss
from appcredential.entra.operations import Observe, ignore
from appcredential.entra.operator_token import OperatorToken
from appcredential.entra.pacing import PACING, Pacing
from appcredential.entra.projected_token import ProjectedToken
from appcredential.entra.rate_limit import Sleep
from appcredential.entra.signin import TokenEndpoint
from appcredential.entra.tenant_session import TenantSession
from appcredential.entra.token_sources import token_source
from appcredential.ports.local import Clock

_TOKEN_SECONDS: Final = 10.0
"""For one token of the operator's own, retries included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomCloud:
    """The endpoints of `cloud: Custom`, from settings that passed `clouds.check_custom`."""

    endpoints: Endpoints
    ca_file: str | None


def _report_nothing(_: Loss) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpener:
    """Opens sessions; a `ports.session.OpenSession`.

    To open one makes no request. Call it on the event loop that uses the session.

    Attributes:
        token: of the operator's pod.
        extra_ca_file: PEM file of authorities to trust besides those of each cloud.
        custom: what `cloud: Custom` means; None when the settings do not say.
        observe: called after each request.
        report: called when certificates of others were lost.
    """

    clock: Clock
    token: ProjectedToken
    custom: CustomCloud | None
    extra_ca_file: str | None = None
    pacing: Pacing = PACING
    observe: Observe = ignore
    report: Callable[[Loss], None] = _report_nothing
    sleep: Sleep = asyncio.sleep

    def __call__(
        self, spec: EntraTenantSpec, credential: OperatorCredential, may_act: Callable[[], bool]
    ) -> TenantSession | None:
        """Open a tenant's session; None for `cloud: Custom` without its endpoints."""
        custom = self.custom
        endpoints = endpoints_for(spec.cloud, custom.endpoints if custom else None)
        if endpoints is None:
            return None
        # It replaces the public authorities for `Custom` alone.
        ca_file = custom.ca_file if custom and spec.cloud is Cloud.CUSTOM else None
        token = OperatorToken(
            token_source(spec, credential, endpoints, ca_file, self.token, self.extra_ca_file),
            endpoints.graph_scope,
            self.clock,
            _TOKEN_SECONDS,
            message=rejected(spec.identity).message,
        )
        connection = Connection(
            token,
            endpoints,
            ca_file=ca_file,
            extra_ca_file=self.extra_ca_file,
            clock=self.clock,
            observe=self.observe,
        )
        return TenantSession(
            connection,
            self._directory(connection, may_act),
            self._sign_in(spec, endpoints, ca_file, connection),
            endpoints.authority,
            graph_url=endpoints.graph,
            token=token,
            client_id=spec.identity.client_id,
            credential=credential,
        )

    def _directory(self, connection: Connection, may_act: Callable[[], bool]) -> GraphDirectory:
        return GraphDirectory(
            connection,
            clock=self.clock,
            pacing=self.pacing,
            sleep=self.sleep,
            report=self.report,
            may_act=may_act,
        )

    def _sign_in(
        self,
        spec: EntraTenantSpec,
        endpoints: Endpoints,
        ca_file: str | None,
        connection: Connection,
    ) -> TokenEndpoint:
        return TokenEndpoint(
            spec.tenant_id,
            endpoints,
            ca_file=ca_file,
            extra_ca_file=self.extra_ca_file,
            clock=self.clock,
            observe=self.observe,
            skew=connection.skew,
        )
