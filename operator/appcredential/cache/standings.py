"""Counts the AppCredentials of each namespace and application, as they come and go.

An index, so that a pass over one of 10,000 resources costs a binary search and no scan.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import NamedTuple

from appcredential.domain.observed.standing import ALONE, Standing


class Place(NamedTuple):
    """What a bound of grants counts in."""

    namespace: str
    tenant: str
    client_id: str


class Age(NamedTuple):
    """Older resources come first; the name decides within a second.

    Attributes:
        created: the creationTimestamp, whose form sorts by time.
    """

    created: str
    name: str


@dataclass(slots=True)
class _Group:
    served: set[str] = field(default_factory=set)
    waiting: list[Age] = field(default_factory=list)


class Standings:
    """Who is served at each place, and who waits."""

    def __init__(self) -> None:
        self._groups: dict[Place, _Group] = {}

    def serve(self, place: Place, name: str) -> None:
        """Note a resource that the operator serves."""
        self._groups.setdefault(place, _Group()).served.add(name)

    def wait(self, place: Place, age: Age) -> None:
        """Note a resource that waits to be served."""
        insort(self._groups.setdefault(place, _Group()).waiting, age)

    def leave(self, place: Place, age: Age) -> None:
        """Forget a resource."""
        group = self._groups.get(place)
        if group is None:
            return
        group.served.discard(age.name)
        at = bisect_left(group.waiting, age)
        if group.waiting[at : at + 1] == [age]:
            del group.waiting[at]
        if not group.served and not group.waiting:
            del self._groups[place]

    def names(self, place: Place, *, waiting_only: bool) -> frozenset[str]:
        """Return who waits at a place, or is served there as well."""
        group = self._groups.get(place)
        if group is None:
            return frozenset()
        served = frozenset[str]() if waiting_only else frozenset(group.served)
        return served.union(age.name for age in group.waiting)

    def of(self, place: Place, age: Age) -> Standing:
        """Return what the others at this place amount to."""
        group = self._groups.get(place)
        if group is None:
            return ALONE
        served = len(group.served) - (age.name in group.served)
        return Standing(served=served, ahead=bisect_left(group.waiting, age))
