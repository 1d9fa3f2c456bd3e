"""What the operator signs in with: read from where it stands, and renewed there."""

from __future__ import annotations

from dataclasses import dataclass

from appcredential.domain.conditions import Problem
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.own.renewal import NO_RENEWAL, OwnRenewal
from appcredential.domain.spec.model import CertificateIdentity, EntraTenantSpec, TenantIdentity
from appcredential.ports.events import EventSubject
from appcredential.tenants.operator_credential import OperatorCredentials
from appcredential.tenants.own_rotation import OwnRotation
from appcredential.tenants.probing import OpenTenant


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """The operator's own credentials, of all EntraTenants."""

    credentials: OperatorCredentials
    rotation: OwnRotation

    async def read(self, name: str, spec: EntraTenantSpec) -> OperatorCredential | Problem:
        """Return what the operator signs in with; see `OperatorCredentials.read`."""
        return await self.credentials.read(name, spec)

    async def renew(
        self, subject: EventSubject, identity: TenantIdentity | None, tenant: OpenTenant | None
    ) -> OwnRenewal:
        """Take the steps that are due to renew it, where that is the operator's part."""
        if not isinstance(identity, CertificateIdentity):
            return NO_RENEWAL
        return await self.rotation.turn(subject, identity, tenant)

    def forget(self, name: str) -> None:
        """Drop what is held of an EntraTenant that is gone."""
        self.credentials.forget(name)
        self.rotation.forget(name)
