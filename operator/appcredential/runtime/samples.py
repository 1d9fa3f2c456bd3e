"""What a scrape shows of each resource and each EntraTenant, as the caches keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

ShownCondition: TypeAlias = tuple[str, str, str]
"""Type, status and reason of a condition."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many credentials an application has.

    Attributes:
        owned: this resource's.
        foreign: others'.
        orphaned: those of `owned` that are neither published, pending nor retiring.
    """

    owned: int
    foreign: int
    orphaned: int


@dataclass(frozen=True, slots=True)
class ResourceSample:
    """One AppCredential. Times are Unix seconds; None leaves the series out.

    Attributes:
        ready: status of the condition Ready.
        counts: of the application's credentials, by the last write of status; None before the
            application was read.
        stalled: reason of the condition Stalled; empty without it.
        tenant: the EntraTenant that it names.
        type: of credential.
        conditions: those that are not as they should be.
        is_suspended: `spec.suspend` is true.
        verified: when the published credential signed in last, by the hour.
        retiring: how many replaced credentials are still valid.
        waiting: how many of these wait for something, such as pods.
        retire: when the first of them goes.
        publish: when the window opens in which a successor is published.
    """

    namespace: str
    name: str
    ready: str
    expiration: float | None
    renewal: float | None
    counts: Counts | None
    stalled: str = ""
    tenant: str = ""
    type: str = ""
    conditions: tuple[ShownCondition, ...] = ()
    is_suspended: bool = False
    verified: float | None = None
    retiring: int = 0
    waiting: int = 0
    retire: float | None = None
    publish: float | None = None


@dataclass(frozen=True, slots=True)
class TenantSample:
    """One EntraTenant.

    Attributes:
        ready: status of the condition Ready.
        stalled: reason of the condition Stalled; empty without it.
        conditions: those that are not as they should be.
        expiration: when the operator's own credential ends, in Unix seconds; None where that is
            not known.
        renewal: when the operator renews it; None where somebody else does.
    """

    name: str
    ready: str
    stalled: str = ""
    conditions: tuple[ShownCondition, ...] = ()
    expiration: float | None = None
    renewal: float | None = None


@dataclass(frozen=True, slots=True)
class GrantSample:
    """One ApplicationGrant, by the last write of its status.

    Attributes:
        used: how many AppCredentials it allows.
        missing: how many of its client ids no application has; None where it names none.
    """

    name: str
    used: int
    missing: int | None = None


Sample: TypeAlias = ResourceSample | TenantSample | GrantSample


@dataclass(frozen=True, slots=True)
class SessionSample:
    """An open session with an EntraTenant.

    Attributes:
        skew: Entra's clock minus ours in seconds; None while it is not known.
        units: the share of the quota of resource units that is used now; 1 is all of it.
        writes: the same of the quota of writes.
        pause: for how many seconds Graph asked us to send nothing from now on.
        pauses: how often it asked for a pause.
    """

    tenant: str
    skew: float | None
    units: float
    writes: float
    pause: float
    pauses: int
