"""What users supply for their certificates, read by name. The adapter is in `kube/`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from appcredential.domain.secret_value import SecretValue


class InputKind(StrEnum):
    """Kinds of objects in which users supply certificates and passwords."""

    SECRET = "Secret"
    CONFIG_MAP = "ConfigMap"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputObject:
    """A Secret or ConfigMap of a user, as read.

    Attributes:
        version: changes with every write, and when another object takes the name.
        type: of a Secret; empty for a ConfigMap.
        data: of the keys that were asked for.
    """

    version: str
    type: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    data: Mapping[str, SecretValue]


class Inputs(Protocol):
    """Secrets and ConfigMaps of users, read by name.

    Both raise SecretForbiddenError or PermissionDeniedError where the operator may not read.
    """

    async def version(self, kind: InputKind, namespace: str, name: str) -> str | None:
        """Return an object's version without its data on the wire; None without the object."""
        ...

    async def read(
        self, kind: InputKind, namespace: str, name: str, keys: Collection[str]
    ) -> InputObject | None:
        """Return an object with these keys of its data; None when it does not exist."""
        ...
