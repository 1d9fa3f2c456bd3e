"""What a scrape shows of an object, from its status."""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern
from typing import Any, Final

from appcredential.cache.referred import tenant_of, type_of
from appcredential.domain.conditions import Reason
from appcredential.domain.times import parse_time
from appcredential.kube.custom_resources import APP_CREDENTIALS, GRANTS, TENANTS
from appcredential.runtime.ready import Key
from appcredential.runtime.samples import (
    Counts,
    GrantSample,
    ResourceSample,
    Sample,
    ShownCondition,
    TenantSample,
)

_WELL: Final = frozenset(
    map(
        str,
        (
            Reason.PUBLISHED,
            Reason.TRUSTED,
            Reason.PROVEN,
            Reason.NOT_DUE,
            Reason.SIGNED_IN,
            Reason.PERMITTED,
        ),
    )
)


def conditions_of(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the conditions of an object by their type."""
    status = document.get("status") or {}
    return {str(c.get("type")): c for c in status.get("conditions") or ()}


def sample_of(key: Key, document: dict[str, Any]) -> Sample | None:
    """Return what a scrape shows of an object; None when that is nothing."""
    if key.kind == TENANTS:
        return _of_tenant(key, document)
    if key.kind == GRANTS:
        return _of_grant(key, document)
    return _of_resource(key, document) if key.kind == APP_CREDENTIALS else None


def _of_tenant(key: Key, document: Mapping[str, Any]) -> TenantSample:
    identity = (document.get("status") or {}).get("identity") or {}
    ready, stalled, shown = _judged(document)
    end, renewal = _seconds(identity.get("expirationTime")), _seconds(identity.get("renewalTime"))
    return TenantSample(key.name, ready, stalled, shown, end, renewal)


def _of_grant(key: Key, document: Mapping[str, Any]) -> GrantSample | None:
    status = document.get("status") or {}
    usage, applications = status.get("usage"), status.get("applications")
    if not usage:
        return None  # the operator did not look at it yet
    return GrantSample(key.name, int(usage["appCredentials"]), _missing(applications or {}))


def _missing(applications: Mapping[str, Any]) -> int | None:
    """Return how many are missing; None where "none" may mean that nobody looked."""
    found = applications.get("missing")
    return None if found is None or (found == 0 and applications.get("unknown")) else int(found)


def _of_resource(key: Key, document: dict[str, Any]) -> ResourceSample:
    status = document.get("status") or {}
    credential, pending = status.get("credential") or {}, status.get("pending") or {}
    retiring = status.get("retiring") or ()
    ready, stalled, shown = _judged(document)
    times = (_seconds(entry.get("retireTime")) for entry in retiring)
    return ResourceSample(
        namespace=key.namespace,
        name=key.name,
        ready=ready,
        expiration=_seconds(credential.get("expirationTime")),
        renewal=_seconds(status.get("renewalTime")),
        counts=counts_of(status),
        stalled=stalled,
        tenant=intern(tenant_of(document)),
        type=intern(type_of(document)),
        conditions=shown,
        is_suspended=(document.get("spec") or {}).get("suspend") is True,
        verified=_seconds(credential.get("verifiedTime")),
        retiring=len(retiring),
        waiting=sum("waitingFor" in entry for entry in retiring),
        retire=min((time for time in times if time is not None), default=None),
        publish=_seconds(pending.get("publishTime")),
    )


def counts_of(status: Mapping[str, Any]) -> Counts | None:
    """Return how many credentials the application has; None before it was read."""
    inventory = status.get("inventory") or {}
    if "managed" not in inventory:
        return None
    pending = status.get("pending") or {}
    shown = (status.get("credential"), pending.get("keyId"), *(status.get("retiring") or ()))
    owned = int(inventory["managed"])
    foreign = int(inventory.get("foreign") or 0)
    return Counts(owned, foreign, max(0, owned - sum(map(bool, shown))))


def _judged(document: Mapping[str, Any]) -> tuple[str, str, tuple[ShownCondition, ...]]:
    """Return the status of Ready, the reason of Stalled, and the conditions that are not well."""
    conditions = conditions_of(document)
    shown = tuple(
        (intern(kind), intern(str(found.get("status"))), intern(str(found.get("reason"))))
        for kind, found in conditions.items()
        if found.get("reason") not in _WELL
    )
    ready = str((conditions.get("Ready") or {}).get("status") or "Unknown")
    stalled = str((conditions.get("Stalled") or {}).get("reason") or "")
    return intern(ready), intern(stalled), shown


def _seconds(text: object) -> float | None:
    time = parse_time(text)
    return time.timestamp() if time is not None else None
