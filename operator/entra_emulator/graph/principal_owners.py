"""Graph operations on the owners of a service principal."""

from __future__ import annotations

from entra_emulator.graph.call import COUNT, GraphAnswer, GraphCall, Route, route
from entra_emulator.graph.owners import answer_owners, with_referenced, without_named
from entra_emulator.graph.service_principals import seen_principal, writable_principal


def list_owners(call: GraphCall) -> GraphAnswer:
    """List the owners; in the emulator only service principals can be owners."""
    call.caller.may_read()
    principal = seen_principal(call)
    return answer_owners(call, f"servicePrincipals/{principal.id}/owners", principal.owners)


def add_owner(call: GraphCall) -> GraphAnswer:
    """Add an owner; unlike at an application, `…OwnedBy` and Directory.Read.All are enough.

    https://learn.microsoft.com/graph/api/serviceprincipal-post-owners (permissions)
    """
    call.caller.may_add_principal_owners()
    principal = writable_principal(call)
    owners = with_referenced(call, principal.owners)
    call.world.directory.update_principal(principal, owners=owners)
    return GraphAnswer(status=204)


def remove_owner(call: GraphCall) -> GraphAnswer:
    """Remove an owner, which needs no more than any other change.

    https://learn.microsoft.com/graph/api/serviceprincipal-delete-owners (permissions)
    """
    principal = writable_principal(call)
    owners = without_named(call, principal.owners)
    call.world.directory.update_principal(principal, owners=owners)
    return GraphAnswer(status=204)


ROUTES: tuple[Route, ...] = (
    route("servicePrincipal.owners.list", "GET", f"{{sp}}/owners{COUNT}", list_owners),
    route("servicePrincipal.owners.add", "POST", r"{sp}/owners/\$ref", add_owner),
    route("servicePrincipal.owners.remove", "DELETE", r"{sp}/owners/{owner}/\$ref", remove_owner),
)
