"""The versions of objects in the cluster, asked for by name. The adapter is in `kube/`."""

from __future__ import annotations

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
