"""Graph operations on soft-deleted applications."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import ApplicationView
from entra_emulator.directory.replication import ChangeKind, ReadKind, Sees
from entra_emulator.errors.graph import not_found
from entra_emulator.graph.applications import application_shape
from entra_emulator.graph.call import COUNT, GraphAnswer, GraphCall, Route, route
from entra_emulator.graph.lists import answer_list
from entra_emulator.graph.odata_query import check_options, context_suffix, pick, selected
from entra_emulator.graph.render import APPLICATION_FIELDS, render_application
from entra_emulator.values.instants import datetime_of

_KEPT = timedelta(days=30)
_LIST = "directory/deletedItems/microsoft.graph.application"
_CAST = "(?:microsoft\\.)?graph\\.application"


def list_deleted(call: GraphCall) -> GraphAnswer:
    """List the applications that can still be restored."""
    call.caller.may_read()
    return answer_list(call, application_shape(_LIST), _deleted(call))


def get_deleted(call: GraphCall) -> GraphAnswer:
    """Read one deleted application."""
    call.caller.may_read()
    check_options(call.query, {"$select"})
    names = selected(call.query, APPLICATION_FIELDS, "application")
    _, view = _seen(call)
    return _entity(call, view, names)


def restore_deleted(call: GraphCall) -> GraphAnswer:
    """Restore an application with all its credentials."""
    record, _ = _seen(call)
    call.caller.may_write(record.properties)
    restored = replace(record.properties, deleted=None)
    record.update(restored, call.world.change(ChangeKind.CREATE))
    return _entity(call, record.truth(), None)


def purge_deleted(call: GraphCall) -> GraphAnswer:
    """Delete an application permanently."""
    record, _ = _seen(call)
    call.caller.may_write(record.properties)
    call.world.directory.remove_application(record, call.world.change(ChangeKind.REMOVE))
    return GraphAnswer(status=204)


def _seen(call: GraphCall) -> tuple[ApplicationRecord, ApplicationView]:
    """Return a deleted application that the chosen replica shows as deleted."""
    name = call.params["id"]
    record = call.world.directory.application(call.caller.tenant_id, name)
    sees = call.world.replicas.reader(ReadKind.APPLICATION, call.now)
    view = _deleted_view(call, record, sees) if record else None
    if record is None or view is None:
        raise not_found(name)
    return record, view


def _deleted(call: GraphCall) -> Iterator[ApplicationView]:
    sees = call.world.replicas.reader(ReadKind.LIST, call.now)
    for record in call.world.directory.applications(call.caller.tenant_id):
        view = _deleted_view(call, record, sees)
        if view is not None:
            yield view


def _deleted_view(call: GraphCall, record: ApplicationRecord, sees: Sees) -> ApplicationView | None:
    """Return what a replica shows of a deletion; None if it was undone or is too old."""
    view = record.view(sees, call.now)
    if view is None or view.properties.deleted is None or record.properties.deleted is None:
        return None
    return view if call.now < datetime_of(view.properties.deleted) + _KEPT else None


def _entity(call: GraphCall, view: ApplicationView, names: tuple[str, ...] | None) -> GraphAnswer:
    body = {
        "@odata.context": call.context(f"directoryObjects{context_suffix(names)}/$entity"),
        "@odata.type": "#microsoft.graph.application",
        **pick(render_application(view), names),
    }
    return GraphAnswer(status=200, body=body)


ROUTES: tuple[Route, ...] = (
    route("deletedApplication.list", "GET", f"directory/deletedItems/{_CAST}{COUNT}", list_deleted),
    route("deletedApplication.get", "GET", "directory/deletedItems/{id}", get_deleted),
    route("deletedApplication.purge", "DELETE", "directory/deletedItems/{id}", purge_deleted),
    route(
        "deletedApplication.restore", "POST", "directory/deletedItems/{id}/restore", restore_deleted
    ),
)
