"""Graph operations on the owners of an application, and what those of a service principal share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from entra_emulator.directory.entities import ServicePrincipal
from entra_emulator.directory.replication import ChangeKind
from entra_emulator.errors.graph import GraphError, bad_request, not_found
from entra_emulator.graph.call import (
    COUNT,
    GraphAnswer,
    GraphCall,
    Route,
    route,
    seen_application,
    writable_application,
)
from entra_emulator.graph.lists import ListShape, answer_list
from entra_emulator.graph.render import PRINCIPAL_FIELDS, render_principal
from entra_emulator.rules.passwords import known_only

_MOST_OWNERS = 100
_REFERENCE = "@odata.id"
BIND = "owners@odata.bind"
"""Names the owners of a new object by their addresses."""


def list_owners(call: GraphCall) -> GraphAnswer:
    """List the owners; in the emulator only service principals can be owners."""
    call.caller.may_read()
    _, view = seen_application(call)
    return answer_owners(call, f"applications/{view.id}/owners", view.properties.owners)


def add_owner(call: GraphCall) -> GraphAnswer:
    """Add an owner; the permission `…OwnedBy` is not enough for that."""
    call.caller.may_add_owners()
    record, _ = writable_application(call)
    owners = with_referenced(call, record.properties.owners)
    record.update(replace(record.properties, owners=owners), call.world.change(ChangeKind.UPDATE))
    return GraphAnswer(status=204)


def remove_owner(call: GraphCall) -> GraphAnswer:
    """Remove an owner; unlike adding one, this needs no more than any other change.

    https://learn.microsoft.com/graph/api/application-delete-owners (permissions)
    """
    record, _ = writable_application(call)
    owners = without_named(call, record.properties.owners)
    record.update(replace(record.properties, owners=owners), call.world.change(ChangeKind.UPDATE))
    return GraphAnswer(status=204)


def answer_owners(call: GraphCall, path: str, owners: Iterable[str]) -> GraphAnswer:
    """Return one page of the list of these owners; a path is its address below the root."""
    directory, tenant_id = call.world.directory, call.caller.tenant_id
    found = [directory.principal(tenant_id, owner) for owner in owners]
    shape: ListShape[ServicePrincipal] = ListShape(
        path=path,
        type_name="directoryObject",
        fields=PRINCIPAL_FIELDS,
        filters=frozenset({"id"}),
        render=lambda principal: _owner(call, principal),
        ordinal=lambda principal: principal.ordinal,
        annotations={"@odata.type": "#microsoft.graph.servicePrincipal"},
        context="directoryObjects",
        counts=True,
    )
    rows = [principal for principal in found if principal is not None]
    return answer_list(call, shape, sorted(rows, key=shape.ordinal))


def with_referenced(call: GraphCall, owners: tuple[str, ...]) -> tuple[str, ...]:
    """Return the owners with the one that the body refers to.

    Raises:
        GraphError: 400 for a bad reference or an owner already, 403 for too many, 404 for an
            unknown one.
    """
    known_only(call.body, frozenset(), "directoryObject")
    reference = call.body.get(_REFERENCE)
    if not isinstance(reference, str):
        raise bad_request("A value is required for property '@odata.id'.")
    owner = _principal_at(call, reference)
    if owner in owners:
        raise bad_request(
            "One or more added object references already exist for the following modified"
            " properties: 'owners'."
        )
    if len(owners) >= _MOST_OWNERS:
        raise _too_many()
    return (*owners, owner)


def without_named(call: GraphCall, owners: tuple[str, ...]) -> tuple[str, ...]:
    """Return the owners without the one in the path; raises a 404 if it is none."""
    owner = call.params["owner"].lower()
    if owner not in owners:
        raise not_found(owner)
    return tuple(one for one in owners if one != owner)


def first_owners(call: GraphCall) -> tuple[str, ...]:
    """Return the owners of a new object: those that the body names, else an `…OwnedBy` caller.

    Raises:
        GraphError: 400 for what is no list of different addresses, 404 for an unknown owner.
    """
    if BIND in call.body:
        return _bound_owners(call, call.body[BIND])
    return (call.caller.principal_id,) if call.caller.becomes_owner() else ()


def _bound_owners(call: GraphCall, references: Any) -> tuple[str, ...]:
    if not isinstance(references, list) or not all(isinstance(one, str) for one in references):
        raise bad_request("A collection of addresses is expected for 'owners@odata.bind'.")
    owners = tuple(_principal_at(call, one) for one in references)
    if len(set(owners)) != len(owners):
        raise bad_request("An address in 'owners@odata.bind' appears twice.")
    if len(owners) > _MOST_OWNERS:
        raise _too_many()
    return owners


def _too_many() -> GraphError:
    return GraphError(403, "Directory_QuotaExceeded", "The limit of 100 owners has been reached.")


def _principal_at(call: GraphCall, reference: str) -> str:
    owner = reference.rstrip("/").rsplit("/", 1)[-1].lower()
    if call.world.directory.principal(call.caller.tenant_id, owner) is None:
        raise not_found(owner)
    return owner


def _owner(call: GraphCall, principal: ServicePrincipal) -> dict[str, Any]:
    home = call.world.directory.application_of(principal.app_id)
    return render_principal(principal, home)


ROUTES: tuple[Route, ...] = (
    route("application.owners.list", "GET", f"{{app}}/owners{COUNT}", list_owners),
    route("application.owners.add", "POST", r"{app}/owners/\$ref", add_owner),
    route("application.owners.remove", "DELETE", r"{app}/owners/{owner}/\$ref", remove_owner),
)
