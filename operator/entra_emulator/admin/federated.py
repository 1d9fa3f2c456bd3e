"""Actions on federated credentials, for the admin API and seeds."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from entra_emulator.admin.errors import AdminError, unknown
from entra_emulator.admin.seed import FederatedSeed
from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import FederatedCredential
from entra_emulator.errors.graph import GraphError
from entra_emulator.graph.render import render_federated
from entra_emulator.rules.federated import changed_credential, same_name
from entra_emulator.world import World


def add_federated(world: World, record: ApplicationRecord, seed: FederatedSeed) -> dict[str, Any]:
    """Add a federated credential without Graph's checks of names, duplicates and limits."""
    made = FederatedCredential(
        id=seed.id or str(uuid.uuid4()),
        ordinal=world.directory.next_ordinal(),
        name=seed.name,
        issuer=seed.issuer,
        subject=seed.subject,
        audience=seed.audiences[0],
        description=seed.description,
    )
    record.put_federated(made, world.settled_change())
    return render_federated(made)


def change_federated(
    world: World, record: ApplicationRecord, name: str, changes: Mapping[str, Any]
) -> None:
    """Change values of a federated credential; the values have Graph's names.

    Raises:
        AdminError: no credential has that id or name, or Graph would refuse the values.
    """
    current = _found(record, name)
    try:
        changed = changed_credential(current, changes, record.truth().federated)
    except GraphError as error:
        raise AdminError(400, error.message) from error
    record.put_federated(changed, world.settled_change())


def remove_federated(world: World, record: ApplicationRecord, name: str) -> None:
    """Remove a federated credential, named by its id or name."""
    record.remove_federated(_found(record, name).id, world.settled_change())


def _found(record: ApplicationRecord, name: str) -> FederatedCredential:
    for one in record.truth().federated:
        if one.id == name or same_name(one, name):
            return one
    raise unknown("federated identity credential", name)
