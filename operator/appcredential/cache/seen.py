"""What the store keeps of an object that a watch or a list shows."""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern
from typing import Any

from appcredential.cache.store import Known
from appcredential.domain.conditions import Reason
from appcredential.domain.grants import is_served
from appcredential.domain.observed.observation import CHECK_NOW, REGISTER_AGAIN
from appcredential.domain.published_sign_ins import signs_in
from appcredential.domain.times import parse_time
from appcredential.domain.urgency import IDLE, Stages, stages
from appcredential.kube.custom_resources import APP_CREDENTIALS, TENANTS
from appcredential.report.rows import Row, row_of
from appcredential.runtime.metrics import ResourceSample, Sample, TenantSample
from appcredential.runtime.ready import Key


def key_of(plural: str, document: Mapping[str, Any]) -> Key:
    """Return the work-queue key of an object."""
    metadata = document["metadata"]
    return Key(plural, intern(metadata.get("namespace") or ""), metadata["name"])


def known_of(plural: str, document: dict[str, Any], team_label: str | None = None) -> Known:
    """Return what the store keeps of an object; what many have in common is held once.

    Args:
        plural: of its kind.
        document: the object.
        team_label: the label that names teams in the report; None if no report is served.
    """
    metadata = document["metadata"]
    return Known(
        uid=metadata["uid"],
        version=metadata["resourceVersion"],
        tenant=intern(_tenant_of(document)),
        client_id=intern(_client_of(document)),
        type=intern(_type_of(document)),
        secret=_secret_of(document) if plural == APP_CREDENTIALS else "",
        created=str(metadata.get("creationTimestamp") or ""),
        is_served=plural == APP_CREDENTIALS and is_served(document.get("status") or {}),
        is_waiting=plural == APP_CREDENTIALS and _is_waiting(document),
        sample=_sample(key_of(plural, document), document),
        asked=_asked(metadata),
        check=_annotated(metadata, *CHECK_NOW),
        stages=_stages(document) if plural == APP_CREDENTIALS else IDLE,
        is_leaving="deletionTimestamp" in metadata,
        has_trust=bool((document.get("spec") or {}).get("federatedIdentity")),
        sign_in=signs_in(document) if plural == APP_CREDENTIALS else None,
        row=_row(plural, document, team_label),
    )


def _row(plural: str, document: dict[str, Any], team_label: str | None) -> Row | None:
    is_shown = plural == APP_CREDENTIALS and team_label is not None
    return row_of(document, team_label or "") if is_shown else None


def _asked(metadata: dict[str, Any]) -> int:
    """Return what people ask for, as a number that changes with it, whatever its size."""
    given = _annotated(metadata, REGISTER_AGAIN, *CHECK_NOW)
    return hash((metadata.get("generation"), "deletionTimestamp" in metadata, given))


def _annotated(metadata: dict[str, Any], *names: str) -> int:
    """Return a number for the values of annotations; 0 without any."""
    annotations = metadata.get("annotations") or {}
    values = tuple(str(annotations.get(name) or "") for name in names)
    return hash(values) if any(values) else 0


def _stages(document: dict[str, Any]) -> Stages:
    status, is_leaving = document.get("status") or {}, "deletionTimestamp" in document["metadata"]
    return stages(status, is_leaving=is_leaving)


def _is_waiting(document: dict[str, Any]) -> bool:
    """Return whether nothing but a grant's bound can be in the way of an AppCredential."""
    is_off = (document.get("spec") or {}).get("suspend") is True
    is_going = "deletionTimestamp" in document["metadata"]
    stalled = _conditions(document).get("Stalled") or {}
    return not (is_off or is_going) and stalled.get("reason") in {None, str(Reason.GRANT_LIMIT)}


def _conditions(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    status = document.get("status") or {}
    return {str(c.get("type")): c for c in status.get("conditions") or ()}


def _sample(key: Key, document: dict[str, Any]) -> Sample | None:
    conditions = _conditions(document)
    ready = str((conditions.get("Ready") or {}).get("status") or "Unknown")
    stalled = str((conditions.get("Stalled") or {}).get("reason") or "")
    if key.kind == TENANTS:
        return TenantSample(key.name, ready, stalled)
    if key.kind != APP_CREDENTIALS:
        return None
    status = document.get("status") or {}
    expiration = parse_time((status.get("credential") or {}).get("expirationTime"))
    renewal = parse_time(status.get("renewalTime"))
    return ResourceSample(
        namespace=key.namespace,
        name=key.name,
        ready=intern(ready),
        expiration=expiration.timestamp() if expiration is not None else None,
        renewal=renewal.timestamp() if renewal is not None else None,
        foreign=int((status.get("inventory") or {}).get("foreign") or 0),
        stalled=intern(stalled),
    )


def _tenant_of(document: dict[str, Any]) -> str:
    """Return the EntraTenant that an AppCredential or grant names."""
    reference = (document.get("spec") or {}).get("tenantRef") or {}
    return str(reference.get("name") or "default")


def _secret_of(document: dict[str, Any]) -> str:
    """Return the Secret that an AppCredential publishes to."""
    secret = (document.get("spec") or {}).get("secret") or {}
    return str(secret.get("name") or document["metadata"]["name"])


def _client_of(document: dict[str, Any]) -> str:
    """Return the client id that an AppCredential names."""
    application = (document.get("spec") or {}).get("application") or {}
    return str(application.get("clientId") or "")


def _type_of(document: dict[str, Any]) -> str:
    """Return the type of credential that an AppCredential asks for."""
    return str((document.get("spec") or {}).get("type") or "")
