"""The authoritative state as the admin API shows it, without secrets and digests."""

from __future__ import annotations

from typing import Any

import msgspec

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import PasswordCredential, ServicePrincipal, Tenant
from entra_emulator.graph.render import render_application, render_federated
from entra_emulator.values.instants import render_time
from entra_emulator.world import World


def show_application(record: ApplicationRecord) -> dict[str, Any]:
    """Return the authoritative state of an application, whatever its replicas show."""
    view = record.truth()
    return {
        **render_application(view),
        "tenantId": record.tenant_id,
        "owners": list(view.properties.owners),
        "passwordCredentials": [_password(one) for one in view.passwords],
        "federatedIdentityCredentials": [render_federated(one) for one in view.federated],
    }


def show_principal(principal: ServicePrincipal) -> dict[str, Any]:
    """Return a service principal with its permissions."""
    return {
        "id": principal.id,
        "appId": principal.app_id,
        "tenantId": principal.tenant_id,
        "displayName": principal.display_name,
        "accountEnabled": principal.account_enabled,
        "permissions": sorted(principal.permissions),
    }


def show_tenant(world: World, tenant: Tenant) -> dict[str, Any]:
    """Return a tenant with the ids of its objects."""
    return {
        "id": tenant.id,
        "displayName": tenant.display_name,
        "domains": list(tenant.domains),
        "applications": [one.app_id for one in world.directory.applications(tenant.id)],
        "servicePrincipals": [one.id for one in world.directory.principals(tenant.id)],
    }


def show_faults(world: World) -> dict[str, Any]:
    """Return the current faults, and how often each rule may still fire."""
    document: dict[str, Any] = msgspec.to_builtins(world.settings)
    document["rules"] = [
        {**msgspec.to_builtins(rule), "left": left} for rule, left in world.faults.rules()
    ]
    return document


def show_clock(world: World) -> dict[str, Any]:
    """Return the state of the clock."""
    return {
        "now": world.clock.now().isoformat(),
        "offsetSeconds": world.clock.offset.total_seconds(),
        "stopped": world.clock.stopped,
    }


def _password(password: PasswordCredential) -> dict[str, Any]:
    return {
        "keyId": password.key_id,
        "displayName": password.display_name,
        "startDateTime": render_time(password.start),
        "endDateTime": render_time(password.end),
        "hint": password.hint,
    }
