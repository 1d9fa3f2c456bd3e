"""What status and Events say of the restart of workloads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.facts import Facts
from appcredential.domain.facts.restart import (
    begin_time,
    is_restart_open,
    is_restart_safe,
    restart_plan,
    seen_workloads,
    unreadable_workloads,
)
from appcredential.domain.facts.restart_window import restart_opening
from appcredential.domain.promised import required
from appcredential.domain.status.problems_restart import stopped
from appcredential.domain.times import format_time

_REASONS: Final = frozenset({Reason.RESTART_STOPPED, Reason.RESTART_FORBIDDEN})
READY: Final = "The Secret holds a valid credential."
"""How the message of Ready begins."""
_A_PERSON: Final = "a person: see Ready"
_LIST: Final = "a list of the workloads"


def restart_view(facts: Facts) -> dict[str, Any] | None:
    """Return what status says of a restart that is not complete; None without one."""
    if not is_restart_open(facts):
        return None
    time = format_time(required(required(facts.target).restart_since))
    plan = restart_plan(facts)
    if plan is None and (told := _told(facts, time)) is not None:
        return told
    view: dict[str, Any] = {"publishTime": time}
    if plan is not None:
        view |= {"workloads": plan.workloads, "restarted": plan.restarted}
    return view | {"waitingFor": _waits_for(facts)}


def restart_problem(facts: Facts) -> Problem | None:
    """Return why the restart does not go on, if a person has to see to that."""
    if not is_restart_open(facts):
        return None
    if seen_workloads(facts) is None:
        return _told_problem(facts)
    if (plan := restart_plan(facts)) is not None:
        return stopped(plan)
    problem = unreadable_workloads(facts)
    return problem if problem is not None and problem.stalled else _told_problem(facts)


def newly_stopped(facts: Facts, before: Mapping[str, Any]) -> Problem | None:
    """Return why the restart does not go on, unless Ready has said so already.

    Args:
        facts: what is true now.
        before: the status that is about to be replaced.
    """
    problem = restart_problem(facts)
    if problem is None or problem.message in _ready(before).get("message", ""):
        return None
    return problem


def _waits_for(facts: Facts) -> str:
    plan = restart_plan(facts)
    if facts.observes:
        return "the end of spec.suspend or of mode Observe"
    if restart_problem(facts) is not None:
        return _A_PERSON
    if plan is not None and plan.under_way is not None:
        return str(plan.under_way)
    if facts.now < begin_time(facts):
        return "3 minutes after the publish, so that new pods surely read what was published"
    if not is_restart_safe(facts):
        return "a grant" if not facts.is_granted else "certainty that the new credential works"
    if restart_opening(facts) is not None:
        return "the next of rotation.windows"
    return _LIST if plan is None or plan.next is None else str(plan.next)


def _told(facts: Facts, time: str) -> dict[str, Any] | None:
    """Return what status says of this restart already: who has just started has not looked yet."""
    told = facts.resource.status.get("restart")
    if not isinstance(told, Mapping) or told.get("publishTime") != time or "workloads" not in told:
        return None
    return dict(told)


def _told_problem(facts: Facts) -> Problem | None:
    told = _ready(facts.resource.status)
    if told.get("reason") not in _REASONS:
        return None
    message = str(told.get("message")).removeprefix(READY).strip()
    return Problem(reason=Reason(told["reason"]), message=message)


def _ready(status: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions = status.get("conditions") or ()
    return next((c for c in conditions if c.get("type") == "Ready"), {})
