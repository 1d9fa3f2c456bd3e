"""How the condition list of a status changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from appcredential.domain.conditions import Condition, ConditionType
from appcredential.domain.times import format_time

MAX_MESSAGE = 2048


def merge_conditions(
    existing: Sequence[Mapping[str, Any]],
    wanted: Sequence[Condition],
    *,
    generation: int,
    now: datetime,
    trial: bool = False,
) -> list[dict[str, Any]]:
    """Return the new list in metav1.Condition form, in the order of `wanted`.

    `lastTransitionTime` moves only when `status` changes (Kubernetes API conventions). A type
    that is no longer wanted is left out. In a `trial` the message of Ready says so, because
    its credentials open no real tenant.
    """
    before = {str(c.get("type")): c for c in existing}
    said = [_on_trial(c) for c in wanted] if trial else wanted
    return [_merge(before.get(c.type), c, generation=generation, now=now) for c in said]


def _on_trial(condition: Condition) -> Condition:
    if condition.type is not ConditionType.READY:
        return condition
    return replace(condition, message=f"TRIAL: {condition.message}")


def _merge(
    old: Mapping[str, Any] | None, new: Condition, *, generation: int, now: datetime
) -> dict[str, Any]:
    unchanged = old is not None and old.get("status") == new.status
    moved = old["lastTransitionTime"] if old is not None and unchanged else format_time(now)
    merged = {
        "type": str(new.type),
        "status": new.status,
        "reason": str(new.reason),
        "message": new.message[:MAX_MESSAGE],
        "lastTransitionTime": moved,
    }
    # -1 means "nothing reflected yet" in a status; a condition leaves the field out.
    return merged | ({"observedGeneration": generation} if generation >= 0 else {})
