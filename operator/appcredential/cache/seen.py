"""What the store keeps of an object that a watch or a list shows."""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern
from typing import Any

from appcredential.cache.granted import GrantedUse, use_of
from appcredential.cache.referred import client_of, secret_of, tenant_of, type_of
from appcredential.cache.sampled import conditions_of, sample_of
from appcredential.cache.store import Known
from appcredential.domain.conditions import Reason
from appcredential.domain.grants import is_served
from appcredential.domain.observed.observation import CHECK_NOW, REGISTER_AGAIN
from appcredential.domain.published_sign_ins import signs_in
from appcredential.domain.urgency import IDLE, Stages, stages
from appcredential.kube.custom_resources import APP_CREDENTIALS
from appcredential.report.rows import Row, row_of
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
        tenant=intern(tenant_of(document)),
        client_id=intern(client_of(document)),
        type=intern(type_of(document)),
        secret=secret_of(document) if plural == APP_CREDENTIALS else "",
        created=str(metadata.get("creationTimestamp") or ""),
        is_served=plural == APP_CREDENTIALS and is_served(document.get("status") or {}),
        is_waiting=plural == APP_CREDENTIALS and _is_waiting(document),
        sample=sample_of(key_of(plural, document), document),
        asked=_asked(metadata),
        check=_annotated(metadata, *CHECK_NOW),
        stages=_stages(document) if plural == APP_CREDENTIALS else IDLE,
        is_leaving="deletionTimestamp" in metadata,
        has_trust=bool((document.get("spec") or {}).get("federatedIdentity")),
        sign_in=signs_in(document) if plural == APP_CREDENTIALS else None,
        row=_row(plural, document, team_label),
        use=_use(document) if plural == APP_CREDENTIALS else None,
    )


def _use(document: dict[str, Any]) -> GrantedUse | None:
    stalled = conditions_of(document).get("Stalled") or {}
    return use_of(document, str(stalled.get("reason") or ""))


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
    stalled = conditions_of(document).get("Stalled") or {}
    return not (is_off or is_going) and stalled.get("reason") in {None, str(Reason.GRANT_LIMIT)}
