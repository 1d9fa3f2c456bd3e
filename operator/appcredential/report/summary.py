"""What the report counts, over all rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.attention import Attention
from appcredential.report.rows import Row

NEEDS_A_PERSON: Final = frozenset({Attention.BROKEN, Attention.STALLED, Attention.EXPIRING})
_DAY: Final = timedelta(days=1)
_AGES: Final = (
    ("less than a week", 7 * _DAY),
    ("a week to a month", 30 * _DAY),
    ("one to three months", 90 * _DAY),
    ("three to six months", 180 * _DAY),
    ("half a year to a year", 365 * _DAY),
)
_OLDEST: Final = "more than a year"
_NONE: Final = "nothing published"
_FEDERATED: Final = "federated: nothing that ends"
AGES: Final = (*(name for name, _ in _AGES), _OLDEST, _FEDERATED, _NONE)


@dataclass(frozen=True, slots=True)
class Judged:
    """A row, and how much attention it needs now."""

    row: Row
    attention: Attention

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to look at it."""
        return self.attention in NEEDS_A_PERSON


@dataclass(frozen=True, slots=True)
class Group:
    """So many resources have something in common."""

    name: str
    count: int
    needing: int


@dataclass(frozen=True, slots=True)
class ApplicationCount:
    """The credentials of one application, as of the last write of each status.

    Attributes:
        name: its display name, or else its id.
        tenant: the name of the EntraTenant.
        ours: those of the AppCredentials that the report is about.
        foreign: all others.
        expired: expired ones among all.
    """

    name: str
    tenant: str
    ours: int
    foreign: int
    expired: int


def groups(found: Iterable[Judged], name: Callable[[Row], str]) -> list[Group]:
    """Return how many resources have each name; those with most trouble first, then the largest."""
    counts: Counter[str] = Counter()
    needing: Counter[str] = Counter()
    for judged in found:
        key = name(judged.row)
        counts[key] += 1
        needing[key] += judged.needs_a_person
    made = [Group(key, count, needing[key]) for key, count in counts.items()]
    return sorted(made, key=lambda group: (-group.needing, -group.count, group.name))


def age(row: Row, now: datetime) -> str:
    """Return for how long the published credential has been valid, in words."""
    if row.start is None:
        return _FEDERATED if row.is_federated else _NONE
    return next((name for name, limit in _AGES if now - row.start < limit), _OLDEST)


def applications(rows: Sequence[Row]) -> list[ApplicationCount]:
    """Return the applications with foreign or expired credentials, those with most first.

    To each AppCredential the others of its application are foreign, so they are taken away once
    for each application.
    """
    by_application: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_application.setdefault((row.tenant, row.client_id), []).append(row)
    counted = [_counted(tenant, found) for (tenant, _), found in by_application.items()]
    return sorted(
        (count for count in counted if count.foreign or count.expired),
        key=lambda count: (-count.expired, -count.foreign, count.name, count.tenant),
    )


def _counted(tenant: str, rows: Sequence[Row]) -> ApplicationCount:
    ours = sum(row.managed for row in rows)
    return ApplicationCount(
        name=next((row.application for row in rows if row.application), rows[0].client_id),
        tenant=tenant,
        ours=ours,
        foreign=max(0, max(row.managed + row.foreign for row in rows) - ours),
        expired=max(row.expired for row in rows),
    )
