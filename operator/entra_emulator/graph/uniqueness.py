"""Values that two applications of a tenant cannot both have."""

from __future__ import annotations

from entra_emulator.directory.entities import ApplicationProperties
from entra_emulator.errors.graph import GraphError
from entra_emulator.graph.call import GraphCall


def check_unique(call: GraphCall, properties: ApplicationProperties, own_id: str = "") -> None:
    """Refuse identifier URIs and a unique name that another application has.

    Args:
        call: the request; its tenant is searched without replica lag.
        properties: what the application is to become.
        own_id: the object id of the application, if it exists.

    Raises:
        GraphError: 400.
    """
    uris = {uri.lower() for uri in properties.identifier_uris}
    name = properties.unique_name
    if not uris and name is None:
        return
    for record in call.world.directory.applications(call.caller.tenant_id):
        other = record.properties
        if record.id == own_id or other.deleted is not None:
            continue
        if uris & {uri.lower() for uri in other.identifier_uris}:
            raise _taken("identifierUris")
        if name is not None and other.unique_name == name:
            raise _taken("uniqueName")


def _taken(name: str) -> GraphError:
    message = f"Another object with the same value for property {name} already exists."
    detail = {"code": "ObjectConflict", "message": message, "target": name}
    return GraphError(400, "Request_BadRequest", message, details=[detail])
