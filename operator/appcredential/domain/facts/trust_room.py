"""How many federated credentials a resource needs, and whether the application has room for them.

They are counted before the first is created: half of a list that cannot be completed would only
take the room that somebody else needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from appcredential.domain.facts.federated import FederatedFacts
from appcredential.domain.observed.federated import FederatedCredential
from appcredential.domain.spec.trusts import MAX_CREDENTIALS, Trust, marker_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What counts against Entra's limit.

    Attributes:
        missing: how many have to be created.
        former: how many of this resource are not asked for any more, and are there still.
        others: how many are somebody else's.
        listed: all that the application has.
    """

    missing: int
    former: int
    others: int
    listed: int

    @property
    def is_enough(self) -> bool:
        """All that is missing can be created."""
        return self.listed + self.missing <= MAX_CREDENTIALS


def extra(facts: FederatedFacts) -> tuple[FederatedCredential, ...]:
    """Return our credentials that no trust asks for."""
    wanted = {t.pair for t in facts.trusts}
    return tuple(c for c in facts.ours if c.pair not in wanted)


def drifted(facts: FederatedFacts, trust: Trust) -> FederatedCredential | None:
    """Return a credential that we made for this trust and that somebody has edited."""
    return _by_attempt(facts).get(facts.attempt(trust))


def _by_attempt(facts: FederatedFacts) -> Mapping[str, FederatedCredential]:
    """Return our credentials that no trust asks for, by the attempt in the marker."""
    marks = ((marker_of(c.description), c) for c in reversed(extra(facts)))
    return {str(mark.attempt): c for mark, c in marks if mark is not None}


def room(facts: FederatedFacts) -> Room:
    """Count, by the last read. What was edited is not missing: it is changed back."""
    absent = {facts.attempt(t) for t in facts.trusts if facts.holder(t) is None}
    unasked = _by_attempt(facts) if absent else {}
    edited = {unasked[attempt].id for attempt in absent if attempt in unasked}
    wanted = {trust.pair for trust in facts.trusts}
    return Room(
        missing=len(absent) - len(edited),
        former=len({c.id for c in extra(facts)} - edited),
        others=sum(not facts.is_ours(c) and c.pair not in wanted for c in facts.credentials),
        listed=len(facts.credentials),
    )
