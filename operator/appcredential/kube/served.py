"""Whether the API server serves the resources of a CRD."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appcredential.domain.times import parse_time


def served_since(crd: Mapping[str, Any], version: str) -> datetime | None:
    """Return when a CRD was created; None where a 404 says nothing of its resources.

    Args:
        crd: as the API server holds it.
        version: of the API in which the resources are asked for.
    """
    versions = (crd.get("spec") or {}).get("versions") or ()
    conditions = (crd.get("status") or {}).get("conditions") or ()
    is_served = (
        "deletionTimestamp" not in crd["metadata"]
        and any(v.get("name") == version and v.get("served") is True for v in versions)
        and any((c.get("type"), c.get("status")) == ("Established", "True") for c in conditions)
    )
    return parse_time(crd["metadata"].get("creationTimestamp")) if is_served else None
