"""How many credentials Microsoft's quotas carry: a formula, and a year that checks it. Pure.

Source of the quotas: learn.microsoft.com/graph/throttling-limits, identity and access. One app in
one tenant may write 3,000 times in 2 min 30 s, all apps of a tenant together 18,000 times in five
minutes.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appcredential.domain.rotation import MAX_JITTER
from bench.figures import markdown

APP: Final = 3000 / 150
"""Writes a second of one app in one tenant."""
TENANT: Final = 18_000 / 300
"""Writes a second of all apps of a tenant."""
WRITES: Final = 2
"""Of one credential in its life: it is added and, once it is replaced, removed."""
LEAD: Final = 1 / 3
"""The share of its lifetime before whose end a credential is renewed, by default."""
JITTER: Final = LEAD * MAX_JITTER
"""The share of its lifetime by which that is earlier at most, spread evenly."""
HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
YEAR: Final = 365 * DAY
_OWN: Final = 19.0
"""Writes a second that the operator allows itself in one tenant."""


def capacity(lifetime: float, quota: float = APP) -> float:
    """Return how many credentials of a lifetime can be kept alive by a quota.

    Each costs `WRITES` from one renewal to the next: quota * period / writes.

    Args:
        lifetime: of one credential, in seconds.
        quota: writes a second.
    """
    return quota * period(lifetime) / WRITES


def period(lifetime: float) -> float:
    """Return the mean seconds between two renewals of one credential."""
    return lifetime * (1 - LEAD - JITTER / 2)


def at_once(lifetime: float, quota: float = APP) -> float:
    """Return how many may become due together, and all have a successor before they end.

    Args:
        lifetime: of one credential, in seconds.
        quota: writes a second.
    """
    return quota * LEAD * lifetime


@dataclass(frozen=True, slots=True)
class Year:
    """What happened in a simulated time.

    Attributes:
        writes: of the whole time.
        share: of the quota of one app that they are.
        busiest: the largest share of the quota in one hour.
        late: seconds that a renewal came after it was due, at most.
        expired: credentials that ended before their successor came.
    """

    writes: int
    share: float
    busiest: float
    late: float
    expired: int


def simulate(
    credentials: int, lifetime: float, length: float = YEAR, *, pace: float = _OWN, seed: int = 13
) -> Year:
    """Apply so many credentials at once, and keep them for a year with writes at an even pace.

    The worst start: all are due together for the first time, and only the jitter pulls them
    apart. Whatever is due waits in line; removals of what was replaced wait in the same line.

    Args:
        credentials: their number.
        lifetime: of each, in seconds.
        length: of the simulated time, in seconds.
        pace: writes a second.
        seed: of the jitter.
    """
    chance = random.Random(seed)  # noqa: S311 - a repeatable choice
    due = [(0.0, number, 0.0) for number in range(credentials)]  # when, whose, its end or 0
    free, late, expired, writes = 0.0, 0.0, 0, 0
    hours: dict[int, int] = {}
    while due and due[0][0] < length:
        wanted, number, end = heapq.heappop(due)
        at = max(free, wanted)
        if at >= length:
            break
        free = at + 1 / pace
        writes += 1
        hours[int(at // HOUR)] = hours.get(int(at // HOUR), 0) + 1
        if number < 0:
            continue  # a removal
        if end:
            late, expired = max(late, at - wanted), expired + (at > end)
            heapq.heappush(due, (max(end, at), -1, 0.0))
        renewal = at + lifetime * (1 - LEAD - JITTER * chance.random())
        heapq.heappush(due, (renewal, number, at + lifetime))
    allowed = APP * length
    return Year(writes, writes / allowed, max(hours.values()) / (APP * HOUR), late, expired)


SIMULATED: Final[Sequence[tuple[int, float]]] = (
    (1_000, DAY),
    (1_000, 90 * DAY),
    (10_000, 7 * DAY),
    (10_000, 90 * DAY),
    (100_000, 30 * DAY),
    (100_000, 90 * DAY),
)
"""Credentials and lifetimes of the table in the documents."""
_CARRIED: Final = (
    "lifetime",
    "renewed every",
    "one app in a tenant",
    "all apps of a tenant",
    "one app, all due at once",
)
_YEARS: Final = (
    "credentials",
    "lifetime",
    "writes in the year",
    "by the formula",
    "share of the quota",
    "busiest hour",
    "longest wait",
    "expired",
)
LIFETIMES: Final = (HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY, 180 * DAY)


def tables() -> str:
    """Return what the quotas carry, and the simulated years, as tables in Markdown."""
    carried = markdown(_CARRIED, map(_carried, LIFETIMES))
    return carried + "\n\n" + markdown(_YEARS, (_year(*row) for row in SIMULATED))


def _carried(lifetime: float) -> tuple[str, ...]:
    counts = (capacity(lifetime), capacity(lifetime, TENANT), at_once(lifetime))
    return (_told(lifetime), _told(period(lifetime)), *(f"{count:,.0f}" for count in counts))


def _year(credentials: int, lifetime: float) -> tuple[str, ...]:
    found = simulate(credentials, lifetime)
    expected = APP * YEAR * credentials / capacity(lifetime)
    return (
        f"{credentials:,}",
        _told(lifetime),
        f"{found.writes:,}",
        f"{expected:,.0f}",
        f"{found.share:.2%}",
        f"{found.busiest:.0%}",
        _told(found.late),
        str(found.expired),
    )


def _told(seconds: float) -> str:
    """Return a duration in the unit that fits it."""
    for unit, length in (("d", DAY), ("h", HOUR), ("min", 60.0)):
        if seconds >= length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.0f} s"
