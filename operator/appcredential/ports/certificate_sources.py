"""What users supply for their certificates, read by name. The adapter is in `kube/`."""

from __future__ import annotations

from collections.abc import Mapping
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
    """

    version: str
    data: Mapping[str, SecretValue]


class Inputs(Protocol):
    """Secrets and ConfigMaps of users, read by name."""

    async def read(
        self, kind: InputKind, namespace: str, name: str, held: InputObject | None
    ) -> InputObject | None:
        """Read an object.

        Returns:
            `held` itself while it is the same version; None when the object does not exist.

        Raises:
            SecretForbiddenError, PermissionDeniedError: the operator may not read it.
        """
        ...
