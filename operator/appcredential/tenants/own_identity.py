"""What the operator signs in with: read from where it stands, and renewed there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.own.renewal import NO_RENEWAL, OwnRenewal
from appcredential.domain.spec.model import (
    CertificateIdentity,
    ClientSecretIdentity,
    EntraTenantSpec,
    ManagedIdentity,
    TenantIdentity,
    WorkloadIdentity,
)
from appcredential.domain.status.cluster_kinds import ProbeOutcome
from appcredential.ports.events import EventSubject
from appcredential.tenants.operator_credential import OperatorCredentials
from appcredential.tenants.own_rotation import OwnRotation
from appcredential.tenants.own_secret_rotation import OwnSecretRotation
from appcredential.tenants.probing import OpenTenant

Use: TypeAlias = Callable[
    [str, EntraTenantSpec, OperatorCredential | Problem], Awaitable[ProbeOutcome | None]
]
"""Signs in to an EntraTenant with a credential, as `TenantSessions.use` does."""


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """The operator's own credentials, of all EntraTenants."""

    credentials: OperatorCredentials
    rotation: OwnRotation
    secret_rotation: OwnSecretRotation

    async def sign_in(self, name: str, spec: EntraTenantSpec, use: Use) -> ProbeOutcome | None:
        """Sign in with the credential, as `use` does; see `OperatorCredentials.read`.

        If it cannot be used, since it was renewed in time and no operator ran to put the successor
        in its place, or Entra refuses it, since somebody removed it or an old Secret was restored,
        its successor in the Secret signs in.
        """
        found = await self.credentials.read(name, spec)
        if isinstance(found, Problem):
            return await self._do_without(name, spec, found, use)
        outcome = await use(name, spec, found)
        if outcome is None or not _is_rejection(outcome.problem):
            return outcome
        spare = await self.credentials.spare(name, spec)
        return outcome if spare is None else await use(name, spec, spare)

    async def _do_without(
        self, name: str, spec: EntraTenantSpec, problem: Problem, use: Use
    ) -> ProbeOutcome | None:
        """Sign in with the successor; what a person has to mend is the one in its place."""
        spare = await self.credentials.spare(name, spec)
        if spare is None:
            return await use(name, spec, problem)
        outcome = await use(name, spec, spare)
        if outcome is None or not _is_rejection(outcome.problem or outcome.warning):
            return outcome
        return await use(name, spec, problem)

    async def renew(
        self, subject: EventSubject, identity: TenantIdentity | None, tenant: OpenTenant | None
    ) -> OwnRenewal:
        """Take the steps that are due to renew it, where that is the operator's part."""
        match identity:
            case CertificateIdentity():
                return await self.rotation.turn(subject, identity, tenant)
            case ClientSecretIdentity():
                return await self.secret_rotation.turn(subject, identity, tenant)
            case WorkloadIdentity() | ManagedIdentity() | None:
                return NO_RENEWAL
            case _:
                assert_never(identity)

    def forget(self, name: str) -> None:
        """Drop what is held of an EntraTenant that is gone."""
        self.credentials.forget(name)
        self.rotation.forget(name)
        self.secret_rotation.forget(name)


def _is_rejection(problem: Problem | None) -> bool:
    return problem is not None and problem.reason is Reason.IDENTITY_REJECTED
