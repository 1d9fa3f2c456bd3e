"""Restarts workloads, one at a time."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Final

from appcredential.domain.actions import ReadPods
from appcredential.domain.audit import Change
from appcredential.domain.conditions import Problem
from appcredential.domain.facts.restart import restart_plan, seen_workloads
from appcredential.domain.facts.restart_window import restart_override
from appcredential.domain.observed.workloads import Progress, SeenWorkloads
from appcredential.domain.promised import required
from appcredential.domain.restart_actions import ReadWorkloads, RestartAction, RestartWorkload
from appcredential.domain.status.problems_restart import (
    RESTART_FORBIDDEN,
    WORKLOADS_UNAVAILABLE,
    refused_restart,
)
from appcredential.effects import audit
from appcredential.effects.context import Context, Step
from appcredential.effects.events import about, emit
from appcredential.effects.pods import read_pods
from appcredential.errors import (
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RejectedError,
)

log = logging.getLogger(__name__)

_NONE: Final = timedelta(0)


async def see_to_workloads(action: ReadPods | RestartAction, step: Step) -> None:
    """List workloads or pods, or restart a workload."""
    if isinstance(action, ReadPods):
        await read_pods(action, step)
    elif isinstance(action, ReadWorkloads):
        await _read(action, step)
    else:
        await _restart(action, step.context())


async def _read(action: ReadWorkloads, step: Step) -> None:
    """Note which workloads are to be restarted, or why nobody knows, or that it is to come."""
    seen = await step.tools.kube.workloads.look(step.owner, action.selection)
    step.state.awaits_workloads = seen is None
    if seen is not None:
        step.state.workloads = seen


async def _restart(action: RestartWorkload, context: Context) -> None:
    """Restart a workload as it was just listed.

    One that changed or went meanwhile is looked at again. What refuses the restart is noted, and
    status tells of it.

    Raises:
        AppCredentialError: it may have been restarted; the next look shows it.
    """
    facts, state, workload = context.facts, context.state, action.workload
    seen, plan = required(seen_workloads(facts)), required(restart_plan(facts))
    time = context.clock.now() + (facts.observation.cluster_skew or _NONE)
    # Of an answer that is lost nobody knows what it was. Nor is it noted that the workload was
    # restarted: else it would seem that somebody took back what may never have been done.
    state.workloads = None
    names = {"workload": str(workload), **about(context.owner)}
    try:
        await context.kube.workloads.workloads.restart(context.owner.namespace, workload, time)
    except (ConflictError, NotFoundError):
        state.workloads = _with(seen, WORKLOADS_UNAVAILABLE, context)
        return
    except (PermissionDeniedError, RejectedError) as exc:
        is_right = isinstance(exc, PermissionDeniedError)
        problem = RESTART_FORBIDDEN if is_right else refused_restart(workload)
        state.workloads = _with(seen, problem, context)
        log.warning("restart refused", extra={**names, "error": str(exc)})
        return
    state.restarted[workload.uid] = time
    begun = replace(
        workload,
        stamps=(*workload.stamps, time),
        progress=Progress.UNDER_WAY,
    )
    assert not isinstance(seen.found, Problem)  # noqa: S101 - the decision rests on a list
    found = tuple(begun if w.uid == workload.uid else w for w in seen.found)
    state.workloads = replace(seen, time=context.clock.now(), found=found)
    number = f"{plan.restarted + 1} of {plan.workloads}"
    note = f"{workload} ({number}) is restarted, to read what was published."
    published = facts.published
    record = audit.record(
        context,
        Change.RESTARTED,
        key_id=published.key_id if published is not None else "",
        object_=str(workload),
    )
    await emit(context, "Restarted", note, found=record)
    if (cause := restart_override(facts)) is not None:
        note = f"{workload} was restarted outside spec.rotation.windows, because {cause}."
        await emit(context, "WindowOverridden", note, warning=True)


async def tell_end(context: Context) -> None:
    """Emit an Event about the end of a restart, if there was anything to restart."""
    number = required(restart_plan(context.facts)).workloads
    if number > 0:
        note = f"All workloads, {number}, run with pods from after the last publish."
        await emit(context, "RestartComplete", note)


def _with(seen: SeenWorkloads, problem: Problem, context: Context) -> SeenWorkloads:
    return replace(seen, time=context.clock.now(), found=problem)
