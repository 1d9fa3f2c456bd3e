"""The Secret with the operator's own credential, as a Protocol; `kube/` implements it."""

from __future__ import annotations

from typing import Protocol

from appcredential.domain.own.secret import OwnContent, OwnSecret


class OwnSecrets(Protocol):
    """Secrets in the operator's namespace that it renews its own credential in."""

    async def read(self, name: str) -> OwnSecret | None:
        """Read the Secret; None when it does not exist.

        Raises:
            PermissionDeniedError, UnavailableError.
        """
        ...

    async def write(self, name: str, live: OwnSecret, wanted: OwnContent) -> None:
        """Replace the content of exactly the version `live`, in one write.

        Raises:
            ConflictError: it has changed since.
            PermissionDeniedError, RejectedError, UnavailableError.
        """
        ...
