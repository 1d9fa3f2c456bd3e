"""How lists tell, cheaply, which applications may have changed. Pure.

Lists and batches lag and may lack anything, so that they only raise doubts: a direct read settles
each of them. Source of the limits: learn.microsoft.com/graph, `application: list` and
`$filter`, at most 15 alternatives; a page has at most 999 applications.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from appcredential.domain.observed.entra import Application
from appcredential.domain.observed.federated import FederatedList
from appcredential.domain.observed.target import Pending, Target
from appcredential.domain.spec.model import KeyId

IN_A_FILTER: Final = 15
IN_A_BATCH: Final = 20
IN_A_PAGE: Final = 999
MOST_PAGES: Final = 200
"""With 999 applications each, more than the operator could serve."""
FLOOR: Final = timedelta(seconds=30)
"""How soon a round may follow another: Entra's replicas differ for about as long."""

_FEW_REQUESTS: Final = 10
_EACH_ROUND: Final = 4
_FORGET: Final = timedelta(hours=1)
_IMPOSSIBLE: Final = 1 << 30


class Way(StrEnum):
    """How a round finds applications."""

    FILTER = "filter"
    """By client id, 15 with each request."""
    OWNED = "owned"
    """Pages of all that the operator owns; others that are missing there, by client id."""
    ALL = "all"
    """Pages of all that the directory has; others that are missing there, by client id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much may be looked at.

    Attributes:
        per_second: applications whose state may be read in a second; each in a page counts.
        ceiling: the longest time between two rounds, whatever they cost.
    """

    per_second: float
    ceiling: timedelta

    def period(self, count: int) -> timedelta:
        """Return the time between the beginnings of two rounds over `count` applications."""
        return max(FLOOR, min(self.ceiling, timedelta(seconds=count / self.per_second)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a way was found to cost.

    Attributes:
        requests: of a round; None when the way was refused, or led nowhere.
        found: when, in seconds of the monotonic clock.
    """

    requests: int | None
    found: float


def requests_by_filter(count: int) -> int:
    """Return how many requests by client id it takes to find that many applications."""
    return -(-count // IN_A_FILTER)


def choose_way(count: int, costs: Mapping[Way, Cost], now: float) -> Way:
    """Return the cheapest way to find `count` applications, as far as that is known.

    Few are asked for by client id: that shows others than owned ones, too, and says at once
    which are missing. Pages are tried for more, and again an hour after they were too dear.
    """
    by_filter = requests_by_filter(count)
    if by_filter <= _FEW_REQUESTS:
        return Way.FILTER
    expected = {way: _expected(count, costs.get(way), now) for way in (Way.OWNED, Way.ALL)}
    return min((*expected, Way.FILTER), key=lambda way: expected.get(way, by_filter))


def _expected(count: int, cost: Cost | None, now: float) -> int:
    """Return the requests of a way. An untried one must save more than a try may cost."""
    if cost is None or now - cost.found >= _FORGET.total_seconds():
        return -(-count // IN_A_PAGE) + _FEW_REQUESTS
    return _IMPOSSIBLE if cost.requests is None else cost.requests


def most_pages(count: int) -> int:
    """Return how many pages may be read before requests by client id are cheaper."""
    return min(MOST_PAGES, requests_by_filter(count))


def fingerprint(found: Application) -> Hashable:
    """Return what a change of an application shows in, be it from a direct read or a list."""
    credentials = frozenset((c.key_id, c.type, c.display_name, c.end) for c in found.credentials)
    return found.object_id, found.display_name, found.sign_in_audience, found.tags, credentials


def fingerprint_of_trusts(found: FederatedList) -> Hashable:
    """Return what a change of an application's federated credentials shows in."""
    return frozenset((c.id, c.pair, c.audiences, c.description) for c in found.credentials)


def made_since(
    known: Application,
    target: Target | None,
    pending: Pending | None,
    now: datetime,
    settle: timedelta,
) -> Iterator[KeyId]:
    """Yield the keys of what our Secrets hold that a direct read may lack because it is older.

    A read from after the settle time is believed: what it lacks was removed. So is one beside a
    record that lies ahead, which anybody may have written.

    Args:
        known: the direct read.
        target: the target Secret as last seen.
        pending: the pending Secret as last seen.
        now: by our clock.
        settle: for how long after a write replicas may not show it.
    """
    made = list[tuple[KeyId, datetime]]()
    if pending is not None and pending.credential is not None:
        made.append((pending.credential.key_id, pending.intent_time))
    if target is not None and target.published is not None:
        made.append((target.published.key_id, target.published_time or target.creation_time))
    yield from (key for key, since in made if known.read_time - settle <= since <= now)


def with_what_we_made(
    known: Application, found: Application, made: Iterable[KeyId]
) -> Application | None:
    """Return an older direct read with credentials made since, if a list shows just that.

    The list agrees with what is known, then: each of them is recorded in a Secret of ours.

    Args:
        known: the direct read.
        found: what the list showed.
        made: the keys of the credentials that our Secrets hold.

    Returns:
        None if the list shows anything else, or nothing new.
    """
    missing = set(made) - {c.key_id for c in known.credentials}
    news = tuple(c for c in found.credentials if c.key_id in missing)
    merged = replace(known, credentials=(*known.credentials, *news))
    return merged if news and fingerprint(merged) == fingerprint(found) else None


def is_outdated(
    known: Application, target: Target | None, left: datetime, settle: timedelta
) -> bool:
    """Return whether a direct read is from before the publish and lacks what was published.

    A list that agrees with it shows that the published credential is gone, or lags.

    Args:
        known: the direct read.
        target: the target Secret as last seen.
        left: when the list left; before the settle time is over it proves nothing either.
        settle: for how long after a write replicas may not show it.
    """
    if target is None or target.published is None:
        return False
    settled = (target.published_time or target.creation_time) + settle
    listed = {c.key_id for c in known.credentials}
    return target.published.key_id not in listed and known.read_time <= settled < left


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A list that goes on to show something else than direct reads.

    Attributes:
        shown, known: what the list showed, and what was known of a direct read.
        rounds: for how many rounds.
    """

    shown: Hashable
    known: Hashable
    rounds: int = 1

    def again(self, shown: Hashable, known: Hashable) -> Disagreement:
        """Return the disagreement after one more round."""
        is_same = (shown, known) == (self.shown, self.known)
        return replace(self, rounds=self.rounds + 1) if is_same else Disagreement(shown, known)

    @property
    def is_worth_a_read(self) -> bool:
        """Whether a direct read may settle it: replicas agree soon, or something else is wrong."""
        return self.rounds <= _EACH_ROUND or self.rounds & (self.rounds - 1) == 0
