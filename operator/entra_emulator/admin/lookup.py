"""How the admin API finds what is named, and names what is new."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from entra_emulator.admin.errors import AdminError, unknown
from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.directory import DuplicateError
from entra_emulator.directory.entities import (
    Tenant,
)
from entra_emulator.world import World


def find_tenant(world: World, name: str) -> Tenant:
    """Return a tenant by id or domain."""
    tenant = world.directory.tenant(name)
    if tenant is None:
        raise unknown("tenant", name)
    return tenant


def find_application(world: World, name: str) -> ApplicationRecord:
    """Return an application by appId or object id."""
    record = world.directory.application_anywhere(name)
    if record is None:
        raise unknown("application", name)
    return record


def unique(action: Callable[[], None]) -> None:
    """Do what fails where an id is taken, and say so as the admin API does."""
    try:
        action()
    except DuplicateError as error:
        raise AdminError(409, str(error)) from error


def new_id() -> str:
    """Return a new random id."""
    return str(uuid.uuid4())
