"""What effects work with: the ports, one step of a pass, and its context behind the gates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from appcredential.cache.open_revocations import OpenRevocations
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.facts import Facts
from appcredential.domain.lifecycle import Decision
from appcredential.domain.marker import Owner
from appcredential.domain.observed.observation import Observation
from appcredential.domain.promised import required
from appcredential.domain.spec.model import AppCredentialSpec, ClientId
from appcredential.domain.status.problems_entra import Asked
from appcredential.effects.issued_records import RecordWrites
from appcredential.errors import ConflictError
from appcredential.gather.pods import PodLooks
from appcredential.gather.state import ResourceState
from appcredential.gather.workloads import WorkloadLooks
from appcredential.ports.events import Events
from appcredential.ports.kube import (
    Outputs,
    Resources,
    Secrets,
    ServiceAccounts,
)
from appcredential.ports.local import Clock, GrantSource
from appcredential.ports.own_config_maps import Revocations
from appcredential.ports.session import Access, Session
from appcredential.runtime.this_process import ThisProcess

_UNREADABLE_RETRY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KubePorts:
    """What is read and written by the API server."""

    resources: Resources
    secrets: Secrets
    service_accounts: ServiceAccounts
    outputs: Outputs
    pods: PodLooks
    workloads: WorkloadLooks
    revocations: Revocations
    events: Events


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What all effects share.

    Attributes:
        grants: asked live before something is issued.
        open_revocations: told what is scheduled and cancelled here.
        records: of what was issued.
        access: returns a tenant that the operator can sign in to, or why there is none.
        request_probe: has a tenant probed, unless its last probe is at most so old.
        note_written: hears of a tenant's application to which a write succeeded.
        permission_retry: the pause after a missing permission, which a person has to grant.
    """

    process: ThisProcess
    kube: KubePorts
    grants: GrantSource
    open_revocations: OpenRevocations
    records: RecordWrites
    access: Callable[[str], Access | Problem]
    request_probe: Callable[[str, timedelta], None]
    note_written: Callable[[str, ClientId], None]
    permission_retry: timedelta

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.process.clock

    @property
    def secrets_retry(self) -> timedelta:
        """The pause after Secrets of a namespace could not be read or written."""
        return min(self.permission_retry, _UNREADABLE_RETRY)


class Caller(Protocol):
    """Who calls Graph for a resource: a step, or the context of an effect."""

    @property
    def tools(self) -> Tools:
        """What all effects share."""
        ...

    @property
    def state(self) -> ResourceState:
        """What this process holds of the resource."""
        ...

    @property
    def owner(self) -> Owner:
        """Namespace and name of the resource."""
        ...

    @property
    def asked(self) -> Asked:
        """The application, and as whom the operator calls."""
        ...

    @property
    def directory_skew(self) -> timedelta | None:
        """Entra's clock minus ours, when known."""
        ...


def _asked(observation: Observation, session: Session | None) -> Asked:
    application = observation.application
    return Asked(
        application=observation.usable_spec.client_id,
        object_id=application.object_id if application is not None else "",
        operator=(session.client_id if session is not None else None) or "",
        principal=session.principal_id if session is not None else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step for one resource: what was observed, what was decided, and where to note it.

    Attributes:
        state: what this process holds of the resource; an effect notes there what it learns.
    """

    tools: Tools
    observation: Observation
    decision: Decision
    state: ResourceState

    @property
    def owner(self) -> Owner:
        """Namespace and name of the resource."""
        return self.observation.resource.owner

    @property
    def client_id(self) -> str:
        """The application; empty while the spec is unusable."""
        spec = self.observation.resource.spec
        return spec.client_id if isinstance(spec, AppCredentialSpec) else ""

    @property
    def asked(self) -> Asked:
        """The application, and as whom the operator calls."""
        access = self.tools.access(self.observation.usable_spec.tenant)
        return _asked(self.observation, access.session if isinstance(access, Access) else None)

    @property
    def directory_skew(self) -> timedelta | None:
        """Entra's clock minus ours, when known."""
        return self.observation.directory_skew

    def session(self) -> Session:
        """Return a session with the resource's tenant; perhaps another one than when it was read.

        Raises:
            ConflictError: the tenant cannot be used any more.
        """
        access = self.tools.access(self.observation.usable_spec.tenant)
        if not isinstance(access, Access):
            raise ConflictError("the tenant changed meanwhile")
        return access.session

    def context(self) -> Context:
        """Return the surroundings of an effect behind the gates.

        Raises:
            ConflictError: the tenant cannot be used any more.
        """
        return Context(
            tools=self.tools,
            state=self.state,
            facts=required(self.decision.facts),
            session=self.session(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The surroundings of one effect behind the gates.

    Attributes:
        facts: what the decision rests on.
        session: with the resource's tenant.
    """

    tools: Tools
    state: ResourceState
    facts: Facts
    session: Session

    @property
    def kube(self) -> KubePorts:
        """The API server."""
        return self.tools.kube

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.tools.clock

    @property
    def owner(self) -> Owner:
        """Namespace and name of the resource."""
        return self.facts.resource.owner

    @property
    def asked(self) -> Asked:
        """The application, and as whom the operator calls."""
        return _asked(self.facts.observation, self.session)

    @property
    def directory_skew(self) -> timedelta | None:
        """Entra's clock minus ours, when known."""
        return self.facts.observation.directory_skew
