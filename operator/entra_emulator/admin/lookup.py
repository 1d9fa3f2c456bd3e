"""Find objects by name for the admin API, and make ids for new ones."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from entra_emulator.admin.errors import AdminError, unknown
from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.directory import DuplicateError
from entra_emulator.directory.entities import Tenant
from entra_emulator.world import World


def find_tenant(world: World, name: str) -> Tenant:
    """Return a tenant by id or domain; raise AdminError 404 if there is none."""
    tenant = world.directory.tenant(name)
    if tenant is None:
        raise unknown("tenant", name)
    return tenant


def find_application(world: World, name: str) -> ApplicationRecord:
    """Return an application by appId or object id; raise AdminError 404 if there is none."""
    record = world.directory.application_anywhere(name)
    if record is None:
        raise unknown("application", name)
    return record


def unique(action: Callable[[], None]) -> None:
    """Run an action; raise AdminError 409 if an id is taken."""
    try:
        action()
    except DuplicateError as error:
        raise AdminError(409, str(error)) from error


def new_id() -> str:
    """Return a new random id."""
    return str(uuid.uuid4())
