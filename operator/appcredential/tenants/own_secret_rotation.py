"""Renews the operator's own client secret, one step after another, for each EntraTenant.

Only the process that may write status does so. Who continues after a crash reads everything anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from appcredential.domain.conditions import Problem
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.operator_credential import client_secret_of
from appcredential.domain.own import actions as own
from appcredential.domain.own import problems
from appcredential.domain.own.renewal import NO_RENEWAL, OwnRenewal
from appcredential.domain.own.secret import OwnSecret, fault_of
from appcredential.domain.own.secret_records import NEXT_SECRET, recorded
from appcredential.domain.own.secret_rotation import SecretAction, SecretObservation, decide
from appcredential.domain.secret_value import SecretValue
from appcredential.domain.spec.identity_rotation import IdentityRotation
from appcredential.domain.spec.model import ClientSecretIdentity
from appcredential.errors import AppCredentialError, ConflictError, ThrottledError
from appcredential.ports.events import EventSubject
from appcredential.ports.local import Clock
from appcredential.ports.own_secret import OwnSecrets
from appcredential.tenants.own_memory import OwnMemory
from appcredential.tenants.own_secret_steps import OwnSecretSteps, SecretTurn
from appcredential.tenants.own_sharing import Tenants, is_clock_doubtful, sharing, told_after
from appcredential.tenants.probing import OpenTenant

log = logging.getLogger(__name__)

_MOST_STEPS: Final = 4
"""In one turn; the next one goes on."""
_RETRY: Final = timedelta(seconds=30)


class OwnSecretRotation:
    """Takes turns at the EntraTenants whose client secret has a rotation.

    Args:
        cluster: which cluster this is, as `ClusterIdentity.whole`.
        secrets: in the operator's namespace.
        tenants: lists the EntraTenants, since no two of them may share such a Secret.
        may_act: returns whether this process may write now; asked before each step.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        settings: LifecycleSettings,
        cluster: str,
        secrets: OwnSecrets,
        steps: OwnSecretSteps,
        tenants: Tenants,
        may_act: Callable[[], bool],
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._cluster = cluster
        self._secrets = secrets
        self._steps = steps
        self._tenants = tenants
        self._may_act = may_act
        self._memory: dict[str, OwnMemory] = {}

    async def turn(
        self, subject: EventSubject, identity: ClientSecretIdentity, tenant: OpenTenant | None
    ) -> OwnRenewal:
        """Take the steps that are due.

        Args:
            subject: the EntraTenant.
            identity: its identity.
            tenant: its session; None without one.
        """
        told = NO_RENEWAL
        for _ in range(_MOST_STEPS):
            if tenant is None or identity.rotation is None or not self._may_act():
                return told
            try:
                prepared = await self._prepared(subject, identity, identity.rotation, tenant)
            except AppCredentialError as error:
                log.warning("own client secret", extra=_about(subject, error))
                return replace(told, look=self._clock.now() + _RETRY)
            if isinstance(prepared, OwnRenewal):
                return prepared
            told, goes_on = await self._step(prepared)
            if not goes_on:
                return told
        return replace(told, look=self._clock.now())

    def forget(self, name: str) -> None:
        """Drop what is held of an EntraTenant that is gone."""
        self._memory.pop(name, None)

    async def _prepared(
        self,
        subject: EventSubject,
        identity: ClientSecretIdentity,
        rotation: IdentityRotation,
        tenant: OpenTenant,
    ) -> SecretTurn | OwnRenewal:
        """Read what the next step rests on; or return why there is none."""
        live = await self._secrets.read(identity.secret_name)
        if live is None:
            return NO_RENEWAL  # the tenant's own conditions tell it
        fault = fault_of(live, identity.secret_key, NEXT_SECRET)
        if fault:
            return OwnRenewal(problem=problems.not_ours(fault))
        main = client_secret_of(live.data, identity)
        if isinstance(main, Problem):
            return OwnRenewal(problem=main)
        memory = self._memory.setdefault(subject.name, OwnMemory())
        is_used = tenant.is_proven and tenant.identity == identity
        in_use = tenant.credential.value.sha256() if is_used else ""
        seen = SecretObservation(
            now=self._clock.now(),
            settings=self._settings,
            cluster=self._cluster,
            tenant=subject.name,
            rotation=rotation,
            main=main.sha256(),
            successor=_digest(live.data.get(NEXT_SECRET)),
            expires=tenant.expiration if in_use == main.sha256() else None,
            records=recorded(live.annotations),
            in_use=in_use,
            is_clock_doubtful=is_clock_doubtful(tenant),
        )
        return _turn(subject, identity, tenant, live, seen, memory)

    async def _step(self, turn: SecretTurn) -> tuple[OwnRenewal, bool]:
        """Take one step; also return whether the next one may follow at once."""
        decision = decide(turn.seen)
        told = OwnRenewal(renewal=decision.renewal, problem=decision.problem)
        try:
            if isinstance(decision.action, own.Look):
                directory = turn.tenant.session.directory
                found = await directory.application(turn.identity.client_id, timedelta(0))
                turn.seen = replace(turn.seen, keys=found.credentials)
                decision = decide(turn.seen)
            if isinstance(decision.action, own.Wait):
                return replace(told, look=decision.action.until), False
            return await self._perform(decision.action, turn, told)
        except ConflictError:
            return replace(told, look=self._clock.now() + _RETRY), False  # somebody else wrote it
        except ThrottledError as error:
            return replace(told, look=self._clock.now() + error.retry_after), False
        except AppCredentialError as error:
            return self._failed(turn, told, error), False

    async def _perform(
        self, action: SecretAction, turn: SecretTurn, told: OwnRenewal
    ) -> tuple[OwnRenewal, bool]:
        memory, rotation = turn.memory, turn.seen.rotation
        blocked = memory.blocked_by(turn.seen.now, turn.live, rotation)
        if blocked is not None and not isinstance(action, own.SignIn | own.Publish):
            return replace(told, problem=blocked), False
        if isinstance(action, own.Stage | own.Publish):
            others = await sharing(self._tenants, turn.subject.name, turn.identity.secret_name)
            # Nothing can be lost once the main one does not sign in any more.
            if others and turn.seen.in_use == turn.seen.main:
                return replace(told, problem=problems.shared_with(others)), False
        await self._steps.perform(action, turn)
        memory.blocked = None
        return told_after(action, told, self._clock.now())

    def _failed(self, turn: SecretTurn, told: OwnRenewal, error: AppCredentialError) -> OwnRenewal:
        log.warning("own client secret: a step failed", extra=_about(turn.subject, error))
        problem = problems.refused_password(error)
        if problem is None:
            return replace(told, look=self._clock.now() + _RETRY)
        turn.memory.block(problem, turn.seen.now, turn.live, turn.seen.rotation)
        return replace(told, problem=problem)


def _turn(
    subject: EventSubject,
    identity: ClientSecretIdentity,
    tenant: OpenTenant,
    live: OwnSecret,
    seen: SecretObservation,
    memory: OwnMemory,
) -> SecretTurn:
    """Return the turn, with what this process knows of the successor."""
    successor = seen.next_made()
    proof = memory.proof_of(successor.key_id) if successor is not None else None
    return SecretTurn(
        subject=subject,
        identity=identity,
        tenant=tenant,
        live=live,
        seen=replace(seen, proof=proof),
        memory=memory,
    )


def _digest(value: SecretValue | None) -> str:
    return value.sha256() if value is not None else ""


def _about(subject: EventSubject, error: AppCredentialError) -> dict[str, str]:
    return {"tenant": subject.name, "error": str(error)}
