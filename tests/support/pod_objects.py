"""Pods as the API server shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

MOUNTED: Final = {"volumes": [{"name": "entra", "secret": {"secretName": "orders-entra"}}]}


def replica_set(name: str, controller: bool = True) -> dict[str, Any]:
    """Return a reference to a ReplicaSet."""
    return reference("ReplicaSet", name, controller)


def reference(kind: str, name: str, controller: bool = True) -> dict[str, Any]:
    """Return a reference to the owner of a pod."""
    return {"apiVersion": "v1", "kind": kind, "name": name, "uid": "u", "controller": controller}


def pod(
    created: datetime,
    *,
    spec: Mapping[str, Any] | None = None,
    phase: str = "Running",
    owners: tuple[dict[str, Any], ...] = (),
    labels: Mapping[str, str] | None = None,
    deleted: datetime | None = None,
    name: str = "orders-7c5-x2",
) -> dict[str, Any]:
    """Return a pod that mounts `orders-entra`, or has another spec."""
    metadata = {
        "name": name,
        "creationTimestamp": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "ownerReferences": list(owners),
        "labels": dict(labels or {}),
    }
    if deleted is not None:
        metadata["deletionTimestamp"] = f"{deleted:%Y-%m-%dT%H:%M:%SZ}"
    containers = {"containers": [{"name": "app", "image": "app"}]}
    return {
        "metadata": metadata,
        "spec": {**containers, **(MOUNTED if spec is None else spec)},
        "status": {"phase": phase},
    }
