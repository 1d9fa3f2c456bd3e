"""JSON values in annotations of the target and pending Secrets: each one written and read.

A broken value reads as empty, and a broken entry of a list as missing. Losing an entry is
safe: an unrecorded credential counts as stranded and keeps the full overlap.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from appcredential.domain.marker import Attempt
from appcredential.domain.observed.target import (
    Abandoned,
    FormerOwner,
    HandedOver,
    RetireCause,
    Retiring,
)
from appcredential.domain.spec.model import KeyId
from appcredential.domain.times import format_time, parse_time

MAX_ABANDONED: Final = 5
_SECOND: Final = timedelta(seconds=1)
_MAX_AHEAD: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """Names of what the operator wrote into the target Secret; all the rest is other people's."""

    keys: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    annotations: frozenset[str] = frozenset()


def dump_retiring(entries: tuple[Retiring, ...]) -> str:
    """Return the `retiring` annotation."""
    return _dump([_retiring_members(e) for e in entries])


def load_retiring(raw: str) -> tuple[Retiring, ...]:
    """Read the `retiring` annotation."""
    found = (_retiring(entry) for entry in _objects(raw))
    return tuple(entry for entry in found if entry is not None)


def _retiring_members(entry: Retiring) -> dict[str, str | int]:
    found: dict[str, str | int] = {
        "keyId": entry.key_id,
        "end": format_time(entry.end),
        "since": format_time(rounded_up(entry.since)),
        "cause": str(entry.cause),
    }
    if entry.removed is not None:
        found["removed"] = format_time(entry.removed)
    if entry.secret:
        found["secret"] = entry.secret
    if entry.ahead is not None:
        found["ahead"] = math.ceil(entry.ahead / _SECOND)
    return found


def _retiring(entry: Mapping[str, Any]) -> Retiring | None:
    end, since = parse_time(entry.get("end")), parse_time(entry.get("since"))
    key, cause = entry.get("keyId"), entry.get("cause")
    if end is None or since is None or not isinstance(key, str) or not isinstance(cause, str):
        return None
    if not key or cause not in set(RetireCause):
        return None
    secret = entry.get("secret")
    return Retiring(
        key_id=KeyId(key),
        end=end,
        since=since,
        cause=RetireCause(cause),
        removed=parse_time(entry.get("removed")),
        secret=secret if isinstance(secret, str) else "",
        ahead=_ahead(entry.get("ahead")),
    )


def _ahead(seconds: object) -> timedelta | None:
    """Return a difference of clocks that two of them may have."""
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        return None
    return timedelta(seconds=seconds) if 0 <= seconds <= _MAX_AHEAD else None


def dump_abandoned(entries: tuple[Abandoned, ...]) -> str:
    """Return the `abandoned` annotation: the last five attempts with their times."""
    kept = entries[-MAX_ABANDONED:]
    return _dump([{"attempt": e.attempt, "time": format_time(e.time)} for e in kept])


def load_abandoned(raw: str) -> tuple[Abandoned, ...]:
    """Read the `abandoned` annotation."""
    found = [(e.get("attempt"), parse_time(e.get("time"))) for e in _objects(raw)]
    return tuple(
        Abandoned(attempt=Attempt(attempt), time=time)
        for attempt, time in found
        if isinstance(attempt, str) and attempt and time is not None
    )


def dump_former_owners(entries: tuple[FormerOwner, ...]) -> str:
    """Return the `taken-over-from` annotation."""
    return _dump([{"owner": e.owner, "uid": e.uid, "generation": e.generation} for e in entries])


def load_former_owners(raw: str) -> tuple[FormerOwner, ...]:
    """Read the `taken-over-from` annotation."""
    found = [(e.get("owner"), e.get("uid"), e.get("generation")) for e in _objects(raw)]
    return tuple(
        FormerOwner(owner, uid, generation)
        for owner, uid, generation in found
        if isinstance(owner, str) and isinstance(uid, str) and isinstance(generation, int)
    )


def dump_handed_over(handed_over: HandedOver) -> str:
    """Return the `handed-over` annotation."""
    until = format_time(rounded_up(handed_over.until))
    return _dump({"keys": sorted(handed_over.keys), "until": until})


def load_handed_over(raw: str) -> HandedOver | None:
    """Read the `handed-over` annotation; None without a time at which the keys go."""
    found = _object(raw)
    keys, until = found.get("keys"), parse_time(found.get("until"))
    if until is None or not isinstance(keys, list):
        return None
    return HandedOver(keys=frozenset(k for k in keys if isinstance(k, str)), until=until)


def dump_rendered(rendered: Rendered) -> str:
    """Return the `rendered` annotation."""
    return _dump(
        {
            "keys": sorted(rendered.keys),
            "labels": sorted(rendered.labels),
            "annotations": sorted(rendered.annotations),
        }
    )


def load_rendered(raw: str) -> Rendered:
    """Read the `rendered` annotation."""
    found = _object(raw)
    return Rendered(
        keys=_names(found.get("keys")),
        labels=_names(found.get("labels")),
        annotations=_names(found.get("annotations")),
    )


def dump_generated(digests: Mapping[str, str]) -> str:
    """Return the `generated` annotation."""
    return _dump(dict(sorted(digests.items())))


def load_generated(raw: str) -> Mapping[str, str]:
    """Read the `generated` annotation."""
    return {key: found for key, found in _object(raw).items() if isinstance(found, str)}


def rounded_up(time: datetime) -> datetime:
    """Return whole seconds, never earlier: an overlap that begins then is never too short."""
    whole = time.replace(microsecond=0)
    return whole if whole == time else whole + timedelta(seconds=1)


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _objects(raw: str) -> list[Mapping[str, Any]]:
    """Return the objects of a JSON list."""
    found = _load(raw)
    return [e for e in found if isinstance(e, dict)] if isinstance(found, list) else []


def _object(raw: str) -> Mapping[str, Any]:
    found = _load(raw)
    return found if isinstance(found, dict) else {}


def _load(raw: str) -> Any:
    """Return the value of a JSON text; None for what a person's edit broke or nested too deep."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _names(value: object) -> frozenset[str]:
    return frozenset(str(i) for i in value) if isinstance(value, list) else frozenset()
