"""Actions on app management policies, for the admin API and seeds."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from entra_emulator.admin.errors import AdminError, unknown
from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.policies.documents import (
    AppPolicy,
    TenantPolicy,
    render_app_policy,
    render_tenant_policy,
)
from entra_emulator.world import World


def set_default(world: World, tenant_id: str, policy: TenantPolicy) -> dict[str, Any]:
    """Replace the default policy of a tenant."""
    world.policies.set_default(tenant_id, policy)
    return render_tenant_policy(policy)


def create_policy(world: World, tenant_id: str, seed: AppPolicy) -> dict[str, Any]:
    """Create a policy in addition to the default."""
    policy_id = seed.id or str(uuid.uuid4())
    if world.policies.policy(tenant_id, policy_id) is not None:
        raise AdminError(409, f"policy {policy_id} exists already")
    policy = msgspec.structs.replace(seed, id=policy_id)
    world.policies.put(tenant_id, policy_id, policy)
    return render_app_policy(policy)


def replace_policy(world: World, tenant_id: str, name: str, seed: AppPolicy) -> dict[str, Any]:
    """Replace a policy; it keeps its id and its applications."""
    find_policy(world, tenant_id, name)
    if seed.id not in {None, name}:
        raise AdminError(400, "id: a policy keeps the one it has; leave it out")
    policy = msgspec.structs.replace(seed, id=name)
    world.policies.put(tenant_id, name, policy)
    return render_app_policy(policy)


def delete_policy(world: World, tenant_id: str, name: str) -> None:
    """Delete a policy; the default applies to its applications again."""
    find_policy(world, tenant_id, name)
    world.policies.remove(tenant_id, name)


def assign_policy(world: World, record: ApplicationRecord, name: str | None) -> None:
    """Assign a policy to an application; None removes the assignment."""
    if name is not None:
        find_policy(world, record.tenant_id, name)
    world.policies.assign(record, name)


def find_policy(world: World, tenant_id: str, name: str) -> AppPolicy:
    """Return a policy other than the default; raise AdminError 404 if there is none."""
    policy = world.policies.policy(tenant_id, name)
    if policy is None:
        raise unknown("policy", name)
    return policy
