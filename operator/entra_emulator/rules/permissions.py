"""The permissions of a caller: the roles of its token, and ownership for `…OwnedBy`."""

from __future__ import annotations

from dataclasses import dataclass

from entra_emulator.directory.entities import ApplicationProperties, Permission, ServicePrincipal
from entra_emulator.errors.graph import denied

_READERS = frozenset({Permission.READ_ALL, Permission.READ_WRITE_ALL, Permission.READ_WRITE_OWNED})
_WRITERS = frozenset({Permission.READ_WRITE_ALL, Permission.READ_WRITE_OWNED})

_POLICY_READERS = frozenset(
    {
        Permission.POLICY_READ_ALL,
        Permission.POLICY_READ_APPLICATIONS,
        Permission.POLICY_WRITE_APPLICATIONS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The caller according to its token; the roles are those when the token was issued."""

    tenant_id: str
    app_id: str
    principal_id: str
    roles: frozenset[str]

    def may_read(self) -> None:
        """Refuse a caller that may not read applications; `…OwnedBy` may read all of them."""
        if not self.roles & _READERS:
            raise denied()

    def may_create(self) -> None:
        """Refuse a caller that may not create applications."""
        if not self.roles & _WRITERS:
            raise denied()

    def may_write(self, properties: ApplicationProperties | ServicePrincipal) -> None:
        """Refuse a caller that may not change this application or service principal."""
        if Permission.READ_WRITE_ALL in self.roles:
            return
        owned = self.principal_id in properties.owners
        if Permission.READ_WRITE_OWNED not in self.roles or not owned:
            raise denied()

    def may_add_owners(self) -> None:
        """Refuse a caller that may not add owners of applications; `…OwnedBy` is not enough."""
        if not {Permission.READ_WRITE_ALL, Permission.DIRECTORY_READ_ALL} <= self.roles:
            raise denied()

    def may_add_principal_owners(self) -> None:
        """Refuse a caller that may not add owners of any service principal."""
        if not self.roles & _WRITERS or Permission.DIRECTORY_READ_ALL not in self.roles:
            raise denied()

    def may_read_policies(self) -> None:
        """Refuse a caller that may not read policies; permissions for applications do not count."""
        if not self.roles & _POLICY_READERS:
            raise denied()

    def may_read_reports(self) -> None:
        """Refuse a caller that may not read reports of sign-ins."""
        if Permission.AUDIT_LOG_READ_ALL not in self.roles:
            raise denied()

    def becomes_owner(self) -> bool:
        """Return whether the caller becomes an owner of the applications that it creates."""
        return Permission.READ_WRITE_OWNED in self.roles
