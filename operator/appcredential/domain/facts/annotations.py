"""The ServiceAccount's annotations and the output's keys that tell workloads of a trust."""

from __future__ import annotations

from typing import Final

from appcredential.domain.spec.federated import (
    CustomerManagedKeySource,
)

CLIENT_ID_ANNOTATION: Final = "azure.workload.identity/client-id"


TENANT_ID_ANNOTATION: Final = "azure.workload.identity/tenant-id"


WIRED_BY_ANNOTATION: Final = "appcredential.io/wired-by"


def federated_key(client_id: str, source: CustomerManagedKeySource) -> dict[str, str]:
    """Return what a customer's resources ask for to use their key."""
    return {"federatedClientId": client_id, "resourceId": source.resource_id}
