"""Gathers the observation of an AppCredential as the operator does, as the person who plans."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, cast

from appcredential.cache.informer import parse_grant
from appcredential.cache.issued_records import KnownRecords
from appcredential.cache.open_revocations import OpenRevocations
from appcredential.cache.standings import Age, Place, Standings
from appcredential.cli.api import Api
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.doctor.gathering import Reader as InstallationReader
from appcredential.cli.doctor.operators import operators_of
from appcredential.cli.errors import CliError
from appcredential.cli.plan.assuming import Stand
from appcredential.cli.plan.person import PersonalClient
from appcredential.cli.plan.sources import (
    DiscoveredIssuer,
    ListedGrants,
    NoDocuments,
    PlannedInputs,
    PlannedResources,
    PlannedSecrets,
)
from appcredential.domain.conditions import ConditionType, Problem, Reason
from appcredential.domain.grants import is_served
from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.domain.observed.entra import Grant, Tenant
from appcredential.domain.observed.issued import Recorded
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.observed.standing import ALONE, Standing
from appcredential.domain.promised import required
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ApplicationGrantSpec,
    Cloud,
    EntraTenantSpec,
    Limits,
    TenantId,
)
from appcredential.domain.spec.parse import parse_entra_tenant
from appcredential.domain.spec.reserved import AllowedKeys
from appcredential.domain.status.problems_tenant import TENANT_NOT_FOUND, not_ready
from appcredential.domain.times import format_time
from appcredential.entra.clouds import Endpoints, endpoints_for
from appcredential.errors import (
    AppCredentialError,
    InvalidSpecError,
    NotFoundError,
    SecretForbiddenError,
)
from appcredential.gather.gatherer import Gatherer
from appcredential.gather.sources import ClusterSources, LocalSources
from appcredential.gather.state import ResourceState
from appcredential.kube.app_credentials import parse_resource
from appcredential.kube.custom_resources import GRANTS, TENANTS, path_of
from appcredential.kube.issued_records import KubeIssuedRecords
from appcredential.kube.outputs import KubeOutputs
from appcredential.kube.revocations import KubeRevocations
from appcredential.kube.service_accounts import KubeServiceAccounts
from appcredential.ports.session import Access, Session
from appcredential.runtime.clock import SystemClock
from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.this_process import ThisProcess
from appcredential.settings import Settings, SettingsError
from appcredential.x509.generate import generate

_HOLDER: Final = "kubectl-appcredential"
_UNKNOWN: Final = "unknown"


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
    """Reads what all resources of a plan have in common once, and each resource anew.

    Attributes:
        unchecked: what could not be read, and was assumed.
    """

    def __init__(self, api: Api, operator_namespace: str) -> None:
        self._api = api
        self._clock = SystemClock()
        self.kube = PersonalClient(api.connection)
        self.unchecked: list[str] = []
        self._settings = self._read_settings(operator_namespace)
        self.stand = Stand(SecretValue("assumed"), _throwaway(self._clock))

    def resource(self, shown: AppCredential) -> Resource:
        """Read a resource with the labels and annotations that the operator's settings allow.

        Raises:
            CliError: its spec cannot be used; the message names field and remedy.
        """
        settings = self._settings
        allowed = AllowedKeys(settings.allowed_secret_keys, settings.secret_labels)
        found = parse_resource(shown.document, allowed)
        if isinstance(found.spec, Problem) and found.deletion_time is None:
            raise CliError(f"{shown.full_name}: {found.spec.message}")
        return found

    async def tenant(self, name: str) -> EntraTenantSpec | Problem | None:
        """Read an EntraTenant; None where the person may not, and why it cannot be used."""
        try:
            found = await self.kube.request("GET", path_of(TENANTS, name=name))
            spec = parse_entra_tenant(found)
        except NotFoundError:
            return TENANT_NOT_FOUND
        except InvalidSpecError as exc:
            return not_ready(Problem(reason=Reason.INVALID_SPEC, message=str(exc)))
        except AppCredentialError as exc:
            self.unchecked.append(f"the EntraTenant, its limits and its state: {exc}")
            return None
        ready = AppCredential(found).condition(ConditionType.READY)
        if ready is not None and ready.status != "True":
            why = Problem(reason=Reason.TENANT_NOT_READY, message=ready.message)
            return not_ready(replace(why, message=f"{ready.reason}: {ready.message}"))
        return spec

    async def gather(
        self, resource: Resource, tenant: EntraTenantSpec | Problem | None
    ) -> Observation:
        """Return what a decision about a resource looks at; Entra is not asked.

        Raises:
            CliError: it was issued already, and the person may not read the Secrets' records.
            AppCredentialError: the API server did not answer, or refused.
        """
        identity = await self._identity()
        access = self._access(resource, tenant)
        secrets = PlannedSecrets(self.kube, identity, resource.status)
        inputs = PlannedInputs(self.kube, self.stand, resource)
        records = await self._records(identity)
        grants = await self._grants()
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
                grants=ListedGrants(grants or {}),
                access=lambda _: access,
                open_revocations=await self._revocations(),
                records=records[0],
                owners=lambda _: (),
                standing=self._standing,
                documents=NoDocuments(),
            ),
        )
        await self._list_neighbours(resource)
        try:
            found = await gatherer.gather(resource.owner, ResourceState())
        except SecretForbiddenError as exc:
            raise CliError(
                f"{exc}. A plan for what was issued needs the Secrets' metadata: ask for get on "
                "Secrets, or see what kubectl appcredential status tells."
            ) from exc
        if secrets.is_assumed:
            self.unchecked.append("whether the Secret exists: it is taken for absent")
        if inputs.is_assumed:
            self.unchecked.append("the certificate at its source: it is taken for a usable one")
        return self._known(required(found), is_recorded=records[1], is_granted=grants is not None)

    def _known(
        self, observation: Observation, *, is_recorded: bool, is_granted: bool
    ) -> Observation:
        """Return the observation with what is assumed in place of what may not be read."""
        if not is_recorded:
            observation = replace(observation, recorded=Recorded.CURRENT)
        if not is_granted:
            told = str(observation.resource.status.get("grant") or "(not checked)")
            observation = replace(observation, grant=Grant(name=told, max_lifetime=None))
        return observation

    # --- what all have in common --------------------------------------------------------------

    def _read_settings(self, namespace: str) -> Settings:
        read = InstallationReader(self._api, namespace).deployments()
        found = operators_of(read)
        if found:
            try:
                settings = Settings.from_env(found[0].environment)
                return replace(settings, namespace=found[0].namespace)
            except SettingsError as exc:
                why = f"this tool does not know them all: {exc.faults[0]}"
        else:
            why = read.missing or "its Deployment was not found"
        self.unchecked.append(f"the operator's settings, so that defaults count: {why}")
        return Settings(namespace=namespace or Settings().namespace)

    async def _identity(self) -> ClusterIdentity:
        try:
            found = await self.kube.request("GET", "/api/v1/namespaces/kube-system")
        except AppCredentialError as exc:
            text = "which credentials in Entra are this cluster's, so that none of them is known"
            self._note(f"{text}: {exc}")
            return ClusterIdentity.of(_UNKNOWN, self._settings.cluster_id)
        return ClusterIdentity.of(found["metadata"]["uid"], self._settings.cluster_id)

    def _process(self, identity: ClusterIdentity) -> ThisProcess:
        nothing = timedelta(0)
        return ThisProcess(
            clock=self._clock,
            settings=self._settings.lifecycle,
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
        settings, custom = self._settings, None
        if settings.custom_authority:
            custom = Endpoints(settings.custom_authority, settings.custom_graph)
        endpoints = endpoints_for(cloud, custom)
        own = tenant.identity.client_id if tenant is not None else None
        found = Tenant(
            name=name,
            tenant_id=tenant.tenant_id if tenant is not None else TenantId(_UNKNOWN),
            cloud=cloud,
            authority_host=endpoints.authority if endpoints is not None else "https://unknown",
            limits=tenant.limits if tenant is not None else Limits(),
            operator_client_ids=frozenset([own] if own is not None else []),
            problem=None,
        )
        return Access(found, cast("Session", _NoSession(_NotAsked())))

    async def _grants(self) -> dict[str, ApplicationGrantSpec] | None:
        try:
            pages = self.kube.pages(path_of(GRANTS))
            found = {d["metadata"]["name"]: parse_grant(d) async for d in pages}
        except AppCredentialError as exc:
            self._note(f"whether a grant allows it: {exc}")
            return None
        return {name: g for name, g in found.items() if isinstance(g, ApplicationGrantSpec)}

    async def _revocations(self) -> OpenRevocations:
        found = OpenRevocations(KubeRevocations(self.kube, self._settings.namespace))
        await self._tried(found.refresh, "whether a revocation is scheduled for it")
        return found

    async def _records(self, identity: ClusterIdentity) -> tuple[KnownRecords, bool]:
        kept = KubeIssuedRecords(self.kube, self._settings.namespace)
        found = KnownRecords(kept, lambda _: True, (), identity.whole)
        is_read = await self._tried(found.refresh, "the record of what is issued for it")
        return found, is_read

    async def _tried(self, read: Callable[[], Any], what: str) -> bool:
        try:
            await read()
        except AppCredentialError as exc:
            self._note(f"{what}: {exc}")
            return False
        return True

    def _note(self, text: str) -> None:
        if text not in self.unchecked:
            self.unchecked.append(text)

    # --- the others of its namespace ----------------------------------------------------------

    async def _list_neighbours(self, resource: Resource) -> None:
        self._others: Mapping[Owner, Standing] = {}
        try:
            listed = await PlannedResources(self.kube, self._clock, resource).list(
                resource.owner.namespace
            )
        except AppCredentialError as exc:
            self._note(f"how many AppCredentials of the namespace use the application: {exc}")
            return
        standings = Standings()
        for other in listed:
            if other.owner != resource.owner and (place := _place(other)) is not None:
                if is_served(other.status):
                    standings.serve(place, other.owner.name)
                else:
                    standings.wait(place, _age(other))
        own = _place(resource)
        if own is not None:
            self._others = {resource.owner: standings.of(own, _age(resource))}

    def _standing(self, owner: Owner) -> Standing:
        return self._others.get(owner, ALONE)


def _place(resource: Resource) -> Place | None:
    spec = resource.spec
    if not isinstance(spec, AppCredentialSpec):
        return None
    return Place(resource.owner.namespace, spec.tenant, spec.client_id)


def _age(resource: Resource) -> Age:
    return Age(format_time(resource.creation_time), resource.owner.name)


def _throwaway(clock: SystemClock) -> SecretValue:
    """Return a certificate with its key that nobody uses."""
    now = clock.now()
    return generate("CN=assumed", 2048, now, now + timedelta(days=1)).value
