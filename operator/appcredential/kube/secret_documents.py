"""Secrets between their JSON form and the domain's T and P. Pure; no request is made here.

Reading never fails, whatever a person made of the annotations: they only ever narrow
what may be done, so a record that cannot be read counts as one that is not there.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from appcredential.domain.marker import Attempt, ClusterIdentity, Owner, attempt_id
from appcredential.domain.observed.target import (
    Abandoned,
    FormerOwner,
    HandedOver,
    IssuedCredential,
    Pending,
    PendingState,
    RetireCause,
    Retiring,
    Target,
)
from appcredential.domain.secret.content import MANAGED_BY, Rendering
from appcredential.domain.secret.records import PREFIX, dump_abandoned, pending_name
from appcredential.domain.secret.value import find_value
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.model import KeyId, ObjectId, TenantId
from appcredential.domain.times import format_time, parse_time, required_time
from appcredential.ports.kube import Intent

PENDING_TYPE = "appcredential.io/pending"
VALUE_KEY = "value"
_CARRIED = ("finalizers", "ownerReferences")


def parse_target(document: Mapping[str, Any]) -> Target:
    """Read a Secret as T."""
    metadata = document["metadata"]
    annotations = dict(metadata.get("annotations") or {})
    data = decode_data(document.get("data") or {})
    published = _minted(annotations)
    return Target(
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        creation_time=required_time(metadata.get("creationTimestamp")),
        deletion_time=parse_time(metadata.get("deletionTimestamp")),
        type=document.get("type") or "Opaque",
        immutable=bool(document.get("immutable")),
        owner=_read(annotations, "owner"),
        tenant_id=TenantId(_read(annotations, "tenant-id")),
        object_id=ObjectId(_read(annotations, "application-object-id")),
        published=published,
        value=find_value(data, published.value_sha256) if published is not None else None,
        verified_time=parse_time(_read(annotations, "verified-time")),
        published_time=parse_time(_read(annotations, "published-time")),
        retiring=_retiring(_read(annotations, "retiring")),
        abandoned=_abandoned(_read(annotations, "abandoned")),
        taken_from=_taken_from(_read(annotations, "taken-over-from")),
        handed_over=_handed_over(_read(annotations, "handed-over")),
        data=data,
        labels=dict(metadata.get("labels") or {}),
        annotations=annotations,
        origin={key: metadata[key] for key in _CARRIED if key in metadata},
    )


def parse_pending(document: Mapping[str, Any], identity: ClusterIdentity, owner: Owner) -> Pending:
    """Read a Secret as the P of `owner`.

    Unreadable records make it an Abandoned one that proves nothing. One that is `Minted`
    and has its key id stays so: its value may be all there is.
    """
    metadata = document["metadata"]
    annotations = dict(metadata.get("annotations") or {})
    data = decode_data(document.get("data") or {})
    minted, number, state = _minted(annotations), _number(annotations), _state(annotations)
    value = data.get(VALUE_KEY)
    if value is not None and minted is not None and value.sha256() != minted.value_sha256:
        value = None
    never_minted = state is not PendingState.MINTED and VALUE_KEY not in data
    is_read = number is not None and state is not None and (minted is not None or never_minted)
    is_held = state is PendingState.MINTED and minted is not None
    stored = _read(annotations, "attempt")
    if is_read and not stored:
        # A first intent cannot store its attempt: the uid it is made of exists only
        # after the create. From the next write on it is stored, and a copy shows.
        stored = attempt_id(identity, metadata["uid"], number or 0)
    if minted is not None and not minted.attempt:
        minted = replace(minted, attempt=Attempt(stored))
    return Pending(
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        owner=_read(annotations, "owner"),
        tenant_id=TenantId(_read(annotations, "tenant-id")),
        object_id=ObjectId(_read(annotations, "application-object-id")),
        # Without an attempt it is nobody's: it passes for no fenced intent.
        attempt=Attempt(stored if is_read or is_held else ""),
        attempt_number=number or 0,
        holder=_read(annotations, "holder"),
        state=state if state is not None and (is_read or is_held) else PendingState.ABANDONED,
        intent_time=parse_time(_read(annotations, "intent-time"))
        or required_time(metadata.get("creationTimestamp")),
        credential=minted,
        value=value,
        abandoned=_abandoned(_read(annotations, "abandoned")),
        is_foreign=document.get("type") != PENDING_TYPE
        or _read(annotations, "owner") not in {"", str(owner)},
    )


def build_target(
    namespace: str, name: str, live: Target | None, wanted: Rendering
) -> dict[str, Any]:
    """Return the body that creates T or replaces exactly the version `live`."""
    metadata: dict[str, Any] = dict(live.origin) if live is not None else {}
    metadata |= {
        "name": name,
        "namespace": namespace,
        "labels": dict(wanted.labels),
        "annotations": dict(wanted.annotations),
    }
    if live is not None:
        metadata |= {"uid": live.uid, "resourceVersion": live.resource_version}
    return _secret(metadata, "Opaque", wanted.data)


def build_intent(intent: Intent, live: Pending | None, identity: ClusterIdentity) -> dict[str, Any]:
    """Return the body of P in state `Intent`."""
    records = {
        "owner": str(intent.owner),
        "cluster": intent.cluster,
        "tenant-id": intent.tenant_id,
        "application-object-id": intent.object_id,
        "attempt-number": str(intent.attempt_number),
        "holder": intent.holder,
        "state": str(PendingState.INTENT),
        "intent-time": format_time(intent.time),
    }
    if intent.abandoned:
        records["abandoned"] = dump_abandoned(intent.abandoned)
    if live is not None:
        records["attempt"] = attempt_id(identity, live.uid, intent.attempt_number)
    staged = intent.staged
    if staged is None:
        return _pending(intent.owner, records, live, {})
    records |= _held(staged.key_id, staged.value.sha256(), staged.not_before, staged.expires)
    return _pending(intent.owner, records, live, {VALUE_KEY: staged.value})


def build_pending(
    owner: Owner,
    cluster: str,
    live: Pending,
    state: PendingState,
    minted: IssuedCredential | None,
    value: SecretValue | None,
) -> dict[str, Any]:
    """Return the body that moves P on to `state`."""
    records = {
        "owner": str(owner),
        "cluster": cluster,
        "tenant-id": live.tenant_id,
        "application-object-id": live.object_id,
        "attempt": live.attempt,
        "attempt-number": str(live.attempt_number),
        "holder": live.holder,
        "state": str(state),
        "intent-time": format_time(live.intent_time),
    }
    if live.abandoned:
        records["abandoned"] = dump_abandoned(live.abandoned)
    if minted is not None:
        records |= _held(minted.key_id, minted.value_sha256, minted.not_before, minted.expires)
    return _pending(owner, records, live, {VALUE_KEY: value} if value is not None else {})


def _held(key: KeyId, digest: str, start: datetime, end: datetime) -> dict[str, str]:
    """Return what P records of the value that it holds."""
    return {
        "key-id": key,
        "value-sha256": digest,
        "not-before": format_time(start),
        "expires": format_time(end),
    }


def _pending(
    owner: Owner,
    records: Mapping[str, str],
    live: Pending | None,
    data: Mapping[str, SecretValue],
) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": pending_name(owner.hash),
        "namespace": owner.namespace,
        "labels": {MANAGED_BY: "appcredential"},
        "annotations": {PREFIX + key: value for key, value in records.items()},
    }
    if live is not None:
        metadata |= {"uid": live.uid, "resourceVersion": live.resource_version}
    return _secret(metadata, PENDING_TYPE, data)


def _secret(
    metadata: Mapping[str, Any], kind: str, data: Mapping[str, SecretValue]
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": kind,
        "data": {key: _encode(value) for key, value in data.items()},
    }


def _encode(value: SecretValue) -> str:
    return base64.b64encode(value.reveal().encode(errors="surrogateescape")).decode()


def decode_data(data: Mapping[str, str]) -> dict[str, SecretValue]:
    """Decode a Secret's data; bytes that are no UTF-8 survive the way back unchanged."""
    return {
        key: SecretValue(base64.b64decode(value).decode(errors="surrogateescape"))
        for key, value in data.items()
    }


def _read(annotations: Mapping[str, str], key: str) -> str:
    return str(annotations.get(PREFIX + key) or "")


def _number(annotations: Mapping[str, str]) -> int | None:
    raw = _read(annotations, "attempt-number")
    return int(raw) if re.fullmatch(r"[0-9]{1,9}", raw) else None


def _state(annotations: Mapping[str, str]) -> PendingState | None:
    raw = _read(annotations, "state")
    return PendingState(raw) if raw in set(PendingState) else None


def _minted(annotations: Mapping[str, str]) -> IssuedCredential | None:
    start = parse_time(_read(annotations, "not-before"))
    end = parse_time(_read(annotations, "expires"))
    key, digest = _read(annotations, "key-id"), _read(annotations, "value-sha256")
    if start is None or end is None or not key or not digest:
        return None
    return IssuedCredential(
        key_id=KeyId(key),
        attempt=Attempt(_read(annotations, "attempt")),
        value_sha256=digest,
        not_before=start,
        expires=end,
    )


def _entries(raw: str) -> list[Mapping[str, Any]]:
    """Read a JSON list of objects; a person's edit that breaks it reads as empty.

    Losing an entry is safe: an unrecorded credential counts as stranded and keeps
    the full overlap.
    """
    try:
        found = json.loads(raw) if raw else []
    except (ValueError, RecursionError):
        return []
    return [e for e in found if isinstance(e, dict)] if isinstance(found, list) else []


def _retiring(raw: str) -> tuple[Retiring, ...]:
    found = (_retiring_entry(entry) for entry in _entries(raw))
    return tuple(entry for entry in found if entry is not None)


def _retiring_entry(entry: Mapping[str, Any]) -> Retiring | None:
    end, since = parse_time(entry.get("end")), parse_time(entry.get("since"))
    key, cause = entry.get("keyId"), entry.get("cause")
    if end is None or since is None or not isinstance(key, str) or not isinstance(cause, str):
        return None
    if not key or cause not in set(RetireCause):
        return None
    removed = parse_time(entry.get("removed"))
    return Retiring(
        key_id=KeyId(key), end=end, since=since, cause=RetireCause(cause), removed=removed
    )


def _abandoned(raw: str) -> tuple[Abandoned, ...]:
    found = [(e.get("attempt"), parse_time(e.get("time"))) for e in _entries(raw)]
    return tuple(
        Abandoned(attempt=Attempt(attempt), time=time)
        for attempt, time in found
        if isinstance(attempt, str) and attempt and time is not None
    )


def _taken_from(raw: str) -> tuple[FormerOwner, ...]:
    found = [(e.get("owner"), e.get("uid"), e.get("generation")) for e in _entries(raw)]
    return tuple(
        FormerOwner(owner, uid, generation)
        for owner, uid, generation in found
        if isinstance(owner, str) and isinstance(uid, str) and isinstance(generation, int)
    )


def _handed_over(raw: str) -> HandedOver | None:
    """Read what is to go at a time; nothing when that cannot be told."""
    found = next(iter(_entries(f"[{raw}]" if raw else "")), {})
    keys, until = found.get("keys"), parse_time(found.get("until"))
    if until is None or not isinstance(keys, list):
        return None
    return HandedOver(keys=frozenset(k for k in keys if isinstance(k, str)), until=until)
