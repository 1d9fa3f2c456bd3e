"""The tenant in the path of a token request."""

from __future__ import annotations

import re
import uuid
from typing import Final

from entra_emulator.directory.entities import Tenant
from entra_emulator.errors.tokens import TokenError
from entra_emulator.world import World

ANY_TENANT: Final = frozenset({"common", "organizations"})
"""Paths that stand for the tenant of the user who signs in; an application has no such user."""

_TENANT_NAME = re.compile(r"[A-Za-z0-9-]+|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def find_tenant(world: World, name: str) -> Tenant:
    """Return the tenant of a path, by id or domain.

    Raises:
        TokenError: 50059 for a path that names no tenant, 900023 for an invalid name, 90002 for
            an unknown tenant.
    """
    if name.lower() in ANY_TENANT:
        raise TokenError(50059)
    if not _TENANT_NAME.fullmatch(name):
        raise TokenError(900023, tenant=name)
    tenant = world.directory.tenant(name)
    if tenant is None:
        raise TokenError(90002 if "." in name or _is_guid(name) else 900023, tenant=name)
    return tenant


def _is_guid(name: str) -> bool:
    try:
        uuid.UUID(name)
    except ValueError:
        return False
    return True
