"""Graph operations on soft-deleted applications."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from entra_emulator.application_record import ApplicationRecord
from entra_emulator.entities import ApplicationView
from entra_emulator.graph_applications import application_shape
from entra_emulator.graph_call import GraphAnswer, GraphCall, Route, route
from entra_emulator.graph_errors import not_found
from entra_emulator.graph_lists import answer_list
from entra_emulator.graph_render import render_application
from entra_emulator.graph_time import datetime_of
from entra_emulator.replication import ChangeKind

_KEPT = timedelta(days=30)
_LIST = "directory/deletedItems/microsoft.graph.application"
_CAST = "(?:microsoft\\.)?graph\\.application"


def list_deleted(call: GraphCall) -> GraphAnswer:
    """List what can still be restored."""
    call.caller.may_read()
    return answer_list(call, application_shape(_LIST), _deleted(call))


def get_deleted(call: GraphCall) -> GraphAnswer:
    """Read one deleted application."""
    call.caller.may_read()
    view = _record(call).truth()
    context = call.context("directoryObjects/$entity")
    kind = "#microsoft.graph.application"
    body = {"@odata.context": context, "@odata.type": kind, **render_application(view)}
    return GraphAnswer(status=200, body=body)


def restore_deleted(call: GraphCall) -> GraphAnswer:
    """Bring an application back with everything it had."""
    record = _record(call)
    call.caller.may_write(record.properties)
    restored = replace(record.properties, deleted=None)
    record.update(restored, call.world.change(ChangeKind.CREATE))
    context = call.context("directoryObjects/$entity")
    kind = "#microsoft.graph.application"
    body = {"@odata.context": context, "@odata.type": kind, **render_application(record.truth())}
    return GraphAnswer(status=200, body=body)


def purge_deleted(call: GraphCall) -> GraphAnswer:
    """Delete an application for good."""
    record = _record(call)
    call.caller.may_write(record.properties)
    call.world.directory.remove_application(record)
    return GraphAnswer(status=204)


def _record(call: GraphCall) -> ApplicationRecord:
    record = call.world.directory.application(call.caller.tenant_id, call.params["id"])
    if record is None or not _restorable(call, record):
        raise not_found(call.params["id"])
    return record


def _deleted(call: GraphCall) -> Iterator[ApplicationView]:
    records = call.world.directory.applications(call.caller.tenant_id)
    return (record.truth() for record in records if _restorable(call, record))


def _restorable(call: GraphCall, record: ApplicationRecord) -> bool:
    deleted = record.properties.deleted
    return deleted is not None and call.now < datetime_of(deleted) + _KEPT


ROUTES: tuple[Route, ...] = (
    route("deletedApplication.list", "GET", f"directory/deletedItems/{_CAST}", list_deleted),
    route("deletedApplication.get", "GET", "directory/deletedItems/{id}", get_deleted),
    route("deletedApplication.purge", "DELETE", "directory/deletedItems/{id}", purge_deleted),
    route(
        "deletedApplication.restore", "POST", "directory/deletedItems/{id}/restore", restore_deleted
    ),
)
