"""What keeps the operator from renewing its own credential, whatever kind it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeAlias

from appcredential.tenants.probing import OpenTenant

Tenants: TypeAlias = Callable[[], AsyncIterator[Mapping[str, Any]]]
"""Yields all EntraTenants by a live list."""


async def sharing(tenants: Tenants, own: str, secret_name: str) -> list[str]:
    """Return the EntraTenants other than `own` whose identity is in the same Secret.

    Raises:
        PermissionDeniedError, UnavailableError: they cannot be listed.
    """
    found = []
    async for document in tenants():
        name = str(document["metadata"]["name"])
        members = (document.get("spec") or {}).get("identity") or {}
        named = {((member or {}).get("secretRef") or {}).get("name") for member in members.values()}
        if name != own and secret_name in named:
            found.append(name)
    return sorted(found)


def is_clock_doubtful(tenant: OpenTenant) -> bool:
    """Return whether a credential made by this clock might not be valid, or not for long."""
    directory = tenant.session.directory
    return directory.skew() is None or directory.is_skew_doubted() or tenant.is_clock_wrong()
