"""Who wrote a resource's spec last, as far as its managedFields tell.

They name a client, not a person, and record no generation: only which manager owns a field, and
when that manager last wrote any of its fields. Nothing more is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from appcredential.domain.times import parse_time

_MOST: Final = 3
_LONGEST: Final = 128
"""The API server takes no longer name of a manager."""


@dataclass(frozen=True, slots=True)
class Actor:
    """One entry of managedFields: who, by `Apply` or `Update`, and when."""

    manager: str
    operation: str
    time: datetime


def actors_of(managed_fields: object) -> tuple[Actor, ...]:
    """Return who last wrote fields of the spec that they still own.

    Several, in the order of their names, when their times are equal: the times have whole seconds.
    None when no entry tells.
    """
    entries = managed_fields if isinstance(managed_fields, list) else []
    found = list(_writers(e for e in entries if isinstance(e, Mapping)))
    latest = max((actor.time for actor in found), default=None)
    last = {actor for actor in found if actor.time == latest}
    return tuple(sorted(last, key=lambda actor: (actor.manager, actor.operation)))[:_MOST]


def _writers(entries: Iterable[Mapping[str, Any]]) -> Iterable[Actor]:
    for entry in entries:
        fields, time = entry.get("fieldsV1"), parse_time(entry.get("time"))
        manager, operation = entry.get("manager"), entry.get("operation")
        is_of_spec = isinstance(fields, Mapping) and "f:spec" in fields
        if not is_of_spec or entry.get("subresource") or time is None:
            continue
        if isinstance(manager, str) and manager and operation in {"Apply", "Update"}:
            yield Actor(manager[:_LONGEST], str(operation), time)
