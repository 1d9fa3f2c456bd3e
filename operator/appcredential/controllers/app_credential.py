"""One AppCredential, from gather to decide to act, one effect at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final

from appcredential.cache.sampled import counts_of
from appcredential.controllers.outcomes import count_outcome
from appcredential.domain import actions as act
from appcredential.domain.action_names import changes_nothing, label
from appcredential.domain.facts.restart import is_restart_open
from appcredential.domain.lifecycle import Decision, decide
from appcredential.domain.marker import Owner
from appcredential.domain.observed.entra import Grant
from appcredential.domain.observed.observation import Observation
from appcredential.domain.rules.gates import is_admitted
from appcredential.domain.urgency import is_in_line, stages
from appcredential.effects import dispatch, status
from appcredential.effects.context import Step, Tools
from appcredential.errors import (
    ConflictError,
    NamespaceTerminatingError,
    NotFoundError,
    NotYetError,
    SecretForbiddenError,
    SecretRefusedError,
    ThrottledError,
    UnavailableError,
)
from appcredential.gather.gatherer import Gatherer
from appcredential.gather.resumed import read_directly
from appcredential.gather.state import ResourceState, ResourceStates
from appcredential.kube.own_writes import is_newer
from appcredential.runtime.logs import within
from appcredential.runtime.metrics import Metrics
from appcredential.runtime.workqueue import Again

_MAX_PASSES: Final = 60
_EFFECT_SECONDS: Final = 25.0
_MINT_SECONDS: Final = 40.0
_CONFLICT_RETRY: Final = timedelta(seconds=1)
_TERMINATING_RETRY: Final = timedelta(minutes=1)
_CLOSED_RETRY: Final = timedelta(minutes=1)


class AppCredentialController:
    """Drives every AppCredential."""

    def __init__(
        self, *, gatherer: Gatherer, tools: Tools, metrics: Metrics, states: ResourceStates
    ) -> None:
        self._gatherer = gatherer
        self._tools = tools
        self._metrics = metrics
        self._clock = tools.clock
        self._guard = tools.process.guard
        self._states = states

    async def reconcile(self, owner: Owner, seen_version: str) -> Again | None:
        """Do what is due for one resource.

        Args:
            owner: its namespace and name.
            seen_version: the resourceVersion a watch last showed; another one than
                we hold makes us read it again.

        Returns:
            When to look again; None when the resource is gone.
        """
        if self._guard.problem(owner.namespace) is not None:
            # A standby reads nothing: once it is the leader, every key is queued anew.
            return Again(self._clock.now() + _CLOSED_RETRY)
        state = self._states.of(owner)
        if state.has_news():
            state.target.drop()
        state.shown_target = None
        state.awaits_pods = state.awaits_workloads = False
        state.begin_asked(self._clock.now())
        held = state.resource.value
        if not seen_version:
            state.resource_changed()  # no watch shows it: it went, or was not seen yet
        elif held is not None and is_newer(seen_version, held.resource_version):
            state.resource_changed()
        again = await self._guarded(owner, state)
        return again and replace(again, when=state.asked.next_time(again.when))

    def holds(self, owner: Owner) -> bool:
        """Return whether anything is held of a resource: then its end is still to be noticed."""
        return self._states.known(owner) is not None

    def ask_check(self, owner: Owner) -> None:
        """Have the next pass read and try everything anew. A new leader does so anyway."""
        if self._guard.problem() is None:
            self._states.of(owner).asked.is_asked = True

    async def _guarded(self, owner: Owner, state: ResourceState) -> Again | None:
        """Do it; after an error all that Kubernetes holds is read anew."""
        try:
            return await self._passes(owner, state)
        except (ConflictError, NotFoundError):
            state.drop()  # it changed, or went, between our read and our write
            return Again(self._clock.now() + _CONFLICT_RETRY)
        except NamespaceTerminatingError:
            state.drop()
            return Again(self._clock.now() + _TERMINATING_RETRY)
        except SecretForbiddenError as exc:
            read_directly(state)
            return await self._unreadable(owner, state, exc)
        except (UnavailableError, ThrottledError, TimeoutError):
            state.drop()  # expected at times; the queue tries again later and later
            raise
        except Exception:  # the one outer guard: it goes on to the queue, which logs it
            read_directly(state)
            await status.say_failed(self._tools, owner, state)
            raise
        except BaseException:
            state.drop()
            raise

    async def _passes(self, owner: Owner, state: ResourceState) -> Again | None:
        for _ in range(_MAX_PASSES):
            observation = await self._gatherer.gather(owner, state)
            if observation is None:
                self._states.forget(owner)
                return None
            await status.announce_losses(self._tools, observation)
            decision = decide(observation)
            self._note(state, decision)
            if state.resumed is not None and not self._bears_out(observation, decision):
                read_directly(state)
                continue
            if isinstance(decision.action, act.Sleep):
                self._rest(state, observation, decision)
                return _again(observation, decision)
            step = Step(tools=self._tools, observation=observation, decision=decision, state=state)
            try:
                goes_on = await self._act(step)
            except (SecretForbiddenError, SecretRefusedError) as exc:
                if isinstance(exc, SecretForbiddenError) and not exc.is_write:
                    raise
                return Again(await status.say_unwritable(step, exc))
            if not goes_on:
                break
        return Again(self._clock.now() + _CONFLICT_RETRY)

    def _note(self, state: ResourceState, decision: Decision) -> None:
        """Note what the metrics show: status is not written for it."""
        if decision.facts is not None:
            notes = state.notes.of(self._tools.process.terms.begun)
            notes.counts = counts_of(decision.status)

    def _rest(self, state: ResourceState, observation: Observation, decision: Decision) -> None:
        """Keep what the next pass and the light looks need."""
        if decision.facts is not None and not decision.facts.retiring:
            state.pods = None
        if decision.facts is not None and not is_restart_open(decision.facts):
            state.workloads, state.restarted = None, {}
        if is_admitted(observation):
            state.settle(is_well=self._is_well(decision))
        else:
            state.let_go(is_granted=isinstance(observation.grant, Grant))

    def _bears_out(self, observation: Observation, decision: Decision) -> bool:
        """Return whether the first look at a resource finds what its status says, and no more.

        A trust is not well yet only because this process has not known the issuer for long. What a
        look at pods shows is judged by the next pass.
        """
        if isinstance(decision.action, act.ReadPods):
            return True
        is_idle = isinstance(decision.action, act.Sleep) and is_admitted(observation)
        return is_idle and (self._is_well(decision) or observation.resource.is_federated)

    def _is_well(self, decision: Decision) -> bool:
        """Return whether all is as the spec asks: whatever is not is checked sooner."""
        soon = self._tools.process.settings.secret_check
        return decision.facts is not None and decision.look_again > self._clock.now() + soon

    async def _act(self, step: Step) -> bool:
        """Perform one action; return whether to go on."""
        action, state = step.decision.action, step.state
        now, bound = self._clock.monotonic(), self._tools.process.freshness
        if state.age(now) > bound and not changes_nothing(action):
            state.drop_older(now, bound)
            return True
        if isinstance(action, act.Mint) and not self._guard.allows_mint():
            return False
        name, effects, began = label(action), self._metrics.reconcile, self._clock.monotonic()
        seconds = _MINT_SECONDS if isinstance(action, act.Mint) else _EFFECT_SECONDS
        try:
            with within(application=step.client_id):
                async with asyncio.timeout(seconds):
                    await dispatch.perform(step)
        except NotYetError as exc:
            state.memory = state.memory.awaits_turn(self._clock.now() + exc.retry_after)
            effects.effects.labels(name, "waits").inc()
            return True
        except BaseException:
            effects.effects.labels(name, "error").inc()
            raise
        effects.effects.labels(name, "done").inc()
        effects.effect_seconds.labels(name).observe(self._clock.monotonic() - began)
        count_outcome(self._metrics.rotation, step)
        return True

    async def _unreadable(
        self, owner: Owner, state: ResourceState, error: SecretForbiddenError
    ) -> Again | None:
        resource = await self._tools.kube.resources.get(owner)
        if resource is None:
            return None
        if self._guard.problem() is None:
            await status.say_unreadable(self._tools, resource, state, error)
        return Again(self._clock.now() + self._tools.secrets_retry)


def _again(observation: Observation, decision: Decision) -> Again:
    """Return when to look again, and how urgent that is by what was decided to be true."""
    resource, when = observation.resource, decision.look_again
    awaits_turn = is_in_line(observation.memory, observation.now)
    known = stages(
        decision.status,
        is_leaving=resource.deletion_time is not None,
        is_begun=awaits_turn or observation.pending is not None,
    )
    return Again(when, known.at(when.timestamp()), awaits_turn)
