"""Which EntraTenants can be used, and access to them.

`controllers/entra_tenant.py` keeps it up to date; all others ask it.
"""

from __future__ import annotations

from datetime import timedelta

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.operator_credential import OperatorCredential
from appcredential.domain.spec.model import ClientId, EntraTenantSpec, TenantIdentity
from appcredential.domain.status.cluster_kinds import ProbeOutcome
from appcredential.domain.status.problems_tenant import NOT_PROBED_YET, TENANT_NOT_FOUND, not_ready
from appcredential.ports.local import Clock
from appcredential.ports.session import Access
from appcredential.tenants.probing import OpenTenant
from appcredential.tenants.sessions import TenantSessions
from appcredential.tenants.waking import TenantQueue


class TenantAccess:
    """What is known of each EntraTenant, by its name."""

    def __init__(self, *, clock: Clock, sessions: TenantSessions, queue: TenantQueue) -> None:
        self._clock = clock
        self._sessions = sessions
        self._queue = queue
        self._specs: dict[str, EntraTenantSpec] = {}
        self._outcomes: dict[str, Problem | None] = {}

    # --- for the users of a tenant ----------------------------------------------------------

    def is_known(self, name: str) -> bool:
        """Return whether this process knows yet if this EntraTenant can be used."""
        return name in self._outcomes

    def access(self, name: str) -> Access | Problem:
        """Return a tenant that the operator can sign in to, or why there is none."""
        problem = self._outcomes.get(name)
        if problem is not None:
            return problem
        held, spec = self._sessions.get(name), self._specs.get(name)
        if held is None or spec is None:
            return TENANT_NOT_FOUND
        held.is_skewed = held.is_skewed or held.is_clock_wrong()
        tenant = Tenant(
            name=name,
            tenant_id=spec.tenant_id,
            cloud=spec.cloud,
            authority_host=held.session.authority_host,
            limits=spec.limits,
            operator_client_ids=frozenset(self.client_ids(name)),
            problem=None,
            app_policy=held.policy,
        )
        return Access(tenant, held.session)

    def request_probe(self, name: str, max_age: timedelta) -> None:
        """Have a tenant probed at once, unless the last probe is at most `max_age` old.

        Called after an error that concerns all users of the tenant.
        """
        held = self._sessions.get(name)
        if held is None or held.failing is not None or held.probed is None:
            return  # it is probed soon anyway
        if timedelta(0) <= self._clock.now() - held.probed < max_age:
            return
        held.probed = None
        self._queue.wake(name)

    def ask_probe(self, name: str) -> None:
        """Have the next pass probe a tenant; one that fails is probed by each pass."""
        held = self._sessions.get(name)
        if held is not None:
            held.probed = held.second_try = None

    # --- for the controller of EntraTenants ---------------------------------------------------

    def held(self, name: str) -> OpenTenant | None:
        """Return the session in use, with what is known of it."""
        return self._sessions.get(name)

    def client_ids(self, name: str) -> list[ClientId]:
        """Return as which clients the operator signs in, now and by the spec; perhaps none."""
        held, spec = self._sessions.get(name), self._specs.get(name)
        known = [held.session.client_id if held is not None else None]
        known += [spec.identity.client_id if spec is not None else None]
        return [client_id for client_id in known if client_id is not None]

    def identity(self, name: str) -> TenantIdentity | None:
        """Return as what the operator signs in, by the spec; None before that was read."""
        spec = self._specs.get(name)
        return spec.identity if spec is not None else None

    def is_of_another(self, name: str, spec: EntraTenantSpec) -> bool:
        """Return whether the name stood for another directory: both fields are immutable."""
        known = self._specs.get(name)
        return known is not None and (known.tenant_id, known.cloud) != (spec.tenant_id, spec.cloud)

    def note_spec(self, name: str, spec: EntraTenantSpec) -> None:
        """Record what an EntraTenant asks for."""
        self._specs[name] = spec

    async def use(
        self, name: str, spec: EntraTenantSpec, credential: OperatorCredential | Problem
    ) -> ProbeOutcome | None:
        """Sign in as `TenantSessions.use` does."""
        return await self._sessions.use(name, spec, credential)

    async def go_on(self, name: str, problem: Problem) -> ProbeOutcome | None:
        """Go on without a change of the session, as `TenantSessions.go_on` does."""
        return await self._sessions.go_on(name, problem)

    def note(self, name: str, problem: Problem | None) -> None:
        """Record why a tenant cannot be used, or that it can; wake its users if that is new."""
        outcome = not_ready(problem) if problem is not None else None
        is_news = name not in self._outcomes or self._outcomes[name] != outcome
        self._outcomes[name] = outcome
        if is_news and (outcome is None or not outcome.stalled):
            self._queue.go_on(name)
        elif is_news:
            self._queue.wake_users(name)

    def note_unread(self, name: str) -> None:
        """Record that a tenant could not be read, if nothing else is known of it.

        Otherwise its users would wait forever, and with them their deletion.
        """
        self._outcomes.setdefault(name, NOT_PROBED_YET)

    def note_skew(self, name: str) -> None:
        """Wake the users that were held up by a wrong clock, once it is right again."""
        held = self._sessions.get(name)
        if held is not None and held.is_skewed and not held.is_clock_wrong():
            held.is_skewed = False
            self._queue.wake_users(name)

    async def close(self, name: str) -> None:
        """Close a tenant's sessions."""
        await self._sessions.close(name)

    async def close_all(self) -> None:
        """Close all sessions, at the end of the process."""
        await self._sessions.close_all()

    async def forget(self, name: str) -> None:
        """Drop all that is known of a tenant, and close its sessions."""
        self._outcomes.pop(name, None)
        self._specs.pop(name, None)
        await self._sessions.close(name)
