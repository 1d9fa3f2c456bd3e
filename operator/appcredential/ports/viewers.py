"""Who may see all AppCredentials, as the API server says."""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

from appcredential.domain.secret_value import SecretValue


class ViewerAccess(Enum):
    """What the API server says of somebody's token."""

    UNKNOWN = auto()
    """It is nobody's: made up, expired, or meant for another audience."""
    REFUSED = auto()
    """It is somebody's who may not list AppCredentials in all namespaces."""
    ALLOWED = auto()
    """It is somebody's who may."""


class Viewers(Protocol):
    """Asks the API server; nothing is remembered."""

    async def access(self, token: SecretValue) -> ViewerAccess:
        """Return what the holder of a token may.

        Raises:
            AppCredentialError: the API server gives no answer, or the operator may not ask.
        """
        ...
