"""What `gather/` reads from, as the person who plans: the planned resource, and no values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from appcredential.cli.plan.assuming import Stand
from appcredential.cli.plan.person import PersonalClient
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.deletion import ISSUED
from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.domain.observed.asker import Asker, Tags
from appcredential.domain.observed.certificate import CertificateInputs, SuppliedCertificate
from appcredential.domain.observed.federated import Issuer, IssuerDocument
from appcredential.domain.observed.observation import Resource
from appcredential.domain.observed.target import Pending, Target
from appcredential.domain.spec.certificate import CertificateSource, CertificateSpec
from appcredential.domain.spec.model import ApplicationGrantSpec
from appcredential.domain.status.problems_kube import DISCOVERY_UNREAD
from appcredential.domain.status.problems_source import missing_source
from appcredential.domain.times import parse_time
from appcredential.errors import AppCredentialError, SecretForbiddenError
from appcredential.gather.certificate_source import CertificateInputsReader, HeldInputs
from appcredential.kube.app_credentials import KubeResources
from appcredential.kube.certificate_sources import KubeInputs
from appcredential.kube.custom_resources import KubeObjects
from appcredential.kube.issuer import DISCOVERY
from appcredential.kube.secret_store import KubeSecrets
from appcredential.ports.certificate_sources import InputKind
from appcredential.ports.local import Clock

_YEAR: Final = timedelta(days=365)


class PlannedResources(KubeResources):
    """AppCredentials as they are, but for the one that is planned."""

    def __init__(self, kube: PersonalClient, clock: Clock, planned: Resource) -> None:
        super().__init__(KubeObjects(kube), clock)
        self._planned = planned

    async def get(self, owner: Owner) -> Resource | None:
        """See `ports.Resources`."""
        return self._planned if owner == self._planned.owner else await super().get(owner)


class PlannedSecrets(KubeSecrets):
    """The records of both Secrets.

    Attributes:
        is_assumed: whether they could not be read, and nothing that was issued is missing.
    """

    def __init__(
        self, kube: PersonalClient, identity: ClusterIdentity, status: Mapping[str, object]
    ) -> None:
        super().__init__(kube, identity)
        self._is_unissued = not status.keys() & ISSUED
        self.is_assumed = False

    async def target(self, namespace: str, name: str) -> Target | None:
        """See `ports.Secrets`."""
        try:
            return await super().target(namespace, name)
        except SecretForbiddenError:
            if not self._is_unissued:
                raise
            self.is_assumed = True
            return None

    async def pending(self, owner: Owner) -> Pending | None:
        """See `ports.Secrets`; metadata does not tell a Secret's type."""
        try:
            found = await super().pending(owner)
        except SecretForbiddenError:
            if not self._is_unissued:
                raise
            self.is_assumed = True
            return None
        if found is None:
            return None
        return replace(found, is_foreign=found.owner not in {"", str(owner)})


class PlannedInputs(CertificateInputsReader):
    """What a certificate is made from, without a look at the certificate.

    Attributes:
        is_assumed: whether somebody supplies the certificate.
    """

    def __init__(self, kube: PersonalClient, stand: Stand, resource: Resource) -> None:
        self._objects = KubeInputs(kube)
        self._stand = stand
        self._resource = resource
        self.is_assumed = False

    async def read(
        self,
        namespace: str,
        wanted: CertificateSpec,
        held: HeldInputs,  # noqa: ARG002 - nothing is kept
    ) -> CertificateInputs:
        """See `CertificateInputsReader.read`: a source that exists is taken for a usable one."""
        kinds = {
            CertificateSource.SECRET: InputKind.SECRET,
            CertificateSource.CONFIG_MAP: InputKind.CONFIG_MAP,
        }
        if wanted.source is CertificateSource.GENERATE:
            return CertificateInputs()
        self.is_assumed, kind = True, kinds.get(wanted.source)
        if kind is not None and wanted.ref is not None:
            try:
                version = await self._objects.version(kind, namespace, wanted.ref.name)
            except AppCredentialError:
                version = "unknown"
            if version is None:
                return CertificateInputs(problem=missing_source(kind, wanted.ref.name))
        told = self._resource.status.get("credential") or {}
        start = parse_time(told.get("startTime")) or self._resource.creation_time
        end = parse_time(told.get("expirationTime")) or start + _YEAR
        supplied = SuppliedCertificate(value=self._stand.certificate, start=start, end=end)
        return CertificateInputs(supplied=supplied)


class DiscoveredIssuer:
    """The issuer of the cluster's tokens, as the API server's discovery document names it."""

    def __init__(self, kube: PersonalClient, clock: Clock) -> None:
        self._kube = kube
        self._since = clock.now() - _YEAR

    async def current(self) -> Issuer | Problem:
        """See `ports.kube.IssuerSource`."""
        try:
            found = await self._kube.request("GET", DISCOVERY)
        except AppCredentialError:
            return DISCOVERY_UNREAD
        return Issuer(url=str(found.get("issuer") or ""), since=self._since)


@dataclass(frozen=True, slots=True)
class ListedGrants:
    """The grants as they were listed, and the namespace that asks; Entra's tags are not read."""

    grants: dict[str, ApplicationGrantSpec]
    own: Asker

    def known(self) -> dict[str, ApplicationGrantSpec]:
        """See `ports.local.GrantSource`."""
        return self.grants

    async def live(self) -> dict[str, ApplicationGrantSpec]:
        """See `ports.local.GrantSource`."""
        return self.grants

    def asker(self, namespace: str, tags: Tags | None) -> Asker:
        """See `ports.local.GrantSource`; one namespace asks."""
        return replace(self.own, namespace=namespace, tags=tags)

    async def live_asker(self, namespace: str, tags: Tags | None) -> Asker:
        """See `ports.local.GrantSource`."""
        return self.asker(namespace, tags)


class NoDocuments:
    """No issuer is asked for its document."""

    def known(self) -> dict[str, IssuerDocument]:
        """See `ports.local.IssuerDocumentSource`."""
        return {}
