"""Where the observation of an AppCredential is read from, in two groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from appcredential.cache.issued_records import KnownRecords
from appcredential.cache.open_revocations import OpenRevocations
from appcredential.domain.conditions import Problem
from appcredential.domain.marker import Owner
from appcredential.domain.observed.ownership import Ownership
from appcredential.domain.observed.standing import Standing
from appcredential.domain.spec.model import ClientId
from appcredential.gather.certificate_source import CertificateInputsReader
from appcredential.ports.kube import IssuerSource, Outputs, Resources, Secrets, ServiceAccounts
from appcredential.ports.local import GrantSource, IssuerDocumentSource
from appcredential.ports.session import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSources:
    """What the API server is asked for.

    Attributes:
        skew: the API server's clock minus ours; None when it is not known.
    """

    resources: Resources
    secrets: Secrets
    service_accounts: ServiceAccounts
    outputs: Outputs
    issuer: IssuerSource
    certificate_inputs: CertificateInputsReader
    skew: Callable[[], timedelta | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSources:
    """What this process has read for all resources, so that asking costs no request.

    Attributes:
        access: the usable tenant of that EntraTenant's name, or why it cannot be used.
        owners: the AppCredentials of a namespace.
        standing: the place of one among those of its namespace and application.
        ownership: whether the operator owns a tenant's application, by the daily look.
    """

    grants: GrantSource
    access: Callable[[str], Access | Problem]
    open_revocations: OpenRevocations
    records: KnownRecords
    owners: Callable[[str], Iterable[Owner]]
    standing: Callable[[Owner], Standing]
    documents: IssuerDocumentSource
    ownership: Callable[[str, ClientId], Ownership]
