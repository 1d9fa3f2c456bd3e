"""Notes that Entra did not take one federated credential: those of the same list go on."""

from __future__ import annotations

import logging
from dataclasses import replace

from appcredential.domain.observed.operation import Operation
from appcredential.domain.status.problems_entra import directory_problem, federated_refusal
from appcredential.effects.application import told_of
from appcredential.effects.context import Context
from appcredential.effects.federated_audit import attempt_of
from appcredential.errors import ConflictError, RejectedError

log = logging.getLogger(__name__)


def note_not_taken(
    context: Context, description: str, error: ConflictError | RejectedError
) -> None:
    """Note why Entra did not take one; it is tried again after a pause of its own.

    Args:
        context: of the effect.
        description: that the federated credential would have.
        error: what the call raised: a refusal, or a conflict with what no read shows.
    """
    problem, pause = directory_problem(error, context.tools.permission_retry)
    if isinstance(error, RejectedError):
        problem, pause = federated_refusal(error.code), context.tools.permission_retry
    log.warning("refused", extra=told_of(context, Operation.MINT, problem))
    memory, attempt = context.state.memory, attempt_of(description)
    federated = memory.federated.did_not_take(attempt, problem, context.clock.now(), pause)
    context.state.memory = replace(memory, federated=federated)
