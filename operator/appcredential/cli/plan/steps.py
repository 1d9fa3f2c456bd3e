"""A plan: its steps, what keeps it from going on, and what comes later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from appcredential.cli.text import plain
from appcredential.domain.times import format_time


class Where(StrEnum):
    """Where a step changes something."""

    ENTRA = "Entra"
    KUBERNETES = "Kubernetes"


class PlanEndsError(Exception):
    """Nothing more can be said beforehand; the message says why, and may be empty."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the operator does."""

    where: Where
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be done for one AppCredential.

    Attributes:
        about: the resource, as namespace/name.
        steps: in order.
        ends: why the steps end there; empty where all is as the spec asks.
        revokes: whether credentials go by revokeIssuedBefore, whoever uses them.
        warnings: what the person should know before.
        later: what happens at which time.
        unchecked: what was assumed.
    """

    about: str
    steps: tuple[Step, ...] = ()
    ends: str = ""
    revokes: bool = False
    warnings: tuple[str, ...] = ()
    later: tuple[tuple[datetime, str], ...] = ()
    unchecked: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Return the plan for other programs, without control characters."""
        return {
            "resource": plain(self.about),
            "steps": [{"where": str(s.where), "what": plain(s.what)} for s in self.steps],
            "ends": plain(self.ends),
            "warnings": [plain(warning) for warning in self.warnings],
            "later": [{"time": format_time(t), "what": plain(w)} for t, w in self.later],
            "notChecked": [plain(text) for text in self.unchecked],
        }
