"""The operator's loop around one resource in memory, in virtual time, with promises to keep.

A world says what is observed and applies each effect. An effect that would break a promise
raises `BrokenPromiseError`, judged by what happened in the world, not by the rules' own words.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from appcredential.domain import actions as act
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.deletion import (
    completed,
    name_of,
    open_uid,
    own_revocations,
    scheduled_revocation,
)
from appcredential.domain.facts.times_ahead import meet
from appcredential.domain.lifecycle import Decision, decide
from appcredential.domain.lifecycle_settings import LifecycleSettings
from appcredential.domain.marker import ClusterIdentity, Owner
from appcredential.domain.observed.entra import Grant, Tenant
from appcredential.domain.observed.memory import Memory
from appcredential.domain.observed.observation import Observation, Resource
from appcredential.domain.observed.operation import Operation
from appcredential.domain.observed.revocation import Revocation
from appcredential.domain.spec.model import AppCredentialSpec
from appcredential.domain.status.problems_entra import directory_problem
from appcredential.errors import UnavailableError
from tests.support.builders import (
    IDENTITY,
    MINUTE,
    NOW,
    OWNER,
    grant,
    observation,
    resource,
    tenant,
)

STEP: Final = timedelta(milliseconds=100)
"""How long each action takes."""
MAX_BUSY: Final = 60
"""How many actions may follow one another before the operator sleeps."""


class BrokenPromiseError(AssertionError):
    """An effect that no rule may ask for."""


def promise(kept: bool, what: str) -> None:
    """Raise BrokenPromiseError unless this promise is kept."""
    if not kept:
        raise BrokenPromiseError(what)


@dataclass
class Loop(ABC):
    """One resource and its operator. Fields are what a test may change between runs.

    Attributes:
        revocations: what is scheduled, by the name of its ConfigMap.
        released: the finalizer is removed, so the resource is gone.
        started: when the operator's process began.
        log: every action, with its time.
        statuses: every status that was written.
    """

    spec: AppCredentialSpec
    owner: Owner = OWNER
    identity: ClusterIdentity = IDENTITY
    now: datetime = NOW
    started: datetime = NOW
    settings: LifecycleSettings = field(default_factory=LifecycleSettings)
    tenant: Tenant | Problem = field(default_factory=tenant)
    grant: Grant | Problem = field(default_factory=grant)
    revocations: dict[str, Revocation] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    released: bool = False
    log: list[tuple[datetime, act.Action]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        made = resource(
            self.spec,
            uid="resource-uid" if self.owner == OWNER else f"uid-of-{self.owner.name}",
            has_finalizer=False,
            creation_time=self.now,
            last_applied_time=self.now,
            status={"observedGeneration": -1},
        )
        self.resource: Resource = replace(made, owner=self.owner)

    # --- what a world has to say -----------------------------------------------------------

    @abstractmethod
    def see(self) -> Mapping[str, Any]:
        """Return what this world adds to the observation, as arguments of its builder."""

    @abstractmethod
    def apply(self, action: act.Action) -> None:
        """Apply an action that every world has its own way for."""

    @abstractmethod
    def forget(self) -> None:
        """Lose what the operator read; its memory is lost already."""

    # --- what tests do ---------------------------------------------------------------------

    def run(self, for_: timedelta = timedelta(0)) -> None:
        """Let the operator work for a while; at least until it sleeps."""
        until, busy = self.now + for_, 0
        while not self.released:
            decision = self.decide()
            if isinstance(decision.action, act.Sleep):
                assert decision.look_again > self.now
                if decision.look_again > until:
                    self.now = max(self.now, until)
                    return
                self.now, busy = decision.look_again, 0
                continue
            busy += 1
            assert busy <= MAX_BUSY, f"livelock: {decision.action}"
            self.perform(decision)
            self.now += STEP

    def step(self) -> act.Action:
        """Perform the next action, however long it is until then, and return it."""
        decision = self._next()
        self.perform(decision)
        self.now += STEP
        return decision.action

    def step_until(self, kind: type[act.Action]) -> None:
        """Work up to just before an action of this kind."""
        for _ in range(1000):
            if isinstance(self._next().action, kind):
                return
            self.step()
        raise AssertionError(f"no {kind.__name__}")

    def _next(self) -> Decision:
        """Let time pass until there is something to do."""
        while isinstance((decision := self.decide()).action, act.Sleep):
            self.now = decision.look_again
        return decision

    def change(self, new: AppCredentialSpec) -> None:
        """Apply another spec."""
        generation = self.resource.generation + 1
        self.resource = replace(
            self.resource, spec=new, generation=generation, last_applied_time=self.now
        )
        self.memory = self.memory.spec_changed()

    def delete(self) -> None:
        """Delete the resource; it goes once its finalizer is removed."""
        self.resource = replace(self.resource, deletion_time=self.now)

    def schedule_revocation(self, uid: str) -> None:
        """Have a deleted resource of this name, with another uid, leave its revocation."""
        revocation = replace(scheduled_revocation(self.observe()), resource_uid=uid)
        self.revocations[name_of(revocation)] = revocation

    def restart(self) -> None:
        """Lose everything that only the process knows."""
        self.memory = Memory()
        self.started = self.now
        self.forget()

    def fail(self, operation: Operation) -> None:
        """Have Graph give no usable answer to a call."""
        problem, pause = directory_problem(UnavailableError("no answer"), 10 * MINUTE)
        self.memory = self.memory.failed(operation, problem, self.now + pause)

    # --- what tests look at ----------------------------------------------------------------

    @property
    def current_spec(self) -> AppCredentialSpec:
        """The spec as it is now; it must be valid."""
        assert isinstance(self.resource.spec, AppCredentialSpec)
        return self.resource.spec

    @property
    def revocation_uid(self) -> str | None:
        """The uid that the scheduled revocation was made for; None without one."""
        return open_uid(self._revocations().values(), self.resource.uid)

    def _revocations(self) -> dict[str, Revocation]:
        spec, tenant = self.resource.spec, self.tenant
        if not isinstance(spec, AppCredentialSpec):
            return {}
        ids = () if isinstance(tenant, Problem) else (tenant.tenant_id,)
        return own_revocations(
            self.revocations, self.owner, spec, tenant_ids=ids, led_to=lambda _: None
        )

    def names(self) -> list[str]:
        """Return the actions so far by name, without status writes."""
        return [type(a).__name__ for _, a in self.log if not isinstance(a, act.ApplyStatus)]

    def count(self, kind: type[act.Action]) -> int:
        """Count the actions of a kind so far."""
        return sum(isinstance(a, kind) for _, a in self.log)

    def condition(self, kind: str) -> tuple[str, str] | None:
        """Return status and reason of a condition, as last written."""
        for c in self.resource.status.get("conditions", ()):
            if c["type"] == kind:
                return c["status"], c["reason"]
        return None

    # --- observe, decide, perform ----------------------------------------------------------

    def _drop_revocations(self) -> None:
        for name in self._revocations():
            del self.revocations[name]

    def observe(self) -> Observation:
        """Return what the operator observes now."""
        seen = self._observe()
        self.memory = meet(seen)
        return replace(seen, memory=self.memory)

    def _observe(self) -> Observation:
        return observation(
            now=self.now,
            identity=self.identity,
            process_started=self.started,
            settings=self.settings,
            resource=self.resource,
            tenant=self.tenant,
            grant=self.grant,
            revocation_uid=self.revocation_uid,
            memory=self.memory,
            **self.see(),
        )

    def decide(self) -> Decision:
        """Return what the operator does next."""
        return decide(self.observe())

    def perform(self, decision: Decision) -> None:
        """Perform the action of a decision, and log it."""
        action = decision.action
        self.log.append((self.now, action))
        match action:
            case act.ApplyStatus():
                self.resource = replace(self.resource, status=decision.status)
                self.statuses.append(decision.status)
            case act.AddFinalizer():
                self.resource = replace(self.resource, has_finalizer=True)
            case act.ReleaseFinalizer():
                self.released = True
            case act.ScheduleRevocation():
                wanted = scheduled_revocation(self.observe())
                revocation = completed(wanted, self.revocations.values())
                self._drop_revocations()
                self.revocations[name_of(revocation)] = revocation
            case act.CancelRevocation():
                self._drop_revocations()
            case _:
                self.apply(action)
