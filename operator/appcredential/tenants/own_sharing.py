"""What holds for the renewal of the operator's own credential, whatever kind it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from appcredential.domain.own.actions import OwnAction, Publish, Remove
from appcredential.domain.own.renewal import OwnRenewal
from appcredential.domain.own.rotation import LOOK_AGAIN
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


def told_after(action: OwnAction, told: OwnRenewal, now: datetime) -> tuple[OwnRenewal, bool]:
    """Return what is told after a step, and whether the next one may follow at once."""
    if isinstance(action, Remove):
        # A replica may list it for minutes: without a pause it would be removed again and again,
        # against the quotas of everybody.
        return replace(told, look=now + LOOK_AGAIN), False
    # What is in use after a publish is for the tenant's own look to find out.
    return replace(told, look=now), not isinstance(action, Publish)
