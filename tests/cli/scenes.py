"""AppCredentials with a hand-written status, as lists of the API server hold them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from appcredential.cli.app_credential import AppCredential
from appcredential.domain.times import format_time

NOW: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)
CLIENT_ID: Final = "33333333-3333-4333-8333-333333333333"
KEY: Final = "11111111-1111-4111-8111-111111111111"
OLD_KEY: Final = "22222222-2222-4222-8222-222222222222"
PODS: Final = "Deployment/orders: 2 pods, oldest 41d"


def day(number: float, now: datetime = NOW) -> str:
    """Return the time that is so many days from now."""
    return format_time(now + timedelta(days=number))


def spec(**change: Any) -> dict[str, Any]:
    """Return the spec of a client secret."""
    return {
        "application": {"clientId": CLIENT_ID},
        "type": "ClientSecret",
        "clientSecret": {"description": "orders service"},
        **change,
    }


def condition(kind: str, status: str, reason: str, message: str = "So it is.") -> dict[str, Any]:
    """Return one condition."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": day(-3),
    }


READY: Final = condition("Ready", "True", "Published", "The Secret holds a valid credential.")
VERIFIED: Final = condition("Verified", "True", "Proven", "It signed in.")
NOT_EXPIRING: Final = condition("Expiring", "False", "NotDue")
STALLED: Final = condition("Stalled", "True", "NotGranted", "No ApplicationGrant allows it.")
RECONCILING: Final = condition("Reconciling", "True", "Progressing", "Being issued.")


def published(now: datetime = NOW, ends: float = 60, **change: Any) -> dict[str, Any]:
    """Return the status of what was published 30 days ago and ends in so many days."""
    return {
        "observedGeneration": 1,
        "conditions": [READY, VERIFIED, NOT_EXPIRING],
        "secretRef": {"name": "orders-entra"},
        "grant": "shop-apps",
        "application": {"clientId": CLIENT_ID, "displayName": "Orders"},
        "credential": {
            "keyId": KEY,
            "type": "ClientSecret",
            "startTime": day(-30, now),
            "expirationTime": day(ends, now),
            "publishedTime": day(-30, now),
            "verifiedTime": day(-1, now),
        },
        "renewalTime": day(ends / 2, now),
        **change,
    }


def conditions(*given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a status that has only conditions."""
    return {"observedGeneration": 1, "conditions": list(given)}


def retiring(now: datetime = NOW) -> list[dict[str, Any]]:
    """Return a replaced credential that pods still use."""
    return [{"keyId": OLD_KEY, "retireTime": day(10, now), "waitingFor": PODS}]


def document(
    name: str = "orders", status: Mapping[str, Any] | None = None, **change: Any
) -> dict[str, Any]:
    """Return a whole object; `change` replaces members of metadata, `spec` the spec."""
    found = {
        "apiVersion": "appcredential.io/v1alpha1",
        "kind": "AppCredential",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{name}",
            "resourceVersion": "7",
            "generation": 1,
            "creationTimestamp": day(-40),
        },
        "spec": change.pop("spec", spec()),
        "status": {"observedGeneration": -1} if status is None else status,
    }
    found["metadata"].update(change)
    return copy.deepcopy(found)


def resource(
    name: str = "orders", status: Mapping[str, Any] | None = None, **change: Any
) -> AppCredential:
    """Return what the tool reads of such an object."""
    return AppCredential(document(name, status, **change))
