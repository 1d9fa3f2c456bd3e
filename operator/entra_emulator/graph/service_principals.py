"""Graph operations on service principals."""

from __future__ import annotations

import uuid
from typing import Any

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import Audience, ServicePrincipal
from entra_emulator.directory.replication import ChangeKind, ReadKind
from entra_emulator.errors.graph import GraphError, bad_request, not_found
from entra_emulator.graph.applications import application_shape, seen_in_list
from entra_emulator.graph.call import COUNT, GraphAnswer, GraphCall, Route, created, route
from entra_emulator.graph.lists import ListShape, answer_list
from entra_emulator.graph.odata_query import check_options, context_suffix, pick, selected
from entra_emulator.graph.owners import BIND, first_owners
from entra_emulator.graph.render import PRINCIPAL_FIELDS, render_principal
from entra_emulator.rules.principals import principal_changes

_FILTERS = frozenset({"id", "appId", "displayName", "servicePrincipalType", "accountEnabled"})
_CAST = "(?P<cast>/(?:microsoft\\.)?graph\\.application)?"
_OWNED = f"{{sp}}/ownedObjects{_CAST}"
_APPLICATION_KIND = {"@odata.type": "#microsoft.graph.application"}


def list_principals(call: GraphCall) -> GraphAnswer:
    """List the service principals of the tenant."""
    call.caller.may_read()
    sees = call.world.replicas.reader(ReadKind.LIST, call.now)
    rows = call.world.directory.principals(call.caller.tenant_id)
    shape: ListShape[ServicePrincipal] = ListShape(
        path="servicePrincipals",
        type_name="servicePrincipal",
        fields=PRINCIPAL_FIELDS,
        filters=_FILTERS,
        render=lambda principal: _render(call, principal),
        ordinal=lambda principal: principal.ordinal,
        annotations={},
        collections=frozenset({"servicePrincipalNames"}),
        counts=True,
    )
    return answer_list(
        call, shape, (row for row in rows if _stands(call, row) and sees(row.created))
    )


def get_principal(call: GraphCall) -> GraphAnswer:
    """Read one service principal."""
    call.caller.may_read()
    check_options(call.query, {"$select"})
    names = selected(call.query, PRINCIPAL_FIELDS, "servicePrincipal")
    return _entity(call, seen_principal(call), 200, names)


def create_principal(call: GraphCall) -> GraphAnswer:
    """Install an application in the tenant; `…OwnedBy` callers may install what they own."""
    call.caller.may_create()
    wanted = {k: v for k, v in call.body.items() if k not in {"appId", "displayName", BIND}}
    changes = principal_changes(wanted, {}, {})
    record = _backing_application(call)
    call.caller.may_write(record.properties)
    directory, tenant_id = call.world.directory, call.caller.tenant_id
    if directory.principal_of(tenant_id, record.app_id) is not None:
        raise GraphError(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            f"The service principal cannot be created, updated, or restored because the service"
            f" principal name {record.app_id} is already in use.",
        )
    principal = ServicePrincipal(
        id=str(uuid.uuid4()),
        app_id=record.app_id,
        tenant_id=tenant_id,
        ordinal=directory.next_ordinal(),
        display_name=record.properties.display_name,
        created=call.world.change(ChangeKind.CREATE),
        created_time=call.world.clock.stamp(),
        owners=first_owners(call),
        **changes,
    )
    directory.put_principal(principal)
    return created(call, _entity(call, principal, 201, None).body or {}, "ServicePrincipal")


def update_principal(call: GraphCall) -> GraphAnswer:
    """Change the named properties; an `…OwnedBy` caller must own the service principal."""
    principal = writable_principal(call)
    changes = principal_changes(call.body, principal.stored, _render(call, principal))
    call.world.directory.update_principal(principal, **changes)
    return GraphAnswer(status=204)


def delete_principal(call: GraphCall) -> GraphAnswer:
    """Delete a service principal; its application stays."""
    call.world.directory.remove_principal(writable_principal(call))
    return GraphAnswer(status=204)


def seen_principal(call: GraphCall) -> ServicePrincipal:
    """Return the service principal of a call.

    Raises:
        GraphError: 404 if it does not exist, or has not reached the replica.
    """
    directory, tenant_id = call.world.directory, call.caller.tenant_id
    if app_id := call.params.get("app_id"):
        principal = directory.principal_of(tenant_id, app_id)
    else:
        principal = directory.principal(tenant_id, call.params.get("id") or "")
    sees = call.world.replicas.reader(ReadKind.APPLICATION, call.now)
    if principal is None or not _stands(call, principal) or not sees(principal.created):
        raise not_found(call.params.get("id") or call.params.get("app_id") or "")
    return principal


def writable_principal(call: GraphCall) -> ServicePrincipal:
    """Check that the caller may write; return the service principal.

    Raises:
        GraphError: 403, or 404 as in `seen_principal`.
    """
    call.caller.may_create()
    principal = seen_principal(call)
    call.caller.may_write(principal)
    return principal


def list_owned(call: GraphCall) -> GraphAnswer:
    """List the applications that a service principal owns."""
    call.caller.may_read()
    principal = seen_principal(call)
    records = call.world.directory.applications(call.caller.tenant_id)
    owned = (view for view in seen_in_list(call, records) if principal.id in view.properties.owners)
    cast = "/microsoft.graph.application" if call.params.get("cast") else ""
    path = f"servicePrincipals/{principal.id}/ownedObjects{cast}"
    return answer_list(call, application_shape(path, _APPLICATION_KIND), owned)


def _backing_application(call: GraphCall) -> ApplicationRecord:
    app_id = call.body.get("appId")
    if not isinstance(app_id, str):
        raise bad_request(
            "A value is required for property 'appId' of resource 'ServicePrincipal'."
        )
    record = call.world.directory.application_of(app_id)
    sees = call.world.replicas.reader(ReadKind.APPLICATION, call.now)
    view = record.view(sees, call.now) if record else None
    foreign = record is not None and record.tenant_id != call.caller.tenant_id
    if (
        record is None
        or view is None
        or view.properties.deleted is not None
        or (foreign and view.properties.sign_in_audience is Audience.MY_ORG)
    ):
        message = (
            f"The appId '{app_id}' of the service principal does not reference a valid"
            " application object."
        )
        detail = {"code": "NoBackingApplicationObject", "message": message, "target": "appId"}
        raise GraphError(400, "Request_BadRequest", message, details=[detail])
    return record


def _stands(call: GraphCall, principal: ServicePrincipal) -> bool:
    """Return whether a service principal exists; in its own tenant it dies with its application."""
    home = call.world.directory.application_of(principal.app_id)
    return home is None or home.tenant_id != principal.tenant_id or home.properties.deleted is None


def _render(call: GraphCall, principal: ServicePrincipal) -> dict[str, Any]:
    home = call.world.directory.application_of(principal.app_id)
    return render_principal(principal, home)


def _entity(
    call: GraphCall, principal: ServicePrincipal, status: int, names: tuple[str, ...] | None
) -> GraphAnswer:
    context = call.context(f"servicePrincipals{context_suffix(names)}/$entity")
    body = {"@odata.context": context, **pick(_render(call, principal), names)}
    return GraphAnswer(status=status, body=body)


ROUTES: tuple[Route, ...] = (
    route("servicePrincipal.list", "GET", f"servicePrincipals{COUNT}", list_principals),
    route("servicePrincipal.create", "POST", "servicePrincipals", create_principal),
    route("servicePrincipal.get", "GET", "{sp}", get_principal),
    route("servicePrincipal.update", "PATCH", "{sp}", update_principal),
    route("servicePrincipal.delete", "DELETE", "{sp}", delete_principal),
    route("servicePrincipal.ownedObjects.list", "GET", f"{_OWNED}{COUNT}", list_owned),
)
