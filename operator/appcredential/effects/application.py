"""Reads the application, and notes which calls failed and why."""

from __future__ import annotations

import logging
from datetime import timedelta

from appcredential.domain.conditions import Problem
from appcredential.domain.observed.asker import Consent
from appcredential.domain.observed.operation import Operation
from appcredential.domain.status.problems_entra import directory_problem
from appcredential.effects.context import Caller, Context, Step
from appcredential.effects.events import about
from appcredential.errors import (
    AppCredentialError,
    IdentityRejectedError,
    NotFoundError,
    NotYetError,
)
from appcredential.gather import application as gather

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
        oldest = state.asked.max_age(max_age, tools.clock.now())
        found = await gather.read_application(session.directory, client_id, oldest, tools.clock)
    except NotFoundError:
        state.application = None
        state.tags.consent = state.tags.consent or Consent(tags=(), seen=tools.clock.now())
        state.memory = state.memory.missed_application(tools.clock.now())
        return
    except AppCredentialError as exc:
        note_failure(step, Operation.READ, exc)
        return
    state.memory = state.memory.saw_application(
        found, state.application, target=state.target.value, pending=state.pending.value
    )
    state.application = found


def note_failure(caller: Caller, operation: Operation, error: AppCredentialError) -> None:
    """Note why a call to Graph failed; nothing is tried again before its pause is over.

    Args:
        caller: the step or the context of the effect that made the call.
        operation: what it was for.
        error: what it raised.

    The log has one line for each other failure than the one before, also of 10,000 resources: it
    lets so many a minute pass of each kind, see `runtime/logs.py`.

    Raises:
        NotYetError: nothing failed, its turn has not come.
    """
    if isinstance(error, NotYetError):
        raise error
    tools, state, asked = caller.tools, caller.state, caller.asked
    problem, pause = directory_problem(error, tools.permission_retry, asked)
    before = state.memory
    is_known = before.directory_problem == problem and before.problem_operation is operation
    told = {**told_of(caller, operation, problem), **_call(error)}
    log.log(logging.DEBUG if is_known else logging.INFO, "directory call failed", extra=told)
    again = tools.clock.now() + pause
    state.memory = state.memory.failed(operation, problem, again, caller.directory_skew)


def told_of(caller: Caller, operation: Operation, problem: Problem) -> dict[str, str]:
    """Return the log's keys for a problem with what a caller asked of Graph."""
    asked = caller.asked
    told = {"operation": str(operation), "reason": str(problem.reason), **about(caller.owner)}
    object_id = {"object_id": asked.object_id} if asked.object_id else {}
    return {**told, "application": asked.application, **object_id}


def _call(error: AppCredentialError) -> dict[str, str | int]:
    """Return what names the call and why it failed, as far as an answer told."""
    aadsts = error.code if isinstance(error, IdentityRejectedError) else 0
    call = error.graph
    told: dict[str, str | int] = {"aadsts": aadsts}
    if call is not None:
        told |= {
            "call": call.operation,
            "status": call.status,
            "code": call.code,
            "request_id": call.request_id,
            "client_request_id": call.client_request_id,
        }
    return {key: value for key, value in told.items() if value}


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
    log.warning("refused", extra=told_of(context, operation, problem))
    again = context.clock.now() + (pause or context.tools.permission_retry)
    memory, skew = context.state.memory, context.directory_skew
    context.state.memory = memory.failed(operation, problem, again, skew)
