"""The authoritative directory: tenants, applications, service principals, and their indexes.

Ids are kept in lower case, and found without regard to case.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from entra_emulator.directory.application_record import ApplicationRecord
from entra_emulator.directory.entities import ServicePrincipal, Tenant
from entra_emulator.directory.replication import Change

_PURGED_KEPT = 10_000


class DuplicateError(ValueError):
    """An id, a domain or a place in the directory is taken already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """An application that is gone for good."""

    id: str
    tenant_id: str
    ordinal: int
    change: Change


class Directory:
    """All tenants of the emulated cloud; an appId is unique across tenants.

    Attributes:
        generation: names this directory, in tokens that count its changes.
        purged: the last applications that were removed, oldest first.
        forgotten: the number of the last change that was dropped from `purged`.
    """

    def __init__(self) -> None:
        self.generation = uuid.uuid4().hex
        self.purged: deque[Purged] = deque()
        self.forgotten = 0
        self._tenants: dict[str, Tenant] = {}
        self._tenant_names: dict[str, str] = {}
        self._applications: dict[str, dict[str, ApplicationRecord]] = {}
        self._by_app_id: dict[str, ApplicationRecord] = {}
        self._principals: dict[str, dict[str, ServicePrincipal]] = {}
        self._principals_by_app: dict[tuple[str, str], str] = {}
        self._ordinal = 0

    def next_ordinal(self) -> int:
        """Return the position of a new object in lists."""
        self._ordinal += 1
        return self._ordinal

    def add_tenant(self, tenant: Tenant) -> None:
        """Add a tenant.

        Raises:
            DuplicateError: the id or a domain is taken.
        """
        names = [tenant.id, *(domain.lower() for domain in tenant.domains)]
        if taken := next((name for name in names if name in self._tenant_names), None):
            raise DuplicateError(f"tenant {taken} exists already")
        self._tenants[tenant.id] = tenant
        self._tenant_names.update(dict.fromkeys(names, tenant.id))
        self._applications[tenant.id] = {}
        self._principals[tenant.id] = {}

    def remove_tenant(self, tenant_id: str) -> None:
        """Remove a tenant with everything in it."""
        for record in list(self._applications[tenant_id].values()):
            self._drop(record)
        for principal in list(self._principals[tenant_id].values()):
            self.remove_principal(principal)
        del self._tenants[tenant_id], self._applications[tenant_id], self._principals[tenant_id]
        self._tenant_names = {k: v for k, v in self._tenant_names.items() if v != tenant_id}

    def tenants(self) -> list[Tenant]:
        """Return all tenants."""
        return list(self._tenants.values())

    def tenant(self, name: str) -> Tenant | None:
        """Find a tenant by id or domain."""
        return self._tenants.get(self._tenant_names.get(name.lower(), ""))

    def add_application(self, record: ApplicationRecord) -> None:
        """Add an application.

        Raises:
            DuplicateError: the id or the appId is taken.
        """
        if record.app_id in self._by_app_id or self.application_anywhere(record.id):
            raise DuplicateError(f"application {record.app_id} ({record.id}) exists already")
        self._applications[record.tenant_id][record.id] = record
        self._by_app_id[record.app_id] = record

    def remove_application(self, record: ApplicationRecord, change: Change) -> None:
        """Remove an application permanently; its service principals stay, as in Entra."""
        self._drop(record)
        gone = Purged(
            id=record.id, tenant_id=record.tenant_id, ordinal=record.ordinal, change=change
        )
        self.purged.append(gone)
        if len(self.purged) > _PURGED_KEPT:
            self.forgotten = self.purged.popleft().change.sequence

    def _drop(self, record: ApplicationRecord) -> None:
        del self._applications[record.tenant_id][record.id]
        del self._by_app_id[record.app_id]

    def applications(self, tenant_id: str) -> Iterator[ApplicationRecord]:
        """Return the applications of a tenant in list order."""
        return iter(self._applications[tenant_id].values())

    def application(self, tenant_id: str, object_id: str) -> ApplicationRecord | None:
        """Find an application of a tenant by its object id."""
        return self._applications.get(tenant_id, {}).get(object_id.lower())

    def application_of(self, app_id: str) -> ApplicationRecord | None:
        """Find an application of any tenant by its appId."""
        return self._by_app_id.get(app_id.lower())

    def application_by_unique_name(self, tenant_id: str, name: str) -> ApplicationRecord | None:
        """Find an application of a tenant by its `uniqueName`, without deleted ones."""
        for record in self._applications.get(tenant_id, {}).values():
            properties = record.properties
            if properties.unique_name == name and properties.deleted is None:
                return record
        return None

    def resource_by_uri(self, tenant_id: str, uri: str) -> ApplicationRecord | None:
        """Find an application with that identifier URI and a service principal in the tenant."""
        installed = (self._by_app_id.get(one.app_id) for one in self.principals(tenant_id))
        return next(
            (one for one in installed if one and uri in one.properties.identifier_uris), None
        )

    def application_anywhere(self, name: str) -> ApplicationRecord | None:
        """Find an application by appId or object id, in any tenant."""
        if record := self._by_app_id.get(name):
            return record
        return next((rows[name] for rows in self._applications.values() if name in rows), None)

    def put_principal(self, principal: ServicePrincipal) -> None:
        """Add a service principal or replace the one with the same id.

        Raises:
            DuplicateError: the application has another service principal in this tenant.
        """
        key = (principal.tenant_id, principal.app_id)
        if self._principals_by_app.setdefault(key, principal.id) != principal.id:
            raise DuplicateError(f"application {principal.app_id} has a service principal already")
        self._principals[principal.tenant_id][principal.id] = principal

    def update_principal(self, principal: ServicePrincipal, **changes: object) -> ServicePrincipal:
        """Replace fields of a service principal."""
        updated = replace(principal, **changes)  # type: ignore[arg-type]
        self.put_principal(updated)
        return updated

    def remove_principal(self, principal: ServicePrincipal) -> None:
        """Remove a service principal."""
        del self._principals[principal.tenant_id][principal.id]
        del self._principals_by_app[principal.tenant_id, principal.app_id]

    def principals(self, tenant_id: str) -> Iterator[ServicePrincipal]:
        """Return the service principals of a tenant in list order."""
        return iter(self._principals[tenant_id].values())

    def principal(self, tenant_id: str, object_id: str) -> ServicePrincipal | None:
        """Find a service principal of a tenant by its object id."""
        return self._principals.get(tenant_id, {}).get(object_id.lower())

    def principal_of(self, tenant_id: str, app_id: str) -> ServicePrincipal | None:
        """Find the service principal of an application in a tenant."""
        object_id = self._principals_by_app.get((tenant_id, app_id.lower()))
        return self._principals[tenant_id][object_id] if object_id else None
