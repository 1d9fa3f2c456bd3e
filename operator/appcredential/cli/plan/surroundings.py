"""What all resources of a plan have in common, read as the person; what may not be is assumed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from appcredential.cache.informer import parse_grant
from appcredential.cache.issued_records import KnownRecords
from appcredential.cache.open_revocations import OpenRevocations
from appcredential.cache.standings import Age, Place, Standings
from appcredential.cli.api import Api
from appcredential.cli.app_credential import AppCredential
from appcredential.cli.doctor.gathering import Reader as InstallationReader
from appcredential.cli.doctor.operators import operators_of
from appcredential.cli.plan.person import PersonalClient
from appcredential.domain.conditions import ConditionType, Problem, Reason
from appcredential.domain.grants import is_served
from appcredential.domain.marker import ClusterIdentity
from appcredential.domain.observed.asker import Asker
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.standing import ALONE, Standing
from appcredential.domain.spec.grant import SelectedNamespaces
from appcredential.domain.spec.model import (
    AppCredentialSpec,
    ApplicationGrantSpec,
    EntraTenantSpec,
)
from appcredential.domain.spec.parse import parse_entra_tenant
from appcredential.domain.status.problems_tenant import TENANT_NOT_FOUND, not_ready
from appcredential.domain.times import format_time
from appcredential.errors import AppCredentialError, InvalidSpecError, NotFoundError
from appcredential.kube.app_credentials import KubeResources
from appcredential.kube.custom_resources import GRANTS, TENANTS, KubeObjects, path_of
from appcredential.kube.issued_records import KubeIssuedRecords
from appcredential.kube.namespaces import KubeNamespaces
from appcredential.kube.revocations import KubeRevocations
from appcredential.runtime.clock import SystemClock
from appcredential.settings import Settings, SettingsError

UNKNOWN: Final = "unknown"


class Surroundings:
    """The operator's settings, the cluster's identity, tenants, grants, and what is kept.

    Attributes:
        unchecked: what could not be read, and was assumed.
    """

    def __init__(self, api: Api, operator_namespace: str, clock: SystemClock) -> None:
        self._api = api
        self.clock = clock
        self.kube = PersonalClient(api.connection)
        self.unchecked: list[str] = []
        self.settings = self._read_settings(operator_namespace)

    def note(self, text: str) -> None:
        """Note what could not be read."""
        if text not in self.unchecked:
            self.unchecked.append(text)

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
        self.note(f"the operator's settings, so that defaults count: {why}")
        return Settings(namespace=namespace or Settings().namespace)

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
            self.note(f"the EntraTenant, its limits and its state: {exc}")
            return None
        ready = AppCredential(found).condition(ConditionType.READY)
        if ready is not None and ready.status != "True":
            why = f"{ready.reason}: {ready.message}"
            return Problem(reason=Reason.TENANT_NOT_READY, message=f"It cannot be used. {why}")
        return spec

    async def identity(self) -> ClusterIdentity:
        """Return what the markers in Entra name the cluster."""
        try:
            found = await self.kube.request("GET", "/api/v1/namespaces/kube-system")
        except AppCredentialError as exc:
            text = "which credentials in Entra are this cluster's, so that none of them is known"
            self.note(f"{text}: {exc}")
            return self._identity_of(UNKNOWN)
        return self._identity_of(found["metadata"]["uid"])

    def _identity_of(self, uid: str) -> ClusterIdentity:
        return ClusterIdentity.of(uid, self.settings.cluster_id, self.settings.adopt_cluster_ids)

    async def grants(self) -> dict[str, ApplicationGrantSpec] | None:
        """Return the valid grants by name; None where the person may not list them."""
        try:
            pages = self.kube.pages(path_of(GRANTS))
            found = {d["metadata"]["name"]: parse_grant(d) async for d in pages}
        except AppCredentialError as exc:
            self.note(f"whether a grant allows it: {exc}")
            return None
        return {name: g for name, g in found.items() if isinstance(g, ApplicationGrantSpec)}

    async def asker(
        self, namespace: str, identity: ClusterIdentity, grants: Mapping[str, ApplicationGrantSpec]
    ) -> Asker:
        """Return a namespace as grants look at it; its labels where some grant needs them."""
        found = Asker(
            namespace=namespace,
            now=self.clock.now(),
            cluster_id=identity.cluster_id,
            operator_namespace=self.settings.namespace,
        )
        if not any(isinstance(g.namespaces, SelectedNamespaces) for g in grants.values()):
            return found
        try:
            seen = await KubeNamespaces(self.kube).read(namespace)
        except AppCredentialError as exc:
            self.note(f"the labels of the namespace, by which grants select it: {exc}")
            return found
        return replace(found, labels=seen.labels if seen is not None else {})

    async def revocations(self) -> OpenRevocations:
        """Return the scheduled revocations; none where they cannot be read."""
        found = OpenRevocations(KubeRevocations(self.kube, self.settings.namespace))
        await self._tried(found.refresh, "whether a revocation is scheduled for it")
        return found

    async def records(self, identity: ClusterIdentity) -> tuple[KnownRecords, bool]:
        """Return the records of what was issued, and whether they could be read."""
        kept = KubeIssuedRecords(self.kube, self.settings.namespace)
        found = KnownRecords(kept, lambda _: True, (), identity.whole)
        is_read = await self._tried(found.refresh, "the record of what is issued for it")
        return found, is_read

    async def standing(self, resource: Resource) -> Standing:
        """Return the place of a resource among those of its namespace and application."""
        own, standings = _place(resource), Standings()
        if own is None:
            return ALONE
        try:
            listed = await KubeResources(KubeObjects(self.kube), self.clock).list(own.namespace)
        except AppCredentialError as exc:
            self.note(f"how many AppCredentials of the namespace use the application: {exc}")
            return ALONE
        for other in listed:
            place = _place(other)
            if place is not None and other.owner != resource.owner:
                if is_served(other.status):
                    standings.serve(place, other.owner.name)
                else:
                    standings.wait(place, _age(other))
        return standings.of(own, _age(resource))

    async def _tried(self, read: Callable[[], Awaitable[None]], what: str) -> bool:
        try:
            await read()
        except AppCredentialError as exc:
            self.note(f"{what}: {exc}")
            return False
        return True


def _place(resource: Resource) -> Place | None:
    spec = resource.spec
    if not isinstance(spec, AppCredentialSpec):
        return None
    return Place(resource.owner.namespace, spec.tenant, spec.client_id)


def _age(resource: Resource) -> Age:
    return Age(format_time(resource.creation_time), resource.owner.name)
