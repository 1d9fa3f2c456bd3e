"""Graph operations on the federated identity credentials of an application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import ApplicationView, FederatedCredential
from entra_emulator.directory.replication import ChangeKind
from entra_emulator.errors.graph import not_found
from entra_emulator.graph.call import (
    GraphAnswer,
    GraphCall,
    Route,
    route,
    seen_application,
    writable_application,
)
from entra_emulator.graph.lists import ListShape, answer_list
from entra_emulator.graph.odata_query import check_options, context_suffix, pick, selected
from entra_emulator.graph.render import render_federated
from entra_emulator.graph.upsert import UPSERT, named_in_path
from entra_emulator.policies.checks import check_issuer
from entra_emulator.rules.federated import (
    FIELDS,
    changed_credential,
    created_credential,
    same_name,
)

_TYPE = "federatedIdentityCredential"
_FILTERS = frozenset({"name", "subject"})


def list_credentials(call: GraphCall) -> GraphAnswer:
    """List the credentials of an application."""
    call.caller.may_read()
    _, view = seen_application(call)
    shape: ListShape[FederatedCredential] = ListShape(
        path=f"applications/{view.id}/federatedIdentityCredentials",
        type_name=_TYPE,
        fields=FIELDS,
        filters=_FILTERS,
        render=render_federated,
        ordinal=lambda credential: credential.ordinal,
        annotations={},
        context=_context(view),
    )
    return answer_list(call, shape, view.federated)


def get_credential(call: GraphCall) -> GraphAnswer:
    """Read one credential by id or name."""
    call.caller.may_read()
    check_options(call.query, {"$select"})
    names = selected(call.query, FIELDS, _TYPE)
    _, view = seen_application(call)
    found = _named(view.federated, call.params)
    if found is None:
        raise _missing(call)
    context = call.context(f"{_context(view)}{context_suffix(names)}/$entity")
    row = pick(render_federated(found), names)
    return GraphAnswer(status=200, body={"@odata.context": context, **row})


def create_credential(call: GraphCall) -> GraphAnswer:
    """Add a credential."""
    record, _ = writable_application(call)
    return _created(call, record, call.body)


def update_credential(call: GraphCall) -> GraphAnswer:
    """Change a credential; by name and with `Prefer: create-if-missing`, create it if needed."""
    record, view = writable_application(call)
    existing = record.truth().federated
    current = _named(existing, call.params)
    name = call.params.get("federated_name")
    upsert = name is not None and UPSERT in call.preferences
    if current is None and upsert and name is not None:
        return _created(call, record, named_in_path(call.body, "name", name))
    known = upsert or _named(view.federated, call.params) is not None
    if current is None or not known:
        raise _missing(call)
    changed = changed_credential(current, call.body, existing)
    if changed.issuer != current.issuer:
        check_issuer(call.world.policies, record, changed.issuer)
    if changed != current:
        record.put_federated(changed, call.world.change(ChangeKind.UPDATE_FEDERATED))
    return GraphAnswer(status=204)


def delete_credential(call: GraphCall) -> GraphAnswer:
    """Remove a credential that the chosen replica shows."""
    record, view = writable_application(call)
    found = _named(view.federated, call.params)
    change = call.world.change(ChangeKind.REMOVE_FEDERATED)
    if found is None or not record.remove_federated(found.id, change):
        raise _missing(call)
    return GraphAnswer(status=204)


def _created(call: GraphCall, record: ApplicationRecord, body: Mapping[str, Any]) -> GraphAnswer:
    view = record.truth()
    ordinal = call.world.directory.next_ordinal()
    made = created_credential(body, view.federated, ordinal)
    check_issuer(call.world.policies, record, made.issuer)
    record.put_federated(made, call.world.change(ChangeKind.ADD_FEDERATED))
    place = (
        f"{call.origin}/v2/{record.tenant_id}/directoryObjects/$/"
        f"Microsoft.DirectoryServices.Application('{record.id}')/"
        f"federatedIdentityCredentials('{made.id}')"
    )
    answer = {
        "@odata.context": call.context(f"{_context(view)}/$entity"),
        "@odata.id": place,
        **render_federated(made),
    }
    return GraphAnswer(status=201, body=answer, headers={"Location": place})


def _named(
    credentials: Sequence[FederatedCredential], params: Mapping[str, str]
) -> FederatedCredential | None:
    """Return the credential in a path: `/{id or name}` or `(name='{name}')`."""
    name = params.get("federated_name") or params.get("federated") or ""
    by_id = params.get("federated", "").lower()
    return next((one for one in credentials if one.id == by_id or same_name(one, name)), None)


def _missing(call: GraphCall) -> Exception:
    return not_found(call.params.get("federated") or call.params.get("federated_name") or "")


def _context(view: ApplicationView) -> str:
    return f"applications('{view.id}')/federatedIdentityCredentials"


_LIST = "{app}/federatedIdentityCredentials"
_ONE = (
    "{app}/federatedIdentityCredentials"
    r"(?:/(?P<federated>[^/()]+)|\(name='(?P<federated_name>[^']*)'\))"
)
_NAME = "application.federatedIdentityCredentials"
ROUTES: tuple[Route, ...] = (
    route(f"{_NAME}.list", "GET", _LIST, list_credentials),
    route(f"{_NAME}.create", "POST", _LIST, create_credential),
    route(f"{_NAME}.get", "GET", _ONE, get_credential),
    route(f"{_NAME}.update", "PATCH", _ONE, update_credential),
    route(f"{_NAME}.delete", "DELETE", _ONE, delete_credential),
)
