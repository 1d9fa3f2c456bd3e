"""What an application holds: whose each credential is, and what is to be said about it. Pure.

No value of a credential is ever here: Graph does not show any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from appcredential.cli.text import plain
from appcredential.domain.empty import no_entries
from appcredential.domain.marker import parse_marker
from appcredential.domain.observed.app_policy import AppPolicy
from appcredential.domain.observed.entra import Application, Credential
from appcredential.domain.observed.federated import FederatedCredential, FederatedList
from appcredential.domain.spec.model import ClientId, CredentialType, KeyId

RULE: Final = timedelta(days=731)
"""What counts as too long where no limit is known: two years, the most that the portal offers."""
FAR: Final = timedelta(days=3653)
"""What ends later than this counts as never ending."""
IDLE: Final = timedelta(days=30)
"""Microsoft's own recommendation calls a credential stale after this time without a sign-in."""
_SLACK: Final = timedelta(days=1)
"""A year has one day more now and then, and two clocks set start and end."""
_EPOCH_YEAR: Final = 1970


class Whose(StrEnum):
    """Who made a credential, as far as its marker tells."""

    OURS = "ours"
    """The operator of this cluster."""
    OTHER_CLUSTER = "other cluster"
    """The operator of another cluster."""
    MARKED = "some cluster"
    """The operator of a cluster, and which one is not known."""
    FOREIGN = "foreign"
    """Somebody else."""


class Finding(StrEnum):
    """What is wrong with a credential, in the words of the table."""

    EXPIRED = "expired"
    NEVER_EXPIRES = "never expires"
    TOO_LONG = "longer than allowed"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCluster:
    """What the cluster tells of its own credentials; all empty without a cluster.

    Attributes:
        cluster: the hash of its id in markers; empty where that cannot be read.
        owners: namespace and name of the AppCredentials, by their hash in markers.
        keys: the same by the key ids in their status, which need no marker.
    """

    cluster: str = ""
    owners: Mapping[str, str] = field(default_factory=no_entries)
    keys: Mapping[str, str] = field(default_factory=no_entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLimits:
    """The longest lifetimes that anybody allows.

    Attributes:
        tenant: of the EntraTenant.
        grants: of the ApplicationGrants for an application, the largest; one without a limit is
            missing.
        policy: Entra's default app management policy; None where it cannot be read.
        rule: what counts where none of these says anything.
    """

    tenant: timedelta | None = None
    grants: Mapping[ClientId, timedelta] = field(default_factory=no_entries)
    policy: AppPolicy | None = None
    rule: timedelta = RULE

    def most(self, kind: CredentialType, application: Application) -> timedelta:
        """Return the longest lifetime of a credential of this type."""
        policy = self.policy
        by_entra = policy.max_lifetime(kind, application.created) if policy is not None else None
        known = [self.tenant, self.grants.get(application.client_id), by_entra]
        return min((one for one in known if one is not None), default=self.rule)

    def are_known(self, client_id: ClientId) -> bool:
        """Return whether anything but the rule limits an application's credentials."""
        has_policy = self.policy is not None and bool(self.policy.restrictions)
        return self.tenant is not None or client_id in self.grants or has_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One credential of an application.

    Attributes:
        id: the key id, or the id of a federated credential.
        name: fit for a terminal, without our marker.
        owner: namespace and name of the AppCredential that it is of, if that is known.
        start, end: None for a federated credential; end also for what never ends.
        last_used: None where the report does not show it.
        trust: the federated credential itself.
    """

    type: CredentialType
    id: str
    name: str
    whose: Whose
    owner: str = ""
    start: datetime | None = None
    end: datetime | None = None
    last_used: datetime | None = None
    findings: tuple[Finding, ...] = ()
    trust: FederatedCredential | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What one application holds.

    Attributes:
        credentials: in the order of types, the soonest end first.
        is_complete: whether its federated credentials could be read, too.
    """

    application: Application
    credentials: tuple[Held, ...]
    is_complete: bool = True

    @property
    def name(self) -> str:
        """The application's display name, fit for a terminal."""
        return plain(self.application.display_name, 120) or "(no name)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Makes the stock of applications out of what was read.

    Attributes:
        usage: when each key id last signed in; None where the report cannot be read.
    """

    cluster: KnownCluster
    limits: KnownLimits
    usage: Mapping[KeyId, datetime] | None
    now: datetime

    def stock(self, application: Application, federated: FederatedList | None) -> Stock:
        """Return what an application holds; None for federated credentials that were not read."""
        held = [self._held(application, one) for one in application.credentials]
        held += [self._trust(one) for one in (federated.credentials if federated else ())]
        order = list(CredentialType)
        held.sort(key=lambda one: (order.index(one.type), one.end or _never(self.now), one.name))
        return Stock(
            application=application, credentials=tuple(held), is_complete=federated is not None
        )

    def _held(self, application: Application, found: Credential) -> Held:
        whose, owner = self._whose(found.display_name, found.key_id)
        ends = found.end - self.now < FAR
        return Held(
            type=found.type,
            id=found.key_id,
            name=_name(found.display_name),
            whose=whose,
            owner=owner,
            start=found.start if found.start.year > _EPOCH_YEAR else None,
            end=found.end if ends else None,
            last_used=self.usage.get(found.key_id) if self.usage is not None else None,
            findings=tuple(self._findings(application, found)),
        )

    def _trust(self, found: FederatedCredential) -> Held:
        whose, owner = self._whose(found.description, found.id)
        return Held(
            type=CredentialType.FEDERATED_IDENTITY,
            id=found.id,
            name=plain(found.name, 120),
            whose=whose,
            owner=owner,
            trust=found,
        )

    def _whose(self, text: str, id_: str) -> tuple[Whose, str]:
        known, marker = self.cluster, parse_marker(text)
        if id_ in known.keys:
            return Whose.OURS, known.keys[id_]
        if marker is None:
            return Whose.FOREIGN, ""
        if not known.cluster:
            return Whose.MARKED, known.owners.get(marker.owner, "")
        if marker.cluster != known.cluster:
            return Whose.OTHER_CLUSTER, ""
        return Whose.OURS, known.owners.get(marker.owner, "")

    def _findings(self, application: Application, found: Credential) -> Iterator[Finding]:
        if found.end <= self.now:
            yield Finding.EXPIRED
            return
        if found.end - self.now >= FAR:
            yield Finding.NEVER_EXPIRES
        elif found.end - found.start > self.limits.most(found.type, application) + _SLACK:
            yield Finding.TOO_LONG
        if self._is_unused(found):
            yield Finding.UNUSED

    def _is_unused(self, found: Credential) -> bool:
        if self.usage is None or self.now - found.start < IDLE:
            return False
        last = self.usage.get(found.key_id)
        return last is None or self.now - last >= IDLE


def _name(display_name: str) -> str:
    """Return a display name without the marker at its start."""
    marker = parse_marker(display_name)
    text = display_name if marker is None else display_name.partition(" ")[2]
    return plain(text, 120)


def _never(now: datetime) -> datetime:
    return now.replace(year=9999)
