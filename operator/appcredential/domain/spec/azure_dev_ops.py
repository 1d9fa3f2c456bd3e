"""Issuers and subjects of the tokens of service connections and pipelines of Azure DevOps.

Entra issues the tokens of service connections made since November 2025, and of those that were
converted; Azure DevOps itself issues those of older ones, and of pipelines. Source:
learn.microsoft.com/azure/devops/pipelines/release/convert-service-connections, and issuer and
subject as Azure DevOps shows them with a connection.
"""

from __future__ import annotations

import base64
from typing import Final
from uuid import UUID

from appcredential.domain.spec.federated import DevOpsConnectionSource, DevOpsProjectSource

_APPLICATION: Final = "499b84ac-1321-427f-aa17-267ca6975798"
"""Azure DevOps itself, in every tenant."""


def connection_subject(source: DevOpsConnectionSource, tenant_id: str) -> str:
    """Return the `sub` of a service connection's tokens that Entra issues.

    Args:
        source: the service connection.
        tenant_id: of the application that it signs in as.
    """
    owner = f"/eid1/c/pub/t/{_encoded(tenant_id)}/a/{_encoded(_APPLICATION)}"
    return f"{owner}/sc/{source.organization_id}/{source.connection_id}"


def own_issuer(source: DevOpsProjectSource) -> str:
    """Return the `iss` of tokens that Azure DevOps issues itself."""
    return f"https://vstoken.dev.azure.com/{source.organization_id}"


def own_subject(source: DevOpsProjectSource) -> str:
    """Return the `sub` of tokens that Azure DevOps issues itself."""
    where = f"{source.organization}/{source.project}"
    return (
        f"p://{where}/{source.pipeline}" if source.pipeline else f"sc://{where}/{source.connection}"
    )


def _encoded(guid: str) -> str:
    """Return a GUID's bytes, in the order of Windows, as base64url without padding."""
    return base64.urlsafe_b64encode(UUID(guid).bytes_le).decode().rstrip("=")
