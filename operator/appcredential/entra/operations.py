"""The names of the requests to Entra, and the hook that reports each one to the metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

Observe: TypeAlias = Callable[[str, int, float], None]
"""Called after each request with operation, HTTP status (0 without an answer) and seconds."""

READ: Final = "application.get"
ADD: Final = "application.addPassword"
REMOVE: Final = "application.removePassword"
UPDATE: Final = "application.update"
LIST_FEDERATED: Final = "application.federatedIdentityCredentials.list"
ADD_FEDERATED: Final = "application.federatedIdentityCredentials.create"
UPDATE_FEDERATED: Final = "application.federatedIdentityCredentials.update"
REMOVE_FEDERATED: Final = "application.federatedIdentityCredentials.delete"
PRINCIPAL: Final = "servicePrincipal.get"
LIST: Final = "application.list"
OWNED: Final = "servicePrincipal.ownedObjects.list"
BATCH: Final = "batch"
POLICY: Final = "policy.default.get"
OWNED_BY_USER: Final = "user.ownedObjects.list"
USAGE: Final = "signInActivities.list"
TOKEN: Final = "token"
OF_THE_TOOL: Final = frozenset({OWNED_BY_USER, USAGE})
"""What only the command-line tool sends: no metric of the operator names these."""


def ignore(operation: str, status: int, seconds: float) -> None:
    """Observe nothing."""
