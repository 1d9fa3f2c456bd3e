"""`status.pending`: what was issued and is not published."""

from __future__ import annotations

from appcredential.domain.facts.facts import Facts
from appcredential.domain.status.held import held_until
from appcredential.domain.times import format_time


def unpublished(facts: Facts) -> dict[str, str] | None:
    """Return what status shows of a successor; of one in vain, until it is gone."""
    shown = facts.pending if facts.conflict is not None else facts.successor
    minted = shown.credential if shown is not None else None
    if minted is None:
        return None
    found = {"keyId": minted.key_id, "startTime": format_time(minted.not_before)}
    if (opening := held_until(facts)) is not None:
        found["publishTime"] = format_time(opening.opens)
        found["waitingFor"] = "the next of spec.rotation.windows"
    return found
