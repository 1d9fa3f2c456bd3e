"""EntraTenants: their sessions with Graph, their status, and the finalizer that holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from appcredential.domain.conditions import (
    Problem,
    Reason,
    merge_conditions,
)
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.observed.entra import Tenant
from appcredential.domain.spec.model import ClientId, Cloud, EntraTenantSpec
from appcredential.domain.spec.parse import parse_entra_tenant
from appcredential.domain.status.cluster_kinds import ProbeOutcome, tenant_conditions
from appcredential.domain.status.problems_entra import NOT_IN_A_TRIAL, NOT_PROBED_YET, not_ready
from appcredential.domain.status.projection import needs_write
from appcredential.domain.times import format_time
from appcredential.errors import AppCredentialError, ConflictError, InvalidSpecError
from appcredential.kube.custom_resources import FINALIZER, TENANTS, KubeObjects
from appcredential.ports.entra import Access, OpenSession
from appcredential.ports.kube import Events, EventSubject
from appcredential.ports.local import Clock
from appcredential.runtime.effect_guard import EffectGuard
from appcredential.runtime.workqueue import Key
from appcredential.tenants.operator_credential import OperatorCredentials
from appcredential.tenants.sessions import TenantSessions

_RETRY = timedelta(seconds=30)
# How soon a new credential of the operator's own is taken up.
_RECHECK = timedelta(seconds=30)


class EntraTenantController:
    """Reconciles EntraTenants and hands out access to them."""

    def __init__(
        self,
        *,
        clock: Clock,
        objects: KubeObjects,
        identities: OperatorCredentials,
        events: Events,
        gate: EffectGuard,
        open_session: OpenSession,
        users_of: Callable[[str], list[Key]],
        wake: Callable[[Key], None],
        retry: timedelta = _RETRY,
        max_skew: timedelta = LifecycleSettings().max_clock_skew,  # noqa: B008 - frozen
        trial: bool = False,
    ) -> None:
        self._clock = clock
        self._objects = objects
        self._identities = identities
        self._events = events
        self._gate = gate
        self._users_of = users_of
        self._wake = wake
        self._retry = retry
        self._trial = trial
        self._sessions = TenantSessions(
            clock=clock,
            open_session=open_session,
            may_act=lambda: gate.problem() is None,
            policy_changed=self._wake_users,
            retry=retry,
            max_skew=max_skew,
        )
        self._specs: dict[str, EntraTenantSpec] = {}
        self._outcomes: dict[str, Problem | None] = {}

    def was_looked_at(self, name: str) -> bool:
        """Tell whether it is known here whether this EntraTenant can be used."""
        return name in self._outcomes

    def access(self, name: str) -> Access | Problem:
        """Return a tenant that signs in, or why there is none."""
        problem = self._outcomes.get(name)
        if problem is not None:
            return problem
        held, spec = self._sessions.get(name), self._specs.get(name)
        if held is None or spec is None:
            return Problem(
                reason=Reason.TENANT_NOT_FOUND,
                message="The EntraTenant that spec.tenantRef names does not exist: create it, or "
                "name another one in a new AppCredential.",
            )
        held.is_skewed = held.is_skewed or self._sessions.blocks(held)
        tenant = Tenant(
            name=name,
            tenant_id=spec.tenant_id,
            cloud=spec.cloud,
            authority_host=held.session.authority_host,
            limits=spec.limits,
            operator_client_ids=frozenset(self._client_ids(name)),
            problem=None,
            app_policy=held.policy,
        )
        return Access(tenant, held.session)

    def request_probe(self, name: str, max_age: timedelta) -> None:
        """Have a tenant probed at once, unless it was within `max_age`.

        For whoever met something that concerns all users of the tenant.
        """
        held = self._sessions.get(name)
        if held is None or held.failing is not None or held.probed is None:
            return  # it is looked at soon anyway
        if self._clock.now() - held.probed < max_age:
            return
        held.probed = None
        self._wake(Key(TENANTS, "", name))

    async def reconcile(self, key: Key) -> datetime | None:
        """Bring one EntraTenant's session and status up to date."""
        document = await self._objects.get(TENANTS, "", key.name)
        if document is None:
            await self._forget(key.name)
            return None
        try:
            if self._gate.problem() is None and await self._finalize(key, document):
                return self._clock.now() + self._retry
            look = await self._connect(key.name, document)
        except AppCredentialError:
            # Whoever uses it must not wait for ever, above all not with a deletion.
            self._outcomes.setdefault(key.name, NOT_PROBED_YET)
            raise
        if look is None:
            return self._second_try(key.name) or self._clock.now() + self._retry
        self._note(key.name, look.problem)
        self._note_skew(key.name)
        if self._gate.problem() is None:
            await self._write_status(document, look)
        return self._clock.now() + (_RECHECK if look.problem is None else self._retry)

    async def close(self) -> None:
        """Close all sessions."""
        await self._sessions.close_all()

    async def _finalize(self, key: Key, document: Mapping[str, Any]) -> bool:
        """Hold a tenant while resources refer to it; tell whether its version changed."""
        metadata = document["metadata"]
        deleting = "deletionTimestamp" in metadata
        wanted = not deleting or bool(self._users_of(key.name))
        if wanted == (FINALIZER in (metadata.get("finalizers") or ())):
            return not wanted  # while it is held, its users still need it
        try:
            await self._objects.set_finalizer(TENANTS, metadata, present=wanted)
        except ConflictError:
            return True
        self._wake(key)
        return True

    async def _connect(self, name: str, document: Mapping[str, Any]) -> ProbeOutcome | None:
        try:
            spec = parse_entra_tenant(document)
        except InvalidSpecError as exc:
            return ProbeOutcome(Problem(reason=Reason.INVALID_SPEC, message=str(exc)))
        if self._trial and spec.cloud is not Cloud.CUSTOM:
            await self._sessions.close(name)
            return ProbeOutcome(NOT_IN_A_TRIAL)
        if self._is_of_another(name, spec):
            await self._forget(name)  # deleted and made anew between two looks
        self._specs[name] = spec
        return await self._sessions.use(name, spec, await self._identities.read(name, spec))

    def _is_of_another(self, name: str, spec: EntraTenantSpec) -> bool:
        """Tell whether a tenant's name stood for another directory: both fields are immutable."""
        known = self._specs.get(name)
        return known is not None and (known.tenant_id, known.cloud) != (spec.tenant_id, spec.cloud)

    def _client_ids(self, name: str) -> list[ClientId]:
        """Return whom the operator signs in as, and shall; empty while neither is known."""
        held, spec = self._sessions.get(name), self._specs.get(name)
        known = [held.session.client_id if held is not None else None]
        known += [spec.identity.client_id if spec is not None else None]
        return [client_id for client_id in known if client_id is not None]

    def _second_try(self, name: str) -> datetime | None:
        held = self._sessions.get(name)
        return held.second_try if held is not None else None

    def _note(self, name: str, problem: Problem | None) -> None:
        """Record how the look ended; whoever uses the tenant hears of a change."""
        outcome = not_ready(problem) if problem is not None else None
        is_news = name not in self._outcomes or self._outcomes[name] != outcome
        self._outcomes[name] = outcome
        if is_news:
            self._wake_users(name)

    def _note_skew(self, name: str) -> None:
        """Wake whoever was held by a wrong clock that is right now."""
        held = self._sessions.get(name)
        if held is not None and held.is_skewed and not self._sessions.blocks(held):
            held.is_skewed = False
            self._wake_users(name)

    def _wake_users(self, name: str) -> None:
        for user in self._users_of(name):
            self._wake(user)

    async def _write_status(self, document: Mapping[str, Any], look: ProbeOutcome) -> None:
        metadata, current = document["metadata"], document.get("status") or {}
        generation = int(metadata["generation"])
        wanted: dict[str, Any] = {
            "observedGeneration": generation,
            "conditions": merge_conditions(
                current.get("conditions") or (),
                tenant_conditions(look),
                generation=generation,
                now=self._clock.now(),
                trial=self._trial,
            ),
        }
        identity = self._identity(metadata["name"])
        if identity:
            wanted["identity"] = identity
        held = self._sessions.get(metadata["name"])
        if held is not None:
            wanted["appManagementPolicy"] = held.policy.summary()
        if not needs_write(current, wanted):
            return
        try:
            await self._objects.apply_status(TENANTS, metadata, wanted)
        except ConflictError:
            self._wake(Key(TENANTS, "", metadata["name"]))
            return
        problem = look.problem or look.warning
        if problem is not None and problem.stalled:
            subject = EventSubject(
                kind="EntraTenant", namespace="", name=metadata["name"], uid=metadata["uid"]
            )
            await self._events.emit(subject, str(problem.reason), problem.message, warning=True)

    def _identity(self, name: str) -> dict[str, str]:
        """Return what status tells of the credential in use."""
        told: dict[str, str] = {}
        if known := self._client_ids(name):
            told["clientId"] = known[0]
        held = self._sessions.get(name)
        if held is not None and held.own.thumbprint:
            told["thumbprint"] = held.own.thumbprint
        if held is not None and held.expiration is not None:
            told["expirationTime"] = format_time(held.expiration)
        return told

    async def _forget(self, name: str) -> None:
        self._outcomes.pop(name, None)
        self._specs.pop(name, None)
        self._identities.forget(name)
        await self._sessions.close(name)
