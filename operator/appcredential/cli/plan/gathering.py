"""Gathers the observation of an AppCredential as the operator does, as the person who plans."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, cast

from appcredential.cli.api import Api
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.errors import CliError
from appcredential.cli.plan.assuming import Stand
from appcredential.cli.plan.sources import (
    DiscoveredIssuer,
    ListedGrants,
    NoDocuments,
    PlannedInputs,
    PlannedResources,
    PlannedSecrets,
)
from appcredential.cli.plan.surroundings import UNKNOWN, Surroundings
from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.marker import ClusterIdentity
from appcredential.domain.observed.entra import Grant, Tenant
from appcredential.domain.observed.issued import Recorded
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.observed.ownership import NOT_LOOKED
from appcredential.domain.promised import required
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    Cloud,
    EntraTenantSpec,
    Limits,
    TenantId,
)
from appcredential.domain.spec.reserved import AllowedKeys
from appcredential.entra.clouds import Endpoints, endpoints_for
from appcredential.errors import SecretForbiddenError
from appcredential.gather.gatherer import Gatherer
from appcredential.gather.sources import ClusterSources, LocalSources
from appcredential.gather.state import ResourceState
from appcredential.kube.app_credentials import parse_resource
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.service_accounts import KubeServiceAccounts
from appcredential.ports.session import Access, Session
from appcredential.runtime.clock import SystemClock
from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.this_process import ThisProcess
from appcredential.x509.generate import generate

_HOLDER: Final = "kubectl-appcredential"


@dataclass(frozen=True, slots=True)
class _NotAsked:
    """Entra's side of a session that nobody opens: no clock of Entra's is known yet."""

    def skew(self) -> timedelta | None:
        """See `ports.entra.Directory`."""
        return None


@dataclass(frozen=True, slots=True)
class _NoSession:
    directory: _NotAsked


class Gathering:
    """Reads resources, each with what it needs."""

    def __init__(self, api: Api, operator_namespace: str) -> None:
        self._clock = SystemClock()
        self._surroundings = Surroundings(api, operator_namespace, self._clock)
        self.kube = self._surroundings.kube
        self.tenant = self._surroundings.tenant
        self.stand = Stand(SecretValue("assumed"), _throwaway(self._clock))

    @property
    def unchecked(self) -> list[str]:
        """What could not be read, and was assumed."""
        return self._surroundings.unchecked

    def resource(self, shown: AppCredential) -> Resource:
        """Read a resource with the labels and annotations that the operator's settings allow.

        Raises:
            CliError: its spec cannot be used; the message names field and remedy. Or its metadata,
                which no API server has looked at, cannot be read.
        """
        settings = self._surroundings.settings
        allowed = AllowedKeys(settings.allowed_secret_keys, settings.secret_labels)
        try:
            found = parse_resource(shown.document, allowed)
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            raise CliError(f"{shown.full_name}: its metadata cannot be read") from exc
        if isinstance(found.spec, Problem) and found.deletion_time is None:
            raise CliError(f"{shown.full_name}: {found.spec.message}")
        return found

    async def gather(
        self, resource: Resource, tenant: EntraTenantSpec | Problem | None
    ) -> Observation:
        """Return what a decision about a resource looks at; Entra is not asked.

        Raises:
            CliError: it was issued already, and the person may not read the Secrets' records.
            AppCredentialError: the API server did not answer, or refused.
        """
        identity = await self._surroundings.identity()
        access = self._access(resource, tenant)
        secrets = PlannedSecrets(self.kube, identity, resource.status)
        inputs = PlannedInputs(self.kube, self.stand, resource)
        records = await self._surroundings.records(identity)
        grants = await self._surroundings.grants()
        asker = await self._surroundings.asker(resource.owner.namespace, identity, grants or {})
        standing = await self._surroundings.standing(resource)
        gatherer = Gatherer(
            self._process(identity),
            ClusterSources(
                resources=PlannedResources(self.kube, self._clock, resource),
                secrets=secrets,
                service_accounts=KubeServiceAccounts(self.kube),
                outputs=KubeOutputs(self.kube),
                issuer=DiscoveredIssuer(self.kube, self._clock),
                certificate_inputs=inputs,
                skew=self.kube.skew,
            ),
            LocalSources(
                grants=ListedGrants(grants or {}, asker),
                access=lambda _: access,
                open_revocations=await self._surroundings.revocations(),
                records=records[0],
                owners=lambda _: (),
                standing=lambda _: standing,
                documents=NoDocuments(),
                ownership=lambda *_: NOT_LOOKED,
            ),
        )
        try:
            found = await gatherer.gather(resource.owner, ResourceState())
        except SecretForbiddenError as exc:
            raise CliError(
                f"{exc}. A plan for what was issued needs the Secrets' metadata: ask for get on "
                "Secrets, or see what kubectl appcredential status tells."
            ) from exc
        if secrets.is_assumed:
            self._surroundings.note("whether the Secret exists: it is taken for absent")
        if inputs.is_assumed:
            self._surroundings.note("the certificate at its source: it is taken for a usable one")
        return self._known(required(found), is_recorded=records[1], is_granted=grants is not None)

    def _known(
        self, observation: Observation, *, is_recorded: bool, is_granted: bool
    ) -> Observation:
        """Return the observation with what is assumed in place of what may not be read."""
        if not is_recorded:
            observation = replace(observation, recorded=Recorded.CURRENT)
        found = observation.grant
        is_undecided = isinstance(found, Problem) and found.reason is Reason.GRANT_UNKNOWN
        if isinstance(found, Problem) and is_undecided:
            self._surroundings.note(f"whether a grant allows it. {found.message}")
        if is_undecided or not is_granted:
            told = str(observation.resource.status.get("grant") or "(not checked)")
            observation = replace(observation, grant=Grant(name=told, max_lifetime=None))
        return observation

    def _process(self, identity: ClusterIdentity) -> ThisProcess:
        nothing = timedelta(0)
        return ThisProcess(
            clock=self._clock,
            settings=self._surroundings.settings.lifecycle,
            identity=identity,
            holder=_HOLDER,
            started=self._clock.now(),
            guard=EffectGuard(
                remaining=lambda: math.inf,
                is_synced=lambda: True,
                effect_margin=nothing,
                mint_margin=nothing,
            ),
        )

    def _access(
        self, resource: Resource, tenant: EntraTenantSpec | Problem | None
    ) -> Access | Problem:
        if isinstance(tenant, Problem):
            return tenant
        spec = resource.spec
        name = spec.tenant if isinstance(spec, AppCredentialSpec) else ""
        cloud = tenant.cloud if tenant is not None else Cloud.PUBLIC
        settings, custom = self._surroundings.settings, None
        if settings.custom_authority:
            custom = Endpoints(settings.custom_authority, settings.custom_graph)
        endpoints = endpoints_for(cloud, custom)
        own = tenant.identity.client_id if tenant is not None else None
        found = Tenant(
            name=name,
            tenant_id=tenant.tenant_id if tenant is not None else TenantId(UNKNOWN),
            cloud=cloud,
            authority_host=endpoints.authority if endpoints is not None else "https://unknown",
            limits=tenant.limits if tenant is not None else Limits(),
            operator_client_ids=frozenset([own] if own is not None else []),
            problem=None,
        )
        return Access(found, cast("Session", _NoSession(_NotAsked())))


def _throwaway(clock: SystemClock) -> SecretValue:
    """Return a certificate with its key that nobody uses."""
    now = clock.now()
    return generate("CN=assumed", 2048, now, now + timedelta(days=1)).value
