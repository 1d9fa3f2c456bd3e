"""What is observed of a FederatedIdentity, besides what every type has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

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
class FailedTrust:
    """Why Entra did not take one trust, and when to ask for it again."""

    problem: Problem
    retry_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedMemory:
    """What only this process remembers of a FederatedIdentity. Methods return a copy.

    Attributes:
        written: when this process last wrote the credential of an attempt, even if only its
            description: a read may not show that yet.
        changed: when this process last changed what an attempt trusts: a quiet period follows.
        seen: when this process first saw a credential, by id.
        removed: when this process removed a credential, by id.
        failed: what Entra did not take although it took calls, by attempt: the others go on.
    """

    written: Mapping[str, datetime] = field(default_factory=no_entries)
    changed: Mapping[str, datetime] = field(default_factory=no_entries)
    seen: Mapping[str, datetime] = field(default_factory=no_entries)
    removed: Mapping[str, datetime] = field(default_factory=no_entries)
    failed: Mapping[str, FailedTrust] = field(default_factory=no_entries)

    def wrote(self, attempt: str, now: datetime, *, is_changed: bool) -> FederatedMemory:
        """Note that one was made or changed.

        Once Entra takes what it did not take before, the others of these may be taken, too.

        Args:
            attempt: in its marker.
            now: the time.
            is_changed: something else is trusted than before.
        """
        noted = {attempt: now}
        return replace(
            self,
            written={**self.written, **noted},
            changed={**self.changed, **noted} if is_changed else self.changed,
            failed=no_entries() if attempt in self.failed else self.failed,
        )

    def did_not_take(
        self, attempt: str, problem: Problem, now: datetime, pause: timedelta
    ) -> FederatedMemory:
        """Note that Entra did not take one. The more there are, the longer each waits.

        So a list that is refused as a whole causes no more calls than a single trust.

        Args:
            attempt: in the marker that it would have.
            problem: why.
            now: the time.
            pause: until the next try of a single one.
        """
        others = {a: f for a, f in self.failed.items() if a != attempt}
        again = now + pause * (len(others) + 1)
        return replace(
            self, failed={**others, attempt: FailedTrust(problem=problem, retry_time=again)}
        )
