"""Reads the application, and notes which calls failed and why."""

from __future__ import annotations

import logging
from datetime import timedelta

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.memory import Operation
from appcredential.domain.status.problems_entra import directory_problem
from appcredential.effects.context import Context, Step, Tools
from appcredential.errors import AppCredentialError, NotFoundError, NotYetError
from appcredential.gather import application as gather
from appcredential.gather.state import ResourceState

log = logging.getLogger(__name__)


async def read_application(max_age: timedelta, step: Step) -> None:
    """Read the application, and note which of our keys it lists.

    Args:
        max_age: a shared read that is not older will do.
        step: of a decision that may have no facts: without an application there are none.

    Raises:
        ConflictError: the tenant cannot be used any more.
    """
    tools, state = step.tools, step.state
    session, client_id = step.session(), step.observation.usable_spec.client_id
    try:
        found = await gather.read_application(session.directory, client_id, max_age, tools.clock)
    except NotFoundError:
        state.application = None
        state.memory = state.memory.missed_application(tools.clock.now())
        return
    except AppCredentialError as exc:
        note_failure(tools, state, Operation.READ, exc)
        return
    state.memory = state.memory.saw_application(
        found, state.application, target=state.target.value, pending=state.pending.value
    )
    state.application = found


def note_failure(
    tools: Tools, state: ResourceState, operation: Operation, error: AppCredentialError
) -> None:
    """Note why a call to Graph failed; nothing is tried again before its pause is over.

    Raises:
        NotYetError: nothing failed, its turn has not come.
    """
    if isinstance(error, NotYetError):
        raise error
    problem, pause = directory_problem(error, tools.permission_retry)
    log.warning(
        "directory call failed",
        extra={"operation": str(operation), "reason": str(problem.reason)},
    )
    state.memory = state.memory.failed(operation, problem, tools.clock.now() + pause)


def note_refusal(
    context: Context, operation: Operation, problem: Problem, pause: timedelta | None = None
) -> None:
    """Note why something is refused until a person changes it.

    Args:
        context: of the effect.
        operation: what is refused.
        problem: why.
        pause: until the next try; None for that after a missing permission.
    """
    log.warning("refused", extra={"operation": str(operation), "reason": str(problem.reason)})
    again = context.clock.now() + (pause or context.tools.permission_retry)
    context.state.memory = context.state.memory.failed(operation, problem, again)
