"""The versions of objects in the cluster, by name or by a watch. The adapters are in `kube/`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class ObjectKind(StrEnum):
    """The kinds of namespaced objects that a change behind the operator's back concerns."""

    SECRET = "Secret"
    CONFIG_MAP = "ConfigMap"
    SERVICE_ACCOUNT = "ServiceAccount"


class Versions(Protocol):
    """Reads of metadata alone, one object each."""

    async def version(self, kind: ObjectKind, namespace: str, name: str) -> str | None:
        """Return what changes with every write and with another object of the name.

        It is uid and resourceVersion, as `version_text` joins them; None without the object.

        Raises:
            PermissionDeniedError: the operator may not read it.
            AppCredentialError: the API server gave no usable answer, which tells nothing.
        """
        ...


def version_text(uid: str, resource_version: str) -> str:
    """Return one text for a version of one object."""
    return f"{uid}/{resource_version}"


@dataclass(frozen=True, slots=True)
class SeenSecret:
    """A Secret of ours as a list or a watch shows it: never its values.

    Attributes:
        version: the resourceVersion; of its removal if it is gone.
        is_gone: it was deleted, or lost the label by which ours are selected.
    """

    namespace: str
    name: str
    version: str
    is_gone: bool = False


class SecretVersions(Protocol):
    """Lists and watches of the metadata of Secrets that bear our label."""

    async def listed(self, namespace: str, see: Callable[[SeenSecret], None]) -> str:
        """Show all of a namespace, or of all namespaces if it is empty.

        Returns:
            The version as of which the list is whole; a watch goes on from there.

        Raises:
            PermissionDeniedError: the operator may not list Secrets there.
            RejectedError: the list took too long to be whole.
            AppCredentialError: the API server gave no usable answer, which tells nothing.
        """
        ...

    def changes(
        self, namespace: str, since: str, seconds: int
    ) -> AsyncGenerator[SeenSecret | str, None]:
        """Yield changes as they happen; between them a version that a watch may go on from.

        Args:
            namespace: as of `listed`.
            since: the version that is known.
            seconds: how long to watch.

        Raises:
            PermissionDeniedError: the operator may not watch Secrets there.
            RejectedError: the version is too old, and a list has to come first.
            AppCredentialError: the connection broke.
        """
        ...
