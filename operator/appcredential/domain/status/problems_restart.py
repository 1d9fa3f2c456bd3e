"""What status says when workloads cannot be restarted."""

from __future__ import annotations

from typing import Final, assert_never

from appcredential.domain.conditions import Problem, Reason
from appcredential.domain.facts.restart import Plan, Stop
from appcredential.domain.observed.workloads import MAX_LISTED, MAX_SELECTED, Workload
from appcredential.errors import AppCredentialError, PermissionDeniedError, UnusableListError

_MAX_NAMED: Final = 5
_STAYS: Final = "The replaced credential stays valid until its own end"
RESTART_FORBIDDEN: Final = Problem(
    reason=Reason.RESTART_FORBIDDEN,
    message=f"{_STAYS}, because the operator may not list or restart the workloads of this "
    "namespace. Set rbac.restarts to true in the chart's values, or leave rotation.restart out.",
)
TOO_MANY_WORKLOADS: Final = Problem(
    reason=Reason.RESTART_STOPPED,
    message=f"{_STAYS}, because the namespace has more than {MAX_LISTED} workloads, and none is "
    "restarted. Choose rotation.restart.matchLabels that fewer have.",
)
WORKLOADS_TOO_SLOW: Final = Problem(
    reason=Reason.RESTART_STOPPED,
    message=f"{_STAYS}, because the list of this namespace's workloads takes longer than the "
    "operator waits for it, two minutes, and none is restarted until then. Choose "
    "rotation.restart.matchLabels that fewer have.",
)
WORKLOADS_UNAVAILABLE: Final = Problem(
    reason=Reason.RESTART_STOPPED,
    message="The workloads of this namespace cannot be listed for now, or one has just changed.",
    stalled=False,
)


def workloads_problem(error: AppCredentialError | TimeoutError) -> Problem:
    """Return why the workloads of a namespace cannot be listed."""
    if isinstance(error, PermissionDeniedError):
        return RESTART_FORBIDDEN
    return TOO_MANY_WORKLOADS if isinstance(error, UnusableListError) else WORKLOADS_UNAVAILABLE


def refused_restart(workload: Workload) -> Problem:
    """Return what it means that the API server does not take the restart of a workload."""
    return Problem(
        reason=Reason.RESTART_STOPPED,
        message=f"{_STAYS}, because the API server refuses to restart {workload}: a webhook or a "
        "policy may be in the way. No other workload is restarted until then.",
    )


def stopped(plan: Plan) -> Problem | None:
    """Return why a restart does not go on by itself."""
    if plan.stop is None:
        return None
    return Problem(reason=Reason.RESTART_STOPPED, message=f"{_STAYS}, because {_cause(plan)}")


def _cause(plan: Plan) -> str:
    names = ", ".join(str(w) for w in plan.stopped_by[:_MAX_NAMED])
    rest = "No other workload is restarted until then."
    assert plan.stop is not None  # noqa: S101 - the caller checked
    match plan.stop:
        case Stop.FAILED:
            return f"the rollout of {names} failed after its restart. Mend it. {rest}"
        case Stop.OVERDUE:
            return f"the rollout of {names} takes too long after its restart. Mend it. {rest}"
        case Stop.UNDONE:
            return (
                f"somebody took back the restart of {names}. Restart it yourself where its pod "
                f"template comes from, or have that leave annotations of the template. {rest}"
            )
        case Stop.HELD:
            more = len(plan.stopped_by) - _MAX_NAMED
            others = f" and {more} others" if more > 0 else ""
            return (
                f"{names}{others} do not replace all pods by themselves: paused, OnDelete or with "
                "a partition. Restart what is paused, and delete the pods of the others."
            )
        case Stop.TOO_MANY:
            return (
                f"more than {MAX_SELECTED} workloads are selected, and none is restarted. Choose "
                "rotation.restart.matchLabels that fewer have."
            )
        case _:
            assert_never(plan.stop)
