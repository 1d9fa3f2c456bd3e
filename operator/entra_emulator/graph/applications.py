"""Graph operations on applications: list, create, read, update, delete."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import ApplicationView
from entra_emulator.directory.replication import ChangeKind, ReadKind
from entra_emulator.graph.call import (
    COUNT,
    GraphAnswer,
    GraphCall,
    Route,
    addressed_record,
    created,
    route,
    seen_application,
    writable_application,
)
from entra_emulator.graph.identifier_uris import check_domains
from entra_emulator.graph.lists import ListShape, answer_list
from entra_emulator.graph.odata_filter import wanted_values
from entra_emulator.graph.odata_query import check_options, context_suffix, pick, selected
from entra_emulator.graph.owners import BIND, first_owners
from entra_emulator.graph.passwords import generate_password
from entra_emulator.graph.render import APPLICATION_FIELDS, render_application
from entra_emulator.graph.uniqueness import check_unique
from entra_emulator.graph.upsert import UPSERT, named_in_path
from entra_emulator.policies.checks import check_certificates, check_symmetric_keys
from entra_emulator.rules.applications import changed_properties, created_properties
from entra_emulator.rules.key_list import Replacement, replaced_keys
from entra_emulator.rules.passwords import initial_passwords
from entra_emulator.values.instants import render_exact

_KEYS, _PASSWORDS = "keyCredentials", "passwordCredentials"
_SET_APART = frozenset({_KEYS, _PASSWORDS, BIND})
_FILTERS = frozenset({"appId", "displayName", "id", "uniqueName", "signInAudience"})
_COLLECTIONS = frozenset({"identifierUris", "tags"})


def application_shape(
    path: str, annotations: dict[str, str] | None = None
) -> ListShape[ApplicationView]:
    """Return the shape of a list of applications."""
    return ListShape(
        path=path,
        type_name="application",
        fields=APPLICATION_FIELDS,
        filters=_FILTERS,
        render=render_application,
        ordinal=lambda view: view.ordinal,
        annotations=annotations or {},
        collections=_COLLECTIONS,
        counts=True,
    )


def seen_in_list(
    call: GraphCall, records: Iterator[ApplicationRecord]
) -> Iterator[ApplicationView]:
    """Return the applications as one replica shows them in a list, without deleted ones."""
    sees = call.world.replicas.reader(ReadKind.LIST, call.now)
    for record in records:
        view = record.view(sees, call.now)
        if view is not None and view.properties.deleted is None:
            yield view


def list_applications(call: GraphCall) -> GraphAnswer:
    """List the applications of the tenant."""
    call.caller.may_read()
    return answer_list(
        call, application_shape("applications"), seen_in_list(call, _candidates(call))
    )


def create_application(call: GraphCall) -> GraphAnswer:
    """Create an application; an `…OwnedBy` caller owns it unless the body names owners."""
    call.caller.may_create()
    return _created(call, call.body)


def _created(call: GraphCall, named: Mapping[str, Any]) -> GraphAnswer:
    body = {name: value for name, value in named.items() if name not in _SET_APART}
    properties = created_properties(body, first_owners(call))
    check_domains(call, properties)
    check_unique(call, properties)
    passwords = initial_passwords(call.body.get(_PASSWORDS, []))
    directory = call.world.directory
    record = ApplicationRecord(
        id=str(uuid.uuid4()),
        app_id=str(uuid.uuid4()),
        tenant_id=call.caller.tenant_id,
        ordinal=directory.next_ordinal(),
        created=call.world.clock.stamp(),
        properties=properties,
        change=call.world.change(ChangeKind.CREATE),
    )
    keys = _replaced_keys(call, record)
    made = [generate_password(call, record, one) for one in passwords]
    directory.add_application(record)
    if keys is not None:
        _replace_keys(call, record, keys)
    answer = _entity(call, record.truth(), 200, None)
    # Only this answer has the fraction of the second (azure-cli, recordings of `az ad app`).
    exact = {
        **(answer.body or {}),
        "createdDateTime": render_exact(record.created),
        _PASSWORDS: made,
    }
    return created(call, exact, "Application")


def get_application(call: GraphCall) -> GraphAnswer:
    """Read one application as a replica shows it."""
    call.caller.may_read()
    check_options(call.query, {"$select"})
    names = selected(call.query, APPLICATION_FIELDS, "application")
    _, view = seen_application(call)
    return _entity(call, view, 200, names)


def update_application(call: GraphCall) -> GraphAnswer:
    """Change the named properties; by unique name and with `Prefer`, create what is missing.

    Graph, "Upsert application".
    """
    unique_name = call.params.get("unique_name")
    if unique_name is not None and UPSERT in call.preferences:
        call.caller.may_create()
        if addressed_record(call.world, call.caller.tenant_id, call.params) is None:
            return _created(call, named_in_path(call.body, "uniqueName", unique_name))
    record, _ = writable_application(call)
    body = {name: value for name, value in call.body.items() if name != _KEYS}
    shown = render_application(record.truth())
    properties = changed_properties(record.properties, body, shown)
    check_domains(call, properties, record.properties.identifier_uris)
    check_unique(call, properties, record.id)
    replaced = _replaced_keys(call, record)
    if properties != record.properties:
        record.update(properties, call.world.change(ChangeKind.UPDATE))
    if replaced is not None:
        _replace_keys(call, record, replaced)
    return GraphAnswer(status=204)


def _replaced_keys(call: GraphCall, record: ApplicationRecord) -> Replacement | None:
    """Return the new certificate list of a request; None if the request does not name it."""
    if _KEYS not in call.body:
        return None
    world, body = call.world, call.body[_KEYS]
    check_symmetric_keys(world.policies, record, body, world.clock)
    replaced = replaced_keys(
        record.truth(), body, world.clock, lambda: world.change(ChangeKind.ADD_KEY)
    )
    check_certificates(world.policies, record, replaced.added)
    return replaced


def _replace_keys(call: GraphCall, record: ApplicationRecord, wanted: Replacement) -> None:
    gone = [key.key_id for key in record.truth().keys if key.key_id not in wanted.kept]
    for key_id in gone:
        record.remove_key(key_id, call.world.change(ChangeKind.REMOVE_KEY))
    for key in wanted.added:
        record.add_key(key)


def delete_application(call: GraphCall) -> GraphAnswer:
    """Move an application to the deleted items; its service principal disappears with it."""
    record, _ = writable_application(call)
    deleted = replace(record.properties, deleted=call.world.clock.stamp())
    record.update(deleted, call.world.change(ChangeKind.REMOVE))
    return GraphAnswer(status=204)


def _candidates(call: GraphCall) -> Iterator[ApplicationRecord]:
    """Return the records that a list must examine: only those whose appIds the filter names."""
    directory, tenant_id = call.world.directory, call.caller.tenant_id
    app_ids = wanted_values(call.query.get("$filter", ""), "appId")
    if app_ids is None:
        return directory.applications(tenant_id)
    named = (directory.application_of(app_id) for app_id in {one.lower() for one in app_ids})
    found = [one for one in named if one is not None and one.tenant_id == tenant_id]
    return iter(sorted(found, key=lambda record: record.ordinal))


def _entity(
    call: GraphCall, view: ApplicationView, status: int, names: tuple[str, ...] | None
) -> GraphAnswer:
    context = call.context(f"applications{context_suffix(names)}/$entity")
    row = render_application(view, with_keys=names is not None and _KEYS in names)
    return GraphAnswer(status=status, body={"@odata.context": context, **pick(row, names)})


ROUTES: tuple[Route, ...] = (
    route("application.list", "GET", f"applications{COUNT}", list_applications),
    route("application.create", "POST", "applications", create_application),
    route("application.get", "GET", "{app}", get_application),
    route("application.update", "PATCH", "{app}", update_application),
    route("application.delete", "DELETE", "{app}", delete_application),
)
