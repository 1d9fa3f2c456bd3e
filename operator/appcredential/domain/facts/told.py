"""What status last told of federated credentials: the memory that outlives a process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appcredential.domain.observed.federated import FederatedCredential


def is_verified(status: Mapping[str, Any]) -> bool:
    """Tell whether status says that it was proven."""
    conditions = status.get("conditions") or ()
    return any(c.get("type") == "Verified" and c.get("status") == "True" for c in conditions)


def is_told(status: Mapping[str, Any], c: FederatedCredential) -> bool:
    """Tell whether status says of this credential, as it is, that it is ready for use."""
    ready = any(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in status.get("conditions") or ()
    )
    told = {"id": c.id, "issuer": c.issuer, "subject": c.subject}
    entries = status.get("federatedIdentities") or ()
    same = any(
        told.items() <= dict(entry).items() and (entry.get("audience"),) == c.audiences
        for entry in entries
    )
    return ready and same
