"""What this process remembers of the renewal of one certificate of the operator's own.

All of it may be lost: the Secret and Entra say what is to be done next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.own.secret import OwnSecret
from appcredential.domain.proof import Proof
from appcredential.domain.spec.identity_rotation import IdentityRotation

_BLOCKED_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Blocked:
    """A refusal that stands until the Secret or the spec changes, or an hour has passed."""

    problem: Problem
    since: datetime
    version: str
    rotation: IdentityRotation


@dataclass(slots=True)
class OwnMemory:
    """What is known of the successor, and what kept it up.

    Attributes:
        term: as leader, in which that was seen: in another one somebody else may have acted.
        proof: how sign-ins with it went.
        made: thumbprint of a successor that Entra certainly has not added so far.
        created: when the operator's application was created, once that was read.
        asked: thumbprint and time of the last request to add one.
    """

    term: int
    proof: Proof | None = None
    made: str = ""
    created: datetime | None = None
    asked: tuple[str, datetime] | None = None
    blocked: _Blocked | None = None

    def proof_of(self, thumbprint: str) -> Proof | None:
        """Return the run of sign-ins with this certificate."""
        is_its = self.proof is not None and self.proof.attempt == thumbprint
        return self.proof if is_its else None

    def asked_for(self, thumbprint: str) -> datetime | None:
        """Return when Entra was last asked to add this certificate."""
        return self.asked[1] if self.asked is not None and self.asked[0] == thumbprint else None

    def block(
        self, problem: Problem, now: datetime, live: OwnSecret, rotation: IdentityRotation
    ) -> None:
        """Note that nothing can be done until somebody acts."""
        self.blocked = _Blocked(problem, now, live.resource_version, rotation)

    def blocked_by(
        self, now: datetime, live: OwnSecret, rotation: IdentityRotation
    ) -> Problem | None:
        """Return what still keeps the renewal up."""
        held = self.blocked
        if held is None or (held.version, held.rotation) != (live.resource_version, rotation):
            return None
        return held.problem if timedelta(0) <= now - held.since < _BLOCKED_FOR else None
