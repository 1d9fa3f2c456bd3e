"""Namespaces by a watch, as far as grants look at them. The adapter is `kube/namespaces.py`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Protocol

from appcredential.domain.spec.label_selector import Labels


@dataclass(frozen=True, slots=True)
class SeenNamespace:
    """A namespace as a list or a watch shows it.

    Attributes:
        version: the resourceVersion.
        labels: None when they are more than the operator keeps.
        is_gone: it was deleted.
    """

    name: str
    version: str
    labels: Labels | None
    is_gone: bool = False


class Namespaces(Protocol):
    """Lists, watches and reads of the metadata of namespaces."""

    async def listed(self, see: Callable[[SeenNamespace], None]) -> str:
        """Show all of them.

        Returns:
            The version as of which the list is whole; a watch goes on from there.

        Raises:
            PermissionDeniedError: the operator may not list namespaces.
            AppCredentialError: the API server gave no usable answer, which tells nothing.
        """
        ...

    def changes(self, since: str, seconds: int) -> AsyncGenerator[SeenNamespace | str, None]:
        """Yield changes for at most so many seconds; a text is a version to go on from.

        Raises:
            RejectedError: that version is too old to go on from.
            PermissionDeniedError, AppCredentialError: as `listed`.
        """
        ...

    async def read(self, name: str) -> SeenNamespace | None:
        """Return one as it is now; None where there is none of the name.

        Raises:
            PermissionDeniedError, AppCredentialError: as `listed`.
        """
        ...
