"""How urgent it is to work on an object: the order in which the work queue serves.

What status says of an AppCredential decides, be it as a watch showed it or as it was just decided
to be true. Times are seconds since the epoch; `NEVER` is later than all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from appcredential.domain.observed.memory import Memory
from appcredential.domain.times import parse_time

NEVER: Final = float("inf")
ALWAYS: Final = float("-inf")


class Urgency(IntEnum):
    """The classes, most urgent first.

    SHARED: an EntraTenant or ApplicationGrant. There are few, and many wait for each.
    EXPIRING: what is published nears its end, or has ended, and no successor is published.
    IN_FLIGHT: something began that is not finished: a successor waits for its proof or its
        publish, a predecessor for its removal, a deletion for its end.
    CHANGED: a person changed something, and may be watching.
    ISSUE: nothing was issued yet, or a renewal is due.
    LOOK: nothing is known to be due.
    """

    SHARED = 0
    EXPIRING = 1
    IN_FLIGHT = 2
    CHANGED = 3
    ISSUE = 4
    LOOK = 5


@dataclass(frozen=True, slots=True)
class Stages:
    """From when on an AppCredential is how urgent, as long as nothing else changes."""

    expiring: float = NEVER
    in_flight: float = NEVER
    issue: float = NEVER

    def at(self, time: float) -> Urgency:
        """Return the urgency at a time."""
        if time >= self.expiring:
            return Urgency.EXPIRING
        if time >= self.in_flight:
            return Urgency.IN_FLIGHT
        return Urgency.ISSUE if time >= self.issue else Urgency.LOOK


IDLE: Final = Stages()
_BEGUN: Final = Stages(in_flight=ALWAYS)
_NEW: Final = Stages(issue=ALWAYS)
_SHARE_OF_RENEWAL: Final = 0.3
"""The part of the time from a renewal to the end after which Expiring is true."""


def stages(status: Mapping[str, Any], *, is_leaving: bool, is_begun: bool = False) -> Stages:
    """Return how urgent an AppCredential is, from when on.

    What is Stalled waits for a person, whose change is urgent by itself.

    Args:
        status: of the AppCredential; empty before its first look.
        is_leaving: whether it is being deleted.
        is_begun: whether something began that status does not show yet.
    """
    if is_leaving:
        return _BEGUN
    conditions = {c.get("type"): c for c in status.get("conditions") or ()}
    if "Stalled" in conditions:
        return IDLE
    credential, is_begun = status.get("credential") or {}, is_begun or bool(status.get("pending"))
    if not credential and not status.get("federatedIdentities"):
        return _BEGUN if is_begun else _NEW
    end, renewal = _seconds(credential.get("expirationTime")), _seconds(status.get("renewalTime"))
    retired = min(map(_retire_time, status.get("retiring") or ()), default=NEVER)
    return Stages(
        expiring=min(end, renewal + (end - renewal) * _SHARE_OF_RENEWAL) if end < NEVER else NEVER,
        in_flight=ALWAYS if is_begun or "Reconciling" in conditions else retired,
        issue=renewal,
    )


def is_in_line(memory: Memory, now: datetime) -> bool:
    """Return whether nothing but the turns of others keeps a resource from a call to Graph."""
    is_held = memory.retry_time is not None and now < memory.retry_time
    return is_held and memory.directory_problem is None and not memory.application_missing


def _retire_time(entry: Mapping[str, Any]) -> float:
    """Return when a predecessor is removed; one without a time goes as soon as it can."""
    return _seconds(entry["retireTime"]) if "retireTime" in entry else ALWAYS


def _seconds(time: object) -> float:
    """Return a time of status; NEVER where there is none."""
    found = parse_time(time) if isinstance(time, str) else None
    return NEVER if found is None else found.timestamp()
