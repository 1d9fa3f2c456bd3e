"""The target and pending Secrets, to and from the JSON of the API server.

Pure: this module makes no request. The annotations are read and written in
`domain/secret/records.py`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from appcredential.domain.marker import Attempt, ClusterIdentity, Owner, attempt_id
from appcredential.domain.observed.target import (
    IssuedCredential,
    Pending,
    PendingState,
    Target,
)
from appcredential.domain.secret.annotations import PREFIX
from appcredential.domain.secret.content import MANAGED_BY, MANAGER, Rendering
from appcredential.domain.secret.records import (
    PendingRecords,
    pending_annotations,
    pending_name,
    read_pending,
    read_target,
)
from appcredential.domain.secret.value import find_value
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.times import parse_time, required_time
from appcredential.ports.kube import Intent

PENDING_TYPE = "appcredential.io/pending"
VALUE_KEY = "value"
_CARRIED = ("finalizers", "ownerReferences")


def parse_target(document: Mapping[str, Any]) -> Target:
    """Read a Secret as the target Secret."""
    metadata = document["metadata"]
    annotations = dict(metadata.get("annotations") or {})
    data = decode_data(document.get("data") or {})
    records = read_target(annotations)
    published = records.credential
    return Target(
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        creation_time=required_time(metadata.get("creationTimestamp")),
        deletion_time=parse_time(metadata.get("deletionTimestamp")),
        type=document.get("type") or "Opaque",
        immutable=bool(document.get("immutable")),
        owner=records.owner,
        tenant_id=records.tenant_id,
        object_id=records.object_id,
        published=published,
        value=find_value(data, published.value_sha256) if published is not None else None,
        verified_time=records.verified_time,
        published_time=records.published_time,
        retiring=records.retiring,
        abandoned=records.abandoned,
        taken_from=records.taken_from,
        handed_over=records.handed_over,
        restart_since=records.restart_since,
        data=data,
        labels=dict(metadata.get("labels") or {}),
        annotations=annotations,
        origin={key: metadata[key] for key in _CARRIED if key in metadata},
    )


def parse_pending(document: Mapping[str, Any], identity: ClusterIdentity, owner: Owner) -> Pending:
    """Read a Secret as the pending Secret of `owner`."""
    metadata = document["metadata"]
    value = decode_data(document.get("data") or {}).get(VALUE_KEY)
    annotations = dict(metadata.get("annotations") or {})
    records = read_pending(
        annotations,
        identity,
        uid=metadata["uid"],
        created=required_time(metadata.get("creationTimestamp")),
        has_value=value is not None,
    )
    credential = records.credential
    if value is not None and credential is not None and value.sha256() != credential.value_sha256:
        value = None
    return Pending(
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        owner=records.owner,
        tenant_id=records.tenant_id,
        object_id=records.object_id,
        attempt=records.attempt,
        attempt_number=records.attempt_number,
        holder=records.holder,
        state=records.state,
        intent_time=records.intent_time,
        credential=credential,
        value=value,
        abandoned=records.abandoned,
        immutable=bool(document.get("immutable")),
        is_foreign=document.get("type") != PENDING_TYPE or records.owner not in {"", str(owner)},
        labels={k: v for k, v in (metadata.get("labels") or {}).items() if k != MANAGED_BY},
        annotations={k: v for k, v in annotations.items() if not k.startswith(PREFIX)},
    )


def build_target(
    namespace: str, name: str, live: Target | None, wanted: Rendering
) -> dict[str, Any]:
    """Return the body that creates the target Secret or replaces exactly the version `live`."""
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
    """Return the body of the pending Secret in state `Intent`."""
    number, staged = intent.attempt_number, intent.staged
    attempt = attempt_id(identity, live.uid, number) if live is not None else Attempt("")
    credential = None
    if staged is not None:
        credential = IssuedCredential(
            key_id=staged.key_id,
            attempt=attempt,
            value_sha256=staged.value.sha256(),
            not_before=staged.not_before,
            expires=staged.expires,
        )
    records = PendingRecords(
        owner=str(intent.owner),
        cluster=intent.cluster,
        tenant_id=intent.tenant_id,
        object_id=intent.object_id,
        attempt=attempt,
        attempt_number=number,
        holder=intent.holder,
        state=PendingState.INTENT,
        intent_time=intent.time,
        credential=credential,
        abandoned=intent.abandoned,
    )
    value = staged.value if staged is not None else None
    return _pending(intent.owner, records, live, value, intent)


def build_pending(
    owner: Owner,
    cluster: str,
    live: Pending,
    state: PendingState,
    credential: IssuedCredential | None,
    value: SecretValue | None,
) -> dict[str, Any]:
    """Return the body that moves the pending Secret on to `state`."""
    records = PendingRecords(
        owner=str(owner),
        cluster=cluster,
        tenant_id=live.tenant_id,
        object_id=live.object_id,
        attempt=live.attempt,
        attempt_number=live.attempt_number,
        holder=live.holder,
        state=state,
        intent_time=live.intent_time,
        credential=credential,
        abandoned=live.abandoned,
    )
    return _pending(owner, records, live, value, live)


def _pending(
    owner: Owner,
    records: PendingRecords,
    live: Pending | None,
    value: SecretValue | None,
    marked: Intent | Pending,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": pending_name(owner.hash),
        "namespace": owner.namespace,
        "labels": {**marked.labels, MANAGED_BY: MANAGER},
        "annotations": {**marked.annotations, **pending_annotations(records)},
    }
    if live is not None:
        metadata |= {"uid": live.uid, "resourceVersion": live.resource_version}
    return _secret(metadata, PENDING_TYPE, {VALUE_KEY: value} if value is not None else {})


def _secret(
    metadata: Mapping[str, Any], kind: str, data: Mapping[str, SecretValue]
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": kind,
        "data": encode_data(data),
    }


def encode_data(data: Mapping[str, SecretValue]) -> dict[str, str]:
    """Return values as a Secret's data holds them."""
    return {
        key: base64.b64encode(value.reveal().encode(errors="surrogateescape")).decode()
        for key, value in data.items()
    }


def decode_data(data: Mapping[str, str]) -> dict[str, SecretValue]:
    """Decode a Secret's data; bytes that are no UTF-8 survive the way back unchanged."""
    return {
        key: SecretValue(base64.b64decode(value).decode(errors="surrogateescape"))
        for key, value in data.items()
    }
