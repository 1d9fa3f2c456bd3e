"""Renews the operator's own certificate, one step after another, for each EntraTenant.

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
from appcredential.domain.operator_credential import pair_of
from appcredential.domain.own import actions as own
from appcredential.domain.own import problems
from appcredential.domain.own.actions import OwnAction, OwnDecision
from appcredential.domain.own.observed import OwnObservation, OwnPair
from appcredential.domain.own.renewal import NO_RENEWAL, OwnRenewal
from appcredential.domain.own.rotation import decide, takes_from_others
from appcredential.domain.own.secret import NEXT_KEY, OwnSecret, fault_of
from appcredential.domain.secret.pem import leaf_der
from appcredential.domain.spec.model import CertificateIdentity
from appcredential.errors import AppCredentialError, ConflictError, ThrottledError
from appcredential.ports.events import EventSubject
from appcredential.ports.local import Clock
from appcredential.ports.own_secret import OwnSecrets
from appcredential.tenants.own_memory import OwnMemory
from appcredential.tenants.own_sharing import Tenants, is_clock_doubtful, sharing, told_after
from appcredential.tenants.own_steps import OwnSteps, Turn
from appcredential.tenants.pairs import PairReader, Texts, split, thumbprint_of
from appcredential.tenants.probing import OpenTenant
from appcredential.x509.certificates import subject_in

log = logging.getLogger(__name__)

_MOST_STEPS: Final = 4
"""In one turn; the next one goes on."""
_RETRY: Final = timedelta(seconds=30)


class OwnRotation:
    """Takes turns at the EntraTenants whose identity has a rotation.

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
        steps: OwnSteps,
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
        self._pairs = PairReader()
        self._memory: dict[str, OwnMemory] = {}

    async def turn(
        self, subject: EventSubject, identity: CertificateIdentity, tenant: OpenTenant | None
    ) -> OwnRenewal:
        """Take the steps that are due.

        Args:
            subject: the EntraTenant.
            identity: its identity, which has a rotation.
            tenant: its session; None without one.
        """
        told = NO_RENEWAL
        for _ in range(_MOST_STEPS):
            if tenant is None or identity.rotation is None or not self._may_act():
                return told
            try:
                prepared = await self._prepared(subject, identity, tenant)
            except AppCredentialError as error:
                log.warning("own certificate", extra={"tenant": subject.name, "error": str(error)})
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
        self._pairs.forget(name)

    async def _prepared(
        self, subject: EventSubject, identity: CertificateIdentity, tenant: OpenTenant
    ) -> Turn | OwnRenewal:
        """Read what the next step rests on; or return why there is none."""
        live = await self._secrets.read(identity.secret_name)
        if live is None:
            return NO_RENEWAL  # the tenant's own conditions tell it
        fault = fault_of(live, identity.secret_key)
        if fault:
            return OwnRenewal(problem=problems.not_ours(fault))
        main = await self._pair(subject.name, pair_of(live.data, identity))
        if isinstance(main, Problem):
            return OwnRenewal(problem=main)
        memory = self._memory.setdefault(subject.name, OwnMemory())
        seen = await self._seen(subject.name, identity, tenant, live, main)
        return Turn(
            subject=subject,
            identity=identity,
            tenant=tenant,
            live=live,
            seen=seen,
            memory=memory,
        )

    async def _seen(
        self,
        name: str,
        identity: CertificateIdentity,
        tenant: OpenTenant,
        live: OwnSecret,
        main: OwnPair,
    ) -> OwnObservation:
        memory = self._memory[name]
        beside = live.data.get(NEXT_KEY)
        read = None if beside is None else await self._pair(f"{name}/next", split(beside))
        successor = read if isinstance(read, OwnPair) else None
        thumbprint = successor.thumbprint if successor is not None else ""
        is_used = tenant.is_proven and tenant.identity == identity
        in_use = tenant.credential.thumbprint if is_used else ""
        rotation = identity.rotation
        if rotation is None:
            raise AssertionError("only an identity with a rotation has turns")
        return OwnObservation(
            now=self._clock.now(),
            settings=self._settings,
            cluster=self._cluster,
            tenant=name,
            rotation=rotation,
            main=main,
            expires=tenant.expiration if in_use == main.thumbprint else None,
            successor=successor,
            records=live.records(),
            in_use=in_use,
            proof=memory.proof_of(thumbprint),
            is_new=bool(thumbprint) and memory.made == thumbprint,
            asked=memory.asked_for(thumbprint),
            is_clock_doubtful=is_clock_doubtful(tenant),
        )

    async def _pair(self, slot: str, texts: Texts | Problem) -> OwnPair | Problem:
        found = texts if isinstance(texts, Problem) else await self._pairs.read(slot, texts)
        if isinstance(found, Problem):
            return found
        current = found.current(self._clock.now())
        return OwnPair(
            value=current.value,
            start=current.start,
            end=current.end,
            thumbprint=thumbprint_of(current),
            subject=subject_in(leaf_der(current.value.reveal())),
        )

    async def _step(self, turn: Turn) -> tuple[OwnRenewal, bool]:
        """Take one step; also return whether the next one may follow at once."""
        decision = decide(turn.seen)
        told = OwnRenewal(renewal=decision.renewal, problem=decision.problem)
        try:
            if isinstance(decision.action, own.Look):
                decision = await self._looked(turn)
            if isinstance(decision.action, own.Wait):
                return replace(told, look=decision.action.until), False
            return await self._perform(decision.action, turn, told)
        except ConflictError:
            return replace(told, look=self._clock.now() + _RETRY), False  # somebody else wrote it
        except ThrottledError as error:
            return replace(told, look=self._clock.now() + error.retry_after), False
        except AppCredentialError as error:
            return self._failed(turn, told, error), False

    async def _looked(self, turn: Turn) -> OwnDecision:
        """Decide by a direct read of the application."""
        directory = turn.tenant.session.directory
        found = await directory.application(turn.identity.client_id, timedelta(0))
        turn.object_id = found.object_id
        turn.seen = replace(turn.seen, keys=found.credentials)
        return decide(turn.seen)

    async def _perform(
        self, action: OwnAction, turn: Turn, told: OwnRenewal
    ) -> tuple[OwnRenewal, bool]:
        memory, rotation = turn.memory, turn.seen.rotation
        blocked = memory.blocked_by(turn.seen.now, turn.live, rotation)
        if blocked is not None and not isinstance(action, own.SignIn | own.Publish):
            return replace(told, problem=blocked), False
        if takes_from_others(turn.seen, action) and (
            others := await sharing(self._tenants, turn.subject.name, turn.identity.secret_name)
        ):
            return replace(told, problem=problems.shared_with(others)), False
        await self._steps.perform(action, turn)
        memory.blocked = None
        return told_after(action, told, self._clock.now())

    def _failed(self, turn: Turn, told: OwnRenewal, error: AppCredentialError) -> OwnRenewal:
        extra = {"tenant": turn.subject.name, "error": str(error)}
        log.warning("own certificate: a step failed", extra=extra)
        problem = problems.refused_call(error)
        if problem is None:
            return replace(told, look=self._clock.now() + _RETRY)
        turn.memory.block(problem, turn.seen.now, turn.live, turn.seen.rotation)
        return replace(told, problem=problem)
