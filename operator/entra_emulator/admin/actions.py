"""Actions on tenants and applications, for the admin API and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from entra_emulator.admin import policies as admin_policies
from entra_emulator.admin.credentials import add_key, add_password
from entra_emulator.admin.errors import AdminError
from entra_emulator.admin.federated import add_federated
from entra_emulator.admin.issuers import add_issuer
from entra_emulator.admin.lookup import find_application, find_tenant, new_id, unique
from entra_emulator.admin.principals import add_principal, owner_id, put_principal
from entra_emulator.admin.seed import (
    ApplicationSeed,
    PasswordSeed,
    PrincipalSeed,
    Seed,
    TenantSeed,
)
from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import (
    ApplicationProperties,
    Permission,
    Tenant,
)
from entra_emulator.errors.graph import GraphError
from entra_emulator.rules.applications import changed_properties
from entra_emulator.values.instants import ticks_of
from entra_emulator.world import World


def plant(world: World, seed: Seed) -> None:
    """Create everything in a seed, then set its faults."""
    for issuer in seed.issuers:
        add_issuer(world, issuer)
    for resource in seed.resources:
        world.services.add(resource.app_id, resource.identifier_uris)
    for tenant in seed.tenants:
        create_tenant(world, tenant)
    world.set_faults(seed.faults)


def create_tenant(world: World, seed: TenantSeed) -> dict[str, Any]:
    """Create a tenant with its applications, or nothing on an error.

    An application may name owners that come later in the seed.
    """
    tenant = Tenant(id=seed.id or new_id(), display_name=seed.display_name, domains=seed.domains)
    unique(lambda: world.directory.add_tenant(tenant))
    try:
        return {"id": tenant.id, "applications": _fill_tenant(world, tenant, seed)}
    except AdminError:
        delete_tenant(world, tenant.id)
        raise


def _fill_tenant(world: World, tenant: Tenant, seed: TenantSeed) -> list[dict[str, Any]]:
    admin_policies.set_default(world, tenant.id, seed.default_policy)
    world.policies.allow_issuers(tenant.id, seed.federated_issuers)
    for policy in seed.policies:
        admin_policies.create_policy(world, tenant.id, policy)
    made = [create_application(world, tenant.id, _without_owners(one)) for one in seed.applications]
    for principal in seed.service_principals:
        put_principal(world, tenant.id, principal)
    for one, ids in zip(seed.applications, made, strict=True):
        set_owners(world, ids["appId"], one.owners)
    return made


def delete_tenant(world: World, name: str) -> None:
    """Delete a tenant with all its objects and policies."""
    tenant = find_tenant(world, name)
    world.directory.remove_tenant(tenant.id)
    world.policies.forget(tenant.id)


def create_application(world: World, tenant_name: str, seed: ApplicationSeed) -> dict[str, Any]:
    """Create an application with credentials and a service principal; return their ids.

    Only this answer contains the value of a generated password.
    """
    tenant = find_tenant(world, tenant_name)
    owners = tuple(owner_id(world, tenant.id, owner) for owner in seed.owners)
    record = _new_record(world, tenant.id, seed, owners)
    if seed.policy is not None:
        admin_policies.find_policy(world, tenant.id, seed.policy)
    unique(lambda: world.directory.add_application(record))
    world.policies.assign(record, seed.policy)
    principal = None
    if seed.service_principal is not None:
        principal = add_principal(world, tenant.id, record.app_id, seed.service_principal)
    return {
        "id": record.id,
        "appId": record.app_id,
        "servicePrincipalId": principal.id if principal else None,
        "passwords": [add_password(world, record, one) for one in seed.passwords],
        "keys": [add_key(world, record, one) for one in seed.keys],
        "federatedIdentityCredentials": [
            add_federated(world, record, one) for one in seed.federated_identity_credentials
        ],
    }


def create_operator(
    world: World, tenant_name: str, permissions: tuple[Permission, ...]
) -> dict[str, Any]:
    """Create an application with one secret that may call Graph."""
    seed = ApplicationSeed(
        display_name="operator",
        service_principal=PrincipalSeed(permissions=permissions),
        passwords=(PasswordSeed(display_name="operator"),),
    )
    made = create_application(world, tenant_name, seed)
    return {
        "clientId": made["appId"],
        "clientSecret": made["passwords"][0]["secretText"],
        "servicePrincipalId": made["servicePrincipalId"],
        "id": made["id"],
    }


def change_application(world: World, name: str, body: Mapping[str, Any]) -> None:
    """Change properties of an application, named as in Graph."""
    record = find_application(world, name)
    try:
        properties = changed_properties(record.properties, body, {})
    except GraphError as error:
        raise AdminError(400, error.message) from error
    record.update(properties, world.settled_change())


def delete_application(world: World, name: str) -> None:
    """Delete an application permanently, with the service principal of its own tenant."""
    record = find_application(world, name)
    world.directory.remove_application(record, world.settled_change())
    world.policies.assign(record, None)
    principal = world.directory.principal_of(record.tenant_id, record.app_id)
    if principal is not None:
        world.directory.remove_principal(principal)


def set_owners(world: World, name: str, owners: tuple[str, ...]) -> None:
    """Replace the owners of an application."""
    record = find_application(world, name)
    ids = tuple(owner_id(world, record.tenant_id, owner) for owner in owners)
    record.update(replace(record.properties, owners=ids), world.settled_change())


def _new_record(
    world: World, tenant_id: str, seed: ApplicationSeed, owners: tuple[str, ...]
) -> ApplicationRecord:
    properties = ApplicationProperties(
        display_name=seed.display_name,
        sign_in_audience=seed.sign_in_audience,
        tags=seed.tags,
        identifier_uris=seed.identifier_uris,
        notes=seed.notes,
        is_disabled=seed.is_disabled,
        owners=owners,
    )
    created = seed.created_date_time
    return ApplicationRecord(
        id=seed.id or new_id(),
        app_id=seed.app_id or new_id(),
        tenant_id=tenant_id,
        ordinal=world.directory.next_ordinal(),
        created=ticks_of(created) if created else world.clock.stamp(),
        properties=properties,
        change=world.settled_change(),
    )


def _without_owners(seed: ApplicationSeed) -> ApplicationSeed:
    return msgspec.structs.replace(seed, owners=())
