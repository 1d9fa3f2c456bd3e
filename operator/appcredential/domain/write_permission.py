"""What the operator's token lets it write in Entra, by the permissions that the token names."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

OF_OWNED: Final = "Application.ReadWrite.OwnedBy"
OF_ALL: Final = "Application.ReadWrite.All"


class WritePermission(StrEnum):
    """Which applications the token lets the operator change.

    Source: learn.microsoft.com/graph/permissions-reference. A directory role allows the same, and
    no token names it: what is said here is never proof that Graph refuses a write.
    """

    ALL = "all"
    OWNED = "owned"
    """Those that the operator's service principal owns."""
    NONE = "none"
    UNKNOWN = "unknown"
    """The token cannot be read."""


def write_permission(roles: frozenset[str] | None) -> WritePermission:
    """Return what permissions let the operator change.

    Args:
        roles: of Graph, as the operator's token names them; None where it cannot be read.
    """
    if roles is None:
        return WritePermission.UNKNOWN
    if OF_ALL in roles:
        return WritePermission.ALL
    return WritePermission.OWNED if OF_OWNED in roles else WritePermission.NONE
