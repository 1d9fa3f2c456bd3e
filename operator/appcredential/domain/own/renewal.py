"""What a turn of the renewal of the operator's own credential came to, for status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appcredential.domain.conditions import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRenewal:
    """How the renewal of the operator's own credential stands.

    Attributes:
        renewal: when it is due next; None where the operator does not renew it.
        problem: why it cannot go on, or what is wrong although it does.
        look: when to look again, if that is soon.
    """

    renewal: datetime | None = None
    problem: Problem | None = None
    look: datetime | None = None


NO_RENEWAL = OwnRenewal()
"""Of an EntraTenant whose credential the operator does not renew."""
