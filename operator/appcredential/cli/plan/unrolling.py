"""Decides, plays through, and decides again, until only time is left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from appcredential.cli.app_credential import AppCredential
from appcredential.cli.plan.assuming import Stand, assumed
from appcredential.cli.plan.describing import describe
from appcredential.cli.plan.playing import after, play
from appcredential.cli.plan.steps import Plan, PlanEndsError, Step
from appcredential.cli.story import ahead
from appcredential.domain import actions as act
from appcredential.domain.action_names import changes_nothing
from appcredential.domain.conditions import ConditionType
from appcredential.domain.lifecycle import Decision, decide
from appcredential.domain.observed.observation import Observation
from appcredential.domain.promised import required

MOST: Final = 60
"""So many decisions are made at most; more would be a circle."""
_WAITS: Final = 6
_LONGEST: Final = timedelta(minutes=30)
_SHORTEST: Final = timedelta(seconds=1)

Read = Callable[[act.Action, Observation], Awaitable[Observation]]
"""Does a read, and returns what is known then."""


@dataclass(slots=True)
class _Unrolled:
    observation: Observation
    steps: list[Step]
    ends: str = ""
    waits: int = 0
    revokes: bool = False


async def unroll(observation: Observation, read: Read, stand: Stand) -> Plan:
    """Return what would be done, from an observation on.

    Waits of half an hour in all are played through, such as those between two sign-ins.

    Args:
        observation: as it was gathered.
        read: does the reads that are decided upon.
        stand: for values that are not known.

    Raises:
        AppCredentialError: a read failed.
    """
    run = _Unrolled(observation, [])
    began = observation.now
    decision: Decision | None = None
    for _ in range(MOST):
        run.observation = assumed(run.observation, stand)
        decision = decide(run.observation)
        if changes_nothing(decision.action):
            if not await _reads(run, decision, read):
                break
        elif isinstance(decision.action, act.Sleep):
            if not _waits(run, decision, began):
                break
        elif not _plays(run, decision, stand):
            break
    else:
        run.ends = f"Not planned further: there is more to decide after {MOST} decisions."
    return _plan(run, required(decision))


async def _reads(run: _Unrolled, decision: Decision, read: Read) -> bool:
    """Do a read; return whether anything is known after it."""
    try:
        run.observation = await read(decision.action, run.observation)
    except PlanEndsError as exc:
        run.ends = str(exc)
        return False
    return True


def _waits(run: _Unrolled, decision: Decision, began: datetime) -> bool:
    """Wait, if that soon leads on; return whether it was done."""
    pause = max(decision.look_again - run.observation.now, _SHORTEST)
    is_soon = run.observation.now + pause - began <= _LONGEST
    if not is_soon or run.waits >= _WAITS or not _is_under_way(decision):
        return False
    run.waits += 1
    run.observation = after(run.observation, pause)
    return True


def _is_under_way(decision: Decision) -> bool:
    found = _condition(decision, ConditionType.RECONCILING)
    return (found is not None and "pending" in decision.status) or _is_quiet(decision)


def _is_quiet(decision: Decision) -> bool:
    """Return whether a trust only waits for the end of its quiet period."""
    facts = decision.facts
    has_written = facts is not None and bool(facts.memory.federated.written)
    return has_written and _condition(decision, ConditionType.RECONCILING) is not None


def _plays(run: _Unrolled, decision: Decision, stand: Stand) -> bool:
    """Play an action through; return whether anything is known after it."""
    action = decision.action
    run.revokes |= isinstance(action, act.Remove) and action.is_revocation
    run.steps += [s for s in describe(action, run.observation) if s not in run.steps[-1:]]
    try:
        run.observation = play(decision, run.observation, stand)
    except PlanEndsError as exc:
        run.ends = str(exc)
        return False
    return True


def _plan(run: _Unrolled, decision: Decision) -> Plan:
    is_over = isinstance(decision.action, act.Sleep)
    return Plan(
        about=str(run.observation.resource.owner),
        steps=tuple(run.steps),
        ends=run.ends or (_ends(decision) if is_over else ""),
        revokes=run.revokes,
        later=tuple(_later(run.observation, decision)) if is_over else (),
    )


def _later(observation: Observation, decision: Decision) -> list[tuple[datetime, str]]:
    """Return what happens later; what was removed in the plan does not go once more."""
    removed, status = observation.memory.removals, decision.status
    left = [e for e in status.get("retiring") or () if e.get("keyId") not in removed]
    shown = AppCredential({"status": {**status, "retiring": left}})
    return sorted(ahead(shown, observation.now))


def _ends(decision: Decision) -> str:
    """Return what keeps it from going on, with the remedy that the operator tells."""
    for kind in (ConditionType.STALLED, ConditionType.RECONCILING):
        found = _condition(decision, kind)
        if found is not None:
            return f"{found['reason']}: {found['message']}"
    ready = _condition(decision, ConditionType.READY)
    if ready is not None and ready["reason"] in {"Suspended", "Observing"}:
        return f"{ready['reason']}: {ready['message']}"
    return ""


def _condition(decision: Decision, kind: ConditionType) -> dict[str, str] | None:
    found = decision.status.get("conditions") or ()
    return next((c for c in found if c.get("type") == kind), None)


async def reread(action: act.Action, observation: Observation) -> Observation:
    """Return the observation after a read that shows what is known already, a moment later."""
    now, memory = observation.now, observation.memory
    application, federation = observation.application, observation.federation
    if isinstance(action, act.ReadApplication):
        found = replace(required(application), read_time=now, doubted=None)
        memory = memory.saw_application(
            found, application, target=observation.target, pending=observation.pending
        )
        return replace(observation, application=found, memory=memory)
    if isinstance(action, act.ReadFederated):
        federation = required(federation)
        shown = replace(required(federation.listed), read_time=now, doubted=None)
        federation = replace(federation, listed=shown)
        return replace(observation, federation=federation, memory=memory.saw_federated(shown, now))
    if isinstance(action, act.ReadPods):
        pods = replace(required(observation.pods), began=now, time=now)
        return replace(observation, pods=pods)
    assert isinstance(action, act.ReadCrd)  # noqa: S101 - workloads are read anew each time
    return replace(observation, crd_deleted=False)
