"""What the operator demands of a cluster: the schema of the CRDs, and a version of Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

SCHEMA_ANNOTATION: Final = "appcredential.io/schema-version"
SCHEMA_VERSION: Final = 2
MIN_KUBERNETES: Final = (1, 31)
APPLY_CRDS: Final = (
    "python -m appcredential crds | kubectl apply --server-side --force-conflicts -f -"
)
"""What brings the CRDs up to date."""


def schema_version(crd: Mapping[str, Any] | None) -> int:
    """Return the schema of a CRD as its annotation says; 0 where there is none to be read."""
    metadata = (crd or {}).get("metadata") or {}
    found = str((metadata.get("annotations") or {}).get(SCHEMA_ANNOTATION) or "")
    return int(found) if re.fullmatch(r"[0-9]{1,9}", found) else 0


def server_version(found: Mapping[str, Any]) -> tuple[int, int]:
    """Return an API server's version from its `/version`; zeros where that cannot be read."""
    numbers = [re.match(r"[0-9]{1,4}", str(found.get(k) or "")) for k in ("major", "minor")]
    major, minor = (int(n[0]) if n is not None else 0 for n in numbers)
    return major, minor
