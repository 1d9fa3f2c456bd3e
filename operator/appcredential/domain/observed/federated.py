"""What is observed of a FederatedIdentity, besides what every type has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from appcredential.domain.conditions import Problem
from appcredential.domain.empty import no_entries
from appcredential.domain.observed.entra import DirectRead
from appcredential.domain.spec.model import ObjectId


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedCredential:
    """One federated identity credential as Graph lists it."""

    id: str
    name: str
    issuer: str
    subject: str
    audiences: tuple[str, ...]
    description: str

    @property
    def pair(self) -> tuple[str, str]:
        """Issuer and subject, which Entra keeps unique within an application."""
        return self.issuer, self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedList(DirectRead):
    """One direct read of an application's federated credentials; the lists are batches of reads."""

    object_id: ObjectId
    credentials: tuple[FederatedCredential, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """The issuer of this cluster's ServiceAccount tokens, and since when all reads said so."""

    url: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerDocument:
    """What an issuer answered when it was asked for its discovery document.

    Attributes:
        status: of HTTP.
        issuer: the one that the document names; empty without a readable document.
    """

    status: int
    issuer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """The parts of a ServiceAccount that the operator reads."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputMap:
    """The ConfigMap with the output's name."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    owner: str
    immutable: bool
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Federation:
    """Everything that `decide` may look at for a FederatedIdentity.

    Attributes:
        issuer: the issuer of this cluster's tokens, or why it is not known.
        listed: the federated credentials; None when not read yet in this process.
        service_account: None when it does not exist or shall not be annotated; a Problem when
            the operator may not read it.
        output: None when it does not exist or the spec asks for none; a Problem likewise.
        leaving: owner hashes of this namespace's deleted resources for the same application,
            whose credentials will be revoked.
        neighbours: owner hashes of the namespace's other resources.
        documents: what issuers that the settings list answered, by issuer.
    """

    issuer: Issuer | Problem
    listed: FederatedList | None = None
    service_account: ServiceAccount | Problem | None = None
    output: OutputMap | Problem | None = None
    leaving: frozenset[str] = frozenset()
    neighbours: frozenset[str] = frozenset()
    documents: Mapping[str, IssuerDocument] = field(default_factory=no_entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedMemory:
    """What only this process remembers of a FederatedIdentity.

    Attributes:
        written: when this process last wrote the credential of an attempt, even if only its
            description: a read may not show that yet.
        changed: when this process last changed what an attempt trusts: a quiet period follows.
        seen: when this process first saw a credential, by id.
        removed: when this process removed a credential, by id.
    """

    written: Mapping[str, datetime] = field(default_factory=no_entries)
    changed: Mapping[str, datetime] = field(default_factory=no_entries)
    seen: Mapping[str, datetime] = field(default_factory=no_entries)
    removed: Mapping[str, datetime] = field(default_factory=no_entries)
