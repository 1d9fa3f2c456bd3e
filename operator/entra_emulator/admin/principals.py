"""Actions on service principals, for the admin API and seeds."""

from __future__ import annotations

from typing import Any

from entra_emulator.admin.errors import unknown
from entra_emulator.admin.lookup import find_application, find_tenant, new_id, unique
from entra_emulator.admin.seed import ForeignPrincipalSeed, PrincipalSeed
from entra_emulator.directory.entities import ServicePrincipal
from entra_emulator.world import World


def put_principal(world: World, tenant_name: str, seed: ForeignPrincipalSeed) -> dict[str, Any]:
    """Create the service principal of an application, or change its permissions and state."""
    tenant = find_tenant(world, tenant_name)
    existing = world.directory.principal_of(tenant.id, seed.app_id)
    if existing is None:
        find_application(world, seed.app_id)
        return {"id": add_principal(world, tenant.id, seed.app_id, seed).id}
    world.directory.update_principal(
        existing,
        permissions=frozenset(seed.permissions),
        account_enabled=seed.account_enabled,
    )
    return {"id": existing.id}


def delete_principal(world: World, tenant_name: str, name: str) -> None:
    """Delete a service principal, named by its id or its appId."""
    tenant = find_tenant(world, tenant_name)
    world.directory.remove_principal(_principal(world, tenant.id, name))


def owner_id(world: World, tenant_id: str, name: str) -> str:
    """Return the id of an owner, named by the id or the appId of its service principal."""
    return _principal(world, tenant_id, name).id


def _principal(world: World, tenant_id: str, name: str) -> ServicePrincipal:
    directory = world.directory
    found = directory.principal(tenant_id, name) or directory.principal_of(tenant_id, name)
    if found is None:
        raise unknown("service principal", name)
    return found


def add_principal(
    world: World, tenant_id: str, app_id: str, seed: PrincipalSeed
) -> ServicePrincipal:
    """Create the service principal of an existing application."""
    record = find_application(world, app_id)
    principal = ServicePrincipal(
        id=seed.id or new_id(),
        app_id=app_id,
        tenant_id=tenant_id,
        ordinal=world.directory.next_ordinal(),
        display_name=record.properties.display_name,
        created=world.settled_change(),
        created_time=world.clock.stamp(),
        account_enabled=seed.account_enabled,
        permissions=frozenset(seed.permissions),
    )
    unique(lambda: world.directory.put_principal(principal))
    return principal
