"""Takes the steps by which the operator renews its own credential, whatever kind it is.

Only the process that may write status does so. Who continues after a crash reads everything anew.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.entra import Application
from appcredential.domain.own import actions as own
from appcredential.domain.own import problems
from appcredential.domain.own.renewal import NO_RENEWAL, OwnRenewal
from appcredential.domain.own.rotation import LOOK_AGAIN
from appcredential.domain.spec.model import CertificateIdentity, ClientSecretIdentity
from appcredential.errors import AppCredentialError, ConflictError, ThrottledError
from appcredential.ports.events import EventSubject
from appcredential.ports.own_secret import OwnSecrets
from appcredential.runtime.this_process import ThisProcess
from appcredential.tenants.own_memory import OwnMemory
from appcredential.tenants.own_sharing import Tenants, sharing
from appcredential.tenants.own_turn import OwnTurn
from appcredential.tenants.probing import OpenTenant

log = logging.getLogger(__name__)

_MOST_STEPS: Final = 4
"""In one turn; the next one goes on."""
_RETRY: Final = timedelta(seconds=30)


IdentityT = TypeVar("IdentityT", CertificateIdentity, ClientSecretIdentity)
TurnT = TypeVar("TurnT", bound=OwnTurn)
ActionT = TypeVar("ActionT", bound=own.OwnAction)
_ActionT_co = TypeVar("_ActionT_co", covariant=True)
_ActionT_contra = TypeVar("_ActionT_contra", contravariant=True)
_TurnT_contra = TypeVar("_TurnT_contra", contravariant=True)


class Decided(Protocol[_ActionT_co]):
    """The next step, when the credential is due, and why nothing can go on, if that is so."""

    @property
    def action(self) -> _ActionT_co:
        """The next step."""

    @property
    def renewal(self) -> datetime | None:
        """When it is due; None where that is not known."""

    @property
    def problem(self) -> Problem | None:
        """Why nothing can go on."""


class Steps(Protocol[_ActionT_contra, _TurnT_contra]):
    """Performs a step."""

    async def perform(self, action: _ActionT_contra, turn: _TurnT_contra) -> None:
        """Perform it.

        Raises:
            AppCredentialError: Graph or the API server refuses it, or gives no answer.
        """


class OwnTurns(ABC, Generic[IdentityT, TurnT, ActionT]):
    """Takes turns at the EntraTenants whose identity of one kind has a rotation.

    Args:
        process: whose guard is asked before each step.
        secrets: in the operator's namespace.
        tenants: lists the EntraTenants, since no two of them may share such a Secret.
    """

    what: str
    """The credential, for logs."""

    def __init__(
        self,
        *,
        process: ThisProcess,
        secrets: OwnSecrets,
        steps: Steps[ActionT, TurnT],
        tenants: Tenants,
    ) -> None:
        self._process = process
        self._clock = process.clock
        self._secrets = secrets
        self._steps = steps
        self._tenants = tenants
        self._memory: dict[str, OwnMemory] = {}

    async def turn(
        self, subject: EventSubject, identity: IdentityT, tenant: OpenTenant | None
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
            began = self._clock.monotonic()
            try:
                prepared = await self._prepared(subject, identity, tenant)
            except AppCredentialError as error:
                log.warning(self.what, extra=_about(subject, error))
                return replace(told, look=self._clock.now() + _RETRY)
            if isinstance(prepared, OwnRenewal):
                return prepared
            prepared.began = began
            told, goes_on = await self._step(prepared)
            if not goes_on:
                return told
        return replace(told, look=self._clock.now())

    def forget(self, name: str) -> None:
        """Drop what is held of an EntraTenant that is gone."""
        self._memory.pop(name, None)

    def _may_act(self) -> bool:
        return self._process.guard.problem("") is None

    def _recall(self, name: str) -> OwnMemory:
        """Return what this process remembers of an EntraTenant."""
        term, held = self._process.terms.begun, self._memory.get(name)
        if held is None or held.term != term:
            held = self._memory[name] = OwnMemory(term)
        return held

    @abstractmethod
    async def _prepared(
        self, subject: EventSubject, identity: IdentityT, tenant: OpenTenant
    ) -> TurnT | OwnRenewal:
        """Read what the next step rests on; or return why there is none."""

    @abstractmethod
    def _decided(self, turn: TurnT) -> Decided[ActionT]:
        """Return the next step."""

    @abstractmethod
    def _note(self, turn: TurnT, found: Application) -> None:
        """Take what a direct read of the application showed."""

    @abstractmethod
    def _takes_from_others(self, turn: TurnT, action: ActionT) -> bool:
        """Return whether another EntraTenant with this Secret might lose its sign-in by a step."""

    @abstractmethod
    def _refused(self, error: AppCredentialError) -> Problem | None:
        """Return what a person has to mend after an error; None where it passes by itself."""

    async def _step(self, turn: TurnT) -> tuple[OwnRenewal, bool]:
        """Take one step; also return whether the next one may follow at once."""
        decision = self._decided(turn)
        told = _told(decision)
        try:
            if isinstance(decision.action, own.Look):
                directory = turn.tenant.session.directory
                found = await directory.application(turn.identity.client_id, timedelta(0))
                self._note(turn, found)
                decision = self._decided(turn)
                told = _told(decision)
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
        self, action: ActionT, turn: TurnT, told: OwnRenewal
    ) -> tuple[OwnRenewal, bool]:
        memory, seen = turn.memory, turn.seen
        blocked = memory.blocked_by(seen.now, turn.live, seen.rotation)
        if blocked is not None and not isinstance(action, own.SignIn | own.Publish):
            return replace(told, problem=blocked), False
        if self._takes_from_others(turn, action) and (
            others := await sharing(self._tenants, turn.subject.name, turn.identity.secret_name)
        ):
            return replace(told, problem=problems.shared_with(others)), False
        if not self._may_still(action, turn):
            return replace(told, look=self._clock.now() + _RETRY), False
        turn.allowed = self._clock.monotonic()
        await self._steps.perform(action, turn)
        memory.blocked = None
        return _told_after(action, told, self._clock.now())

    def _may_still(self, action: ActionT, turn: TurnT) -> bool:
        """Race: the process was paused since the reads, or does not hold the Lease any more."""
        age = self._clock.monotonic() - turn.began
        is_long = isinstance(action, own.Stage)  # what it makes has to be stored as well
        is_allowed = self._may_act() and (not is_long or self._process.guard.allows_mint())
        return is_allowed and age <= self._process.freshness

    def _failed(self, turn: TurnT, told: OwnRenewal, error: AppCredentialError) -> OwnRenewal:
        log.warning(f"{self.what}: a step failed", extra=_about(turn.subject, error))  # noqa: G004 - two texts in all
        problem = self._refused(error)
        if problem is None:
            return replace(told, look=self._clock.now() + _RETRY)
        turn.memory.block(problem, turn.seen.now, turn.live, turn.seen.rotation)
        return replace(told, problem=problem)


def _told(decision: Decided[own.OwnAction]) -> OwnRenewal:
    return OwnRenewal(renewal=decision.renewal, problem=decision.problem)


def _told_after(action: own.OwnAction, told: OwnRenewal, now: datetime) -> tuple[OwnRenewal, bool]:
    """Return what is told after a step, and whether the next one may follow at once."""
    if isinstance(action, own.Remove):
        # A replica may list it for minutes: without a pause it would be removed again and again,
        # against the quotas of everybody.
        return replace(told, look=now + LOOK_AGAIN), False
    # What is in use after a publish is for the tenant's own look to find out.
    return replace(told, look=now), not isinstance(action, own.Publish)


def _about(subject: EventSubject, error: AppCredentialError) -> dict[str, str]:
    return {"tenant": subject.name, "error": str(error)}
