"""The records of the target and pending Secrets: annotations, written and read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from appcredential.domain.observed.target import (
    Abandoned,
    FormerOwner,
    HandedOver,
    IssuedCredential,
    Retiring,
)
from appcredential.domain.spec.model import (
    ObjectId,
)
from appcredential.domain.times import format_time

PREFIX = "appcredential.io/"


CLUSTER = PREFIX + "cluster"


ADOPT = PREFIX + "adopt"
"""By which a person gives a Secret that has no owner to `namespace/name`."""


MAX_ABANDONED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Everything that T records about itself.

    Attributes:
        verified_time: last sign-in that proved it; None with verification disabled.
        taken_from: whose Secret it was before.
        handed_over: keys of the former owner that stay for now.
    """

    owner: str
    cluster: str
    tenant_id: str
    object_id: ObjectId
    credential: IssuedCredential
    verified_time: datetime | None
    published_time: datetime
    retiring: tuple[Retiring, ...]
    abandoned: tuple[Abandoned, ...]
    taken_from: tuple[FormerOwner, ...] = ()
    handed_over: HandedOver | None = None


def _annotations(p: Publication) -> dict[str, str]:
    c = p.credential
    found = {
        "owner": p.owner,
        "cluster": p.cluster,
        "tenant-id": p.tenant_id,
        "application-object-id": p.object_id,
        "key-id": c.key_id,
        "attempt": c.attempt,
        "value-sha256": c.value_sha256,
        "not-before": format_time(c.not_before),
        "expires": format_time(c.expires),
        "published-time": format_time(_rounded_up(p.published_time)),
    }
    if p.verified_time is not None:
        found["verified-time"] = format_time(p.verified_time)
    if p.retiring:
        found["retiring"] = _dump([_retiring(e) for e in p.retiring])
    if p.abandoned:
        found["abandoned"] = dump_abandoned(p.abandoned)
    if p.taken_from:
        found["taken-over-from"] = _dump([_former(e) for e in p.taken_from])
    if p.handed_over is not None:
        until = format_time(_rounded_up(p.handed_over.until))
        found["handed-over"] = _dump({"keys": sorted(p.handed_over.keys), "until": until})
    return {PREFIX + key: value for key, value in found.items()}


def dump_abandoned(entries: tuple[Abandoned, ...]) -> str:
    """Return the `abandoned` annotation: the last five attempts with their times."""
    kept = entries[-MAX_ABANDONED:]
    return _dump([{"attempt": e.attempt, "time": format_time(e.time)} for e in kept])


def _former(entry: FormerOwner) -> dict[str, str | int]:
    return {"owner": entry.owner, "uid": entry.uid, "generation": entry.generation}


def _retiring(entry: Retiring) -> dict[str, str]:
    found = {
        "keyId": entry.key_id,
        "end": format_time(entry.end),
        "since": format_time(_rounded_up(entry.since)),
        "cause": str(entry.cause),
    }
    if entry.removed is not None:
        found["removed"] = format_time(entry.removed)
    return found


def _rounded_up(time: datetime) -> datetime:
    """Return whole seconds, never earlier: an overlap that begins then is never too short."""
    whole = time.replace(microsecond=0)
    return whole if whole == time else whole + timedelta(seconds=1)


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def pending_name(owner_hash: str) -> str:
    """Return P's name."""
    return f"appcredential-pending-{owner_hash}"
